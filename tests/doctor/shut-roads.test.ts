/** What shuts a road although the verdict is good: how severe it is by what the driver, the ports and the siblings say, and that fixes open it. */

import { expect, test } from 'vitest';
import { restores, withChange } from '../../src/doctor/change/machine-change.ts';
import { checkMachine } from '../../src/doctor/check-machine.ts';
import type { DiagnosisId, Finding } from '../../src/doctor/finding.ts';
import { buildMachine } from '../../src/machine/build.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { POLICIES } from '../../src/p2p/policy.ts';
import { ConfigSpace } from '../../src/pcie/config-space.ts';
import type { RootBusDescription } from '../../src/pcie/describe.ts';
import type { FunctionFacts, SysfsFacts, TextFacts } from '../../src/pcie/function-facts.ts';
import { UNLISTED } from './machines.ts';
import { ACS_ON, drive, type Edit, machineOfParts, oneSwitch } from './twins.ts';

const POLICY = POLICIES['linux-6.12'];

function findings(machine: Machine, id: DiagnosisId, asked?: readonly string[]): Finding[] {
  const indices = asked?.map((name) => machine.hierarchy.functions.findIndex((fn) => fn.name === name));
  return checkMachine(machine, POLICY, { asked: indices }).findings.filter((finding) => finding.id === id);
}

const severities = (machine: Machine, id: DiagnosisId, asked?: readonly string[]): string[] =>
  findings(machine, id, asked).map(({ severity }) => severity);

const command =
  (value: number): Edit =>
  (view) =>
    view.setUint16(4, value, true);

/** The cards of `oneSwitch`, and the port above the first. */
const [A, B, X] = ['0000:03:00.0', '0000:04:00.0', '0000:02:00.0'];

/** The first card with its Command register and its driver as told. */
const idle = (value: number, driver: string | undefined): Machine =>
  machineOfParts(oneSwitch('clear'), { sysfs: { a: { driver } }, edits: { a: command(value) } });

test('NOT-DECODING: a card without a driver is off by right: silence, and a warning where it was asked for', () => {
  expect(findings(idle(0, undefined), 'NOT-DECODING')).toEqual([]);
  expect(severities(idle(2, undefined), 'NOT-DECODING', [A, B])).toEqual(['warning']);
  // Drivers that hold a card for somebody who has not come yet are no better than none.
  expect(findings(idle(0, 'vfio-pci'), 'NOT-DECODING')).toEqual([]);
  expect(severities(idle(2, 'nvidia'), 'NOT-DECODING')).toEqual(['warning']);
  expect(severities(idle(2, 'nvidia'), 'NOT-DECODING', [A, B])).toEqual(['error']);
});

test('NOT-DECODING: where the capture tells of no drivers a card that is off is a note', () => {
  const machine = machineOfParts(oneSwitch('clear'), { edits: { a: command(2) } });
  const functions = machine.hierarchy.functions.map((fn) => ({ ...fn.facts, sysfs: null }));
  const bare = buildMachine({ source: 'hex', functions, cpu: machine.cpu, kernel: machine.kernel });
  expect(findings(bare, 'NOT-DECODING')).toMatchObject([{ severity: 'note', at: [A], sure: 'likely' }]);
});

test('NOT-DECODING: a port that is off above cards that are off too is idle, as Linux leaves it', () => {
  const machine = machineOfParts(oneSwitch('clear'), { edits: { a: command(0), x: command(0) } });
  expect(findings(machine, 'NOT-DECODING').filter(({ at }) => at.includes(X))).toEqual([]);
});

test('NOT-DECODING: asked for, a port with Bus Master off above is an error, and names port and card', () => {
  const machine = machineOfParts(oneSwitch('clear'), { edits: { x: command(2) } });
  expect(findings(machine, 'NOT-DECODING')).toMatchObject([{ severity: 'warning', at: [X], functions: [X, A] }]);
  expect(severities(machine, 'NOT-DECODING', [A, B])).toEqual(['error']);
  // What is asked for is the example, too.
  for (const asked of [undefined, [A, B]])
    expect(findings(machine, 'NOT-DECODING', asked)[0]?.pairs).toEqual({ count: 1, provider: B, client: A });
  expect(findings(machine, 'NOT-DECODING')[0]?.evidence[0]).toMatchObject({
    at: X,
    register: 'Command',
    offset: 4,
    value: '0x0002',
  });
});

test('NOT-DECODING: the printed lines set the one bit, the changed machine has the finding no longer, and undo restores it', () => {
  for (const [value, line] of [
    [2, 'COMMAND=4:4'],
    [4, 'COMMAND=2:2'],
  ] as const) {
    const machine = machineOfParts(oneSwitch('clear'), { edits: { x: command(value) } });
    const [finding] = findings(machine, 'NOT-DECODING');
    const [fix] = finding?.fixes ?? [];
    expect(fix?.commands).toEqual([`sudo setpci -s ${X} ${line}`]);
    if (!fix?.change) throw new Error('it has a change');
    expect(findings(withChange(machine, fix.change), 'NOT-DECODING')).toEqual([]);
    expect(restores(machine, fix.change)).toBe(true);
  }
});

test('NOT-DECODING: where only text tells of Command, the fix is judged on the text, and undone in it', () => {
  const built = machineOfParts(oneSwitch('clear'), { edits: { x: command(2) } });
  const functions = built.hierarchy.functions.map((fn): FunctionFacts => {
    const { vendorId, deviceId, classCode, portType, acs, busNumbers, bars, command: told } = fn;
    const text = { vendorId, deviceId, classCode, portType, acs, busNumbers, bars: [...bars], command: told };
    const known = Object.fromEntries(Object.entries(text).filter(([, value]) => value !== null)) as Partial<TextFacts>;
    return {
      ...fn.facts,
      sysfs: null,
      config: new ConfigSpace(new Uint8Array(0)),
      text: { ...known, capabilitiesListed: true, extendedListed: true, lines: {}, file: 'host.txt' },
    };
  });
  const machine = buildMachine({ source: 'host.txt', functions, cpu: built.cpu, kernel: built.kernel });
  const [finding] = findings(machine, 'NOT-DECODING');
  expect(finding?.at).toEqual([X]);
  const change = finding?.fixes[0]?.change;
  if (!change) throw new Error('it has a change');
  expect(findings(withChange(machine, change), 'NOT-DECODING')).toEqual([]);
  expect(restores(machine, change)).toBe(true);
});

/** Where the first card of `oneSwitch` has its BAR. */
const FIRST = 0x2000 * 2 ** 32;

/** A BAR of 256 MiB at another place, for the kernel and in the register. */
function moved(name: string, start: number): Parameters<typeof machineOfParts>[1] {
  const resources: SysfsFacts['resources'] = [{ start, end: start + 2 ** 28 - 1, flags: 0x14220c }];
  const edit: Edit = (view) => {
    view.setUint32(0x10, ((start % 2 ** 32) | 0xc) >>> 0, true);
    view.setUint32(0x14, Math.floor(start / 2 ** 32), true);
  };
  return { sysfs: { [name]: { resources } }, edits: { [name]: edit } };
}

test('NOT-DECODING: a BAR that its port’s windows do not hold is told with window and address; in a window that holds it, not', () => {
  const at = (start: number): Machine => machineOfParts(oneSwitch('clear'), moved('a', start));
  expect(findings(at(FIRST), 'NOT-DECODING')).toEqual([]);
  // Half of it out of the window is out.
  for (const start of [FIRST - 2 ** 28, FIRST - 2 ** 27]) {
    const [finding] = findings(at(start), 'NOT-DECODING');
    expect(finding).toMatchObject({ severity: 'warning', at: [X], functions: [X, A] });
    expect(finding?.evidence.some(({ value }) => value === '0x200000000000-0x20000fffffff')).toBe(true);
  }
});

test('NOT-DECODING: two BARs in one place are told once, and the one outside of its windows is to move', () => {
  const machine = machineOfParts(oneSwitch('clear'), moved('b', FIRST));
  const [overlap] = findings(machine, 'NOT-DECODING').filter(({ title }) => title.includes('one address'));
  expect(overlap?.at).toEqual([A, B]);
  expect(overlap?.fixes[0]?.commands[0]).toContain(B);
});

/** Power Management as the first capability: its PMCSR says D0 or D3hot. */
const power =
  (state: number): Edit =>
  (view) => {
    const first = view.getUint8(0x34);
    view.setUint8(0xf0, 0x01);
    view.setUint8(0xf1, first);
    view.setUint16(0xf4, state, true);
    view.setUint8(0x34, 0xf0);
  };

const ones: Edit = (view) => {
  for (let at = 0; at < 4096; at += 4) view.setUint32(at, 0xffffffff);
};

test('DEVICE-LOST: D3hot is told; D0 is none; of one card among several that compute it is a warning, of a desktop’s a note', () => {
  const asleep = machineOfParts(oneSwitch('clear'), { edits: { a: power(3) } });
  expect(findings(asleep, 'DEVICE-LOST')).toMatchObject([{ severity: 'warning', at: [A] }]);
  expect(findings(asleep, 'DEVICE-LOST')[0]?.evidence[0]).toMatchObject({ offset: 0xf4, value: '0x0003' });
  expect(findings(machineOfParts(oneSwitch('clear'), { edits: { a: power(0) } }), 'DEVICE-LOST')).toEqual([]);
  const single = machineOfParts(oneSwitch('clear', UNLISTED, drive('b')), { edits: { a: power(3) } });
  expect(severities(single, 'DEVICE-LOST')).toEqual(['note']);
});

test('DEVICE-LOST: all ones are told though nobody knows what the device was', () => {
  const machine = machineOfParts(oneSwitch('clear'), { edits: { a: ones } });
  // The kernel still tells its class: it computed.
  expect(findings(machine, 'DEVICE-LOST')).toMatchObject([{ severity: 'warning', sure: 'likely', at: [A] }]);
  const functions = machine.hierarchy.functions.map((fn) => ({ ...fn.facts, sysfs: null }));
  const bare = buildMachine({ source: 'hex', functions });
  expect(findings(bare, 'DEVICE-LOST')).toMatchObject([{ severity: 'note', sure: 'likely', at: [A] }]);
});

test('DEVICE-LOST: what lost its BARs is no BAR without room, and its Command register is not told as well', () => {
  const lost: Edit = (view) => {
    view.setUint16(4, 0, true);
    view.setUint32(0x14, 0, true);
  };
  const machine = machineOfParts(oneSwitch('clear'), { sysfs: { a: { driver: 'nvidia' } }, edits: { a: lost } });
  expect(findings(machine, 'DEVICE-LOST')).toMatchObject([{ severity: 'warning', at: [A] }]);
  expect([...findings(machine, 'BAR-SMALL'), ...findings(machine, 'NOT-DECODING')]).toEqual([]);
  expect(severities(machine, 'DEVICE-LOST', [A, B])).toEqual(['error']);
});

test('MPS: a port on the way to memory that takes less than the cards below send is told, and no pair of theirs is', () => {
  const [root] = oneSwitch('clear', UNLISTED) as [RootBusDescription];
  const low: Edit = (view, express) => view.setUint16(express + 8, view.getUint16(express + 8, true) & ~0xe0, true);
  const machine = machineOfParts([root], { edits: { rp: low } });
  const [finding, ...others] = findings(machine, 'MPS');
  expect(others).toEqual([]);
  expect(finding).toMatchObject({ severity: 'warning', at: ['0000:00:01.0'], pairs: null });
  expect(finding?.functions).toEqual(['0000:00:01.0', A, B]);
  expect(finding?.fixes[0]?.commands).toEqual([A, B].map((at) => `sudo setpci -s ${at} CAP_EXP+8.w=0:e0`));
  expect(findings(machineOfParts([root], { edits: {} }), 'MPS')).toEqual([]);
});

test('HB-NOT-LISTED: a pair that nobody can judge is no proof that published memory is out of reach', () => {
  const sysfs = { b: { p2pmem: { size: 2 ** 20, available: 2 ** 20, published: true } } };
  const [near] = oneSwitch(ACS_ON, UNLISTED, drive('b'));
  const apart = { kind: 'rootPort' as const, below: [drive('far')] };
  const tree = [{ ...near, children: [...(near?.children ?? []), apart] }];
  const seen = machineOfParts(tree, { sysfs });
  expect(severities(seen, 'HB-NOT-LISTED')).toEqual(['error']);
  // The port above the drive keeps its extended registers to itself.
  const functions = seen.hierarchy.functions.map((fn) =>
    fn.name === X ? { ...fn.facts, config: new ConfigSpace(fn.config.bytes.slice(0, 256)) } : fn.facts,
  );
  const hidden = {
    ...buildMachine({ source: 'hidden', functions, cpu: seen.cpu, kernel: seen.kernel }),
    ram: seen.ram,
  };
  expect(severities(hidden, 'HB-NOT-LISTED')).toEqual(['warning']);
});

test('VM-TOPOLOGY: a listing without numbers names the hypervisor’s devices', () => {
  const named = (deviceName: string): Machine => {
    const built = machineOfParts(oneSwitch('clear'));
    const functions = built.hierarchy.functions.map((fn): FunctionFacts => {
      const text = { classCode: fn.classCode ?? 0, deviceName, lines: {}, file: 'host.txt' };
      return { ...fn.facts, sysfs: null, config: new ConfigSpace(new Uint8Array(0)), text };
    });
    return buildMachine({ source: 'host.txt', functions });
  };
  expect(findings(named('XenSource, Inc. Xen Platform Device'), 'VM-TOPOLOGY')[0]?.title).toContain('a Xen guest');
  expect(findings(named('Intel Corporation Xeon'), 'VM-TOPOLOGY')).toEqual([]);
});

test('MPS, ACS-REDIR-SWITCH: what a port keeps of malformed packets and ACS violations is a note; Unsupported Requests are not told', () => {
  const keep =
    (status: number): Edit =>
    (view) => {
      let at = 0x100;
      while ((view.getUint32(at, true) & 0xffff) !== 0x01) at = view.getUint32(at, true) >>> 20;
      view.setUint32(at + 4, status, true);
    };
  const kept = (status: number): Machine => machineOfParts(oneSwitch('clear'), { edits: { x: keep(status) } });
  const told = (machine: Machine): string[] =>
    (['MPS', 'ACS-REDIR-SWITCH'] as const).flatMap((id) =>
      findings(machine, id).map(({ severity, at, evidence }) => `${severity} ${id} ${at} ${evidence[0]?.value}`),
    );
  expect(told(kept(1 << 18))).toEqual([`note MPS ${X} 0x00040000`]);
  expect(told(kept(1 << 21))).toEqual([`note ACS-REDIR-SWITCH ${X} 0x00200000`]);
  expect(told(kept(1 << 20))).toEqual([]);
  expect(told(kept(0))).toEqual([]);
});
