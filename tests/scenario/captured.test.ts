/** Captured machines run as scenarios, whatever their capture tells: what it leaves open is assumed and said. */

import { expect, test } from 'vitest';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { ScenarioError } from '../../src/scenario/errors.ts';
import type { ScenarioReport } from '../../src/scenario/report.ts';
import { readScenario, runScenario, scenarioMachine } from '../../src/scenario/run-scenario.ts';
import { SimHost } from '../../src/scenario/sim-host.ts';

/** A device with memory and two controllers below root ports, as `lspci -nnvv` shows them; nobody's machine. */
const LISTING = `
00:00.0 Host bridge [0600]: Maker Device [8086:2020]
00:01.0 PCI bridge [0604]: Maker Device [1234:0001] (prog-if 00 [Normal decode])
	Control: I/O- Mem+ BusMaster+
	Bus: primary=00, secondary=01, subordinate=01, sec-latency=0
	Memory behind bridge: e0000000-e01fffff [size=2M] [32-bit]
	Capabilities: [40] Express (v2) Root Port (Slot+), IntMsgNum 0
	Capabilities: [100 v2] Advanced Error Reporting
00:02.0 PCI bridge [0604]: Maker Device [1234:0001] (prog-if 00 [Normal decode])
	Control: I/O- Mem+ BusMaster+
	Bus: primary=00, secondary=02, subordinate=02, sec-latency=0
	Memory behind bridge: e0200000-e02fffff [size=1M] [32-bit]
	Capabilities: [40] Express (v2) Root Port (Slot+), IntMsgNum 0
	Capabilities: [100 v2] Advanced Error Reporting
01:00.0 Co-processor [0b40]: Maker Device [1234:0002]
	Control: I/O- Mem+ BusMaster+
	Region 0: Memory at e0000000 (32-bit, non-prefetchable) [size=1M]
	Capabilities: [40] Express (v2) Endpoint, IntMsgNum 0
	Capabilities: [100 v2] Advanced Error Reporting
02:00.0 Non-Volatile memory controller [0108]: Maker Device [1234:0003] (prog-if 02 [NVM Express])
	Control: I/O- Mem+ BusMaster+
	Region 0: Memory at e0200000 (32-bit, non-prefetchable) [size=16K]
	Region 1: Memory at e0210000 (32-bit, non-prefetchable) [size=64K]
	Capabilities: [40] Express (v2) Endpoint, IntMsgNum 0
	Capabilities: [100 v2] Advanced Error Reporting
00:1f.0 Ethernet controller [0200]: Maker Device [1234:0004]
	Control: I/O- Mem+ BusMaster+
	Region 0: Memory at 1f8000000 (32-bit, non-prefetchable) [enhanced] [size=256K]
	Region 2: Memory at 1f8160000 (32-bit, non-prefetchable) [enhanced] [size=2M]
	Capabilities: [40] Express (v2) Root Complex Integrated Endpoint, IntMsgNum 0
	Capabilities: [100 v2] Advanced Error Reporting
`;

const TRANSFERS = `
transfers:
  - name: to the peer
    device: "02:00.0"
    direction: fromDevice
    vectors: [{ memory: ram, length: 4KiB }, { memory: "01:00.0", length: 16KiB }]
`;

async function run(text: string, listing = LISTING): Promise<ScenarioReport> {
  const read = readScenario(text, 'it.yaml');
  const named = await scenarioMachine(read, (name) => readMachine(new TextEncoder().encode(listing), name));
  const { machine, controllers } = named;
  const host = new SimHost({ machine, controllers, scenario: read.scenario, iommu: read.scenario.iommu === 'on' });
  return runScenario({ read, named, host });
}

test('a listing without a memory map gets RAM where no BAR and no window is, and the report says so', async () => {
  const report = await run(`machine: host.txt${TRANSFERS}`);
  expect(report.transfers[0]?.bytesEqual).toBe(20480);
  expect(report.transfers[0]?.vectors.map(({ address }) => address)).toEqual([0x10_0000, 0xe000_0000]);
  expect(report.assumed).toContain(
    'the capture does not tell where RAM lies: taken as 512 MiB from 0x100000 on (ram: in the scenario says otherwise)',
  );
  const low = LISTING.replaceAll(/\be0/g, '10');
  const moved = await run(`machine: host.txt${TRANSFERS}`, low);
  expect(moved.assumed[0]).toContain('from 0x10300000 on');
  expect(moved.transfers[0]?.bytesEqual).toBe(20480);
});

test('a BAR of unknown size keeps as much free as it can have: its address is a multiple of its size', async () => {
  const listing = LISTING.replace('Memory at 1f8160000 (32-bit', 'Memory at 40000000 (32-bit').replace(
    '[enhanced] [size=2M]',
    '',
  );
  const { assumed } = await run(`machine: host.txt${TRANSFERS}`, listing);
  // At most 1 GiB at 1 GiB. What is left above is wider than what is left below by the first megabyte.
  expect(assumed[0]).toContain('from 0x80000000 on');
});

test('RAM that the scenario declares is taken, and nothing is assumed of it', async () => {
  const report = await run(`machine: host.txt\nram: [{ start: 4GiB, size: 16MiB }]${TRANSFERS}`);
  expect(report.transfers[0]?.vectors[0]?.address).toBe(2 ** 32);
  expect(report.assumed.join()).not.toContain('RAM');
});

test('an IOMMU of which the capture says nothing is taken as off, and the report says so, unless the scenario tells', async () => {
  const words =
    'the capture does not tell whether an IOMMU translates for 0000:02:00.0: taken as off (iommu: says otherwise)';
  const silent = await run(`machine: host.txt${TRANSFERS}`);
  expect(silent.assumed).toContain(words);
  expect(silent.transfers[0]?.iommu).toBe('off');
  const told = await run(`machine: host.txt\niommu: on${TRANSFERS}`);
  expect(told.assumed).not.toContain(words);
  expect(told.transfers[0]?.iova).not.toBeNull();
});

test('ACS that nobody could read is taken as off on the ways of the transfers, and nothing is said of other functions', async () => {
  const { assumed, transfers } = await run(
    `machine: host.txt${TRANSFERS}`,
    LISTING.replaceAll(/\n.*\[100 v2\].*/g, ''),
  );
  const named = assumed.filter((line) => line.includes('ACS registers')).map((line) => line.split(': ')[0]);
  expect(transfers[0]?.bytesEqual).toBe(20480);
  expect(named).toEqual(['0000:00:01.0', '0000:00:02.0', '0000:01:00.0', '0000:02:00.0']);
});

test('a controller with a second 32-bit BAR has no CMB there: CMBLOC cannot say BAR 1', async () => {
  const report = await run(`machine: host.txt${TRANSFERS}`);
  expect(report.transfers[0]?.engine).toBe('nvme');
  expect(report.transfers[0]?.status).toBeNull();
});

test('a 32-bit BAR above 4 GiB, which Enhanced Allocation gives, stays where it is when drivers switch it on', async () => {
  const text = `machine: host.txt${TRANSFERS.replace('"01:00.0"', '"00:1f.0"')}`;
  const report = await run(text, LISTING.replace('0004]\n\tControl: I/O- Mem+', '0004]\n\tControl: I/O- Mem-'));
  expect(report.prepared).toContain('0000:00:1f.0: Memory Space Enable');
  expect(report.transfers[0]?.vectors[1]?.address).toBe(0x1_f816_0000);
  expect(report.transfers[0]?.bytesEqual).toBe(20480);
});

test('ram beside a described machine is refused with its line: it has a place of its own', () => {
  const text = 'ram: [{ start: 1MiB, size: 1MiB }]\nmachine: { hostBridges: [{ rootPorts: [] }] }\ntransfers: []\n';
  const wrong = (): unknown => readScenario(text.replace('transfers: []', TRANSFERS), 'it.yaml');
  expect(wrong).toThrow(ScenarioError);
  expect(wrong).toThrow(
    expect.objectContaining({ path: 'it.yaml:1: ram', message: 'is for captured machines: write it as machine.ram' }),
  );
});
