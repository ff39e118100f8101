/** `npm start`: the mail's five vectors on a real machine, from the distance to the bytes. */

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, type Machine, PCI_P2PDMA_THRU_HOST_BRIDGE } from 'p2pdma';
import { ROOT_COMPLEX } from 'p2pdma/fabric';
import { readScenario, runScenario, SimHost, scenarioMachine } from 'p2pdma/scenario';
import { bundledMachine, type MailRun, runTheMail } from './the-mail-world.ts';

const HEX_DIGITS = 8;
const FLAG_NAMES = new Map([
  [0, '0'],
  [BVEC_MAP_RESOURCE, 'BVEC_MAP_RESOURCE'],
  [BVEC_MAP_BUS_ADDR, 'BVEC_MAP_BUS_ADDR'],
]);
const CASES = new Map([
  [0, '(a) '],
  [BVEC_MAP_RESOURCE, '(b1)'],
  [BVEC_MAP_BUS_ADDR, '(b2)'],
]);

// Whoever reads only the first lines has what he wanted.
process.stdout.on('error', () => process.exit(0));

const { values } = parseArgs({ options: { cpu: { type: 'string' } } });
await printTheMail(cpuOf(values.cpu));
await printOffset();
await printNvme(cpuOf(values.cpu));

function cpuOf(text: string | undefined): Machine['cpu'] {
  if (text === undefined) return null;
  const match = /^([^:]+):(0x[0-9a-fA-F]+|\d+)$/.exec(text);
  if (match) return { vendor: match[1] as string, family: Number(match[2]) };
  process.stderr.write(`--cpu: '${text}' is not VENDOR:FAMILY\nhint: for example --cpu GenuineIntel:6\n`);
  return process.exit(2);
}

/** Two peers at the same distance below one switch take different roads, because of ACS on one port. */
async function printTheMail(cpu: Machine['cpu']): Promise<void> {
  const machine = await bundledMachine('iommu-lazy-switch4-acs-off2', cpu);
  const run = runTheMail(machine, '0000:03:00.0', [null, '0000:06:00.0', '0000:05:00.0', '0000:03:00.0', null]);
  const { vendor, family } = machine.cpu ?? { vendor: 'unknown', family: null };
  const name = vendor === 'AuthenticAMD' ? 'AMD' : vendor === 'GenuineIntel' ? 'Intel' : vendor;
  print(
    `mapping device ${run.mapping.name}     IOMMU ${run.device.iommu}     ${name} family ${family}, Linux ${machine.kernel}`,
  );
  print('   provider       pci_p2pdma_dist        bv_addr      bv_flags');
  run.submitted.forEach(({ vector, distance, why }, index) => {
    const provider = run.providers[index]?.name ?? '-';
    const flags = FLAG_NAMES.get(vector.flags);
    print(
      `${index}  ${provider.padEnd(12)}   ${distanceText(distance).padEnd(20)}   ${hex(vector.address)}   ${flags}${remark(run, index, why)}`,
    );
  });
  const { base, size } = run.iova;
  print(
    `dma_map_bvec: one IOVA ${hex(base)} + ${size} for ${run.iommuVectors} of ${run.submitted.length} vectors; ${run.counters.lookups} lookups, ${run.counters.pages} page descriptors`,
  );
  for (const line of segmentLines(run)) print(line);
  print(`wire:  ${wireText(run)}`);
  print(`bytes: ${run.bytesEqual} of ${run.bytesTotal} equal`);
  if (run.bytesEqual !== run.bytesTotal) process.exitCode = 5;
}

function remark(run: MailRun, index: number, why: string): string {
  const own =
    run.providers[index] === run.mapping && run.submitted[index]?.vector.flags === run.submitted[1]?.vector.flags;
  if (own) return '   the submitter can’t tell 3 from 1';
  return why.includes('not supported') || why.includes('RAM instead') ? `   ${why}` : '';
}

function distanceText(distance: number | null): string {
  if (distance === null) return '-';
  if (distance < 0) return String(distance);
  const hops = distance & ~PCI_P2PDMA_THRU_HOST_BRIDGE;
  return distance & PCI_P2PDMA_THRU_HOST_BRIDGE ? `${hops} | THRU_HOST_BRIDGE` : String(hops);
}

/** One entry a vector: its case and what the engine was given. */
function segmentLines(run: MailRun): string[] {
  const entries = run.submitted.map(({ vector }, index) => {
    const segment = run.programmed.find((one) => index >= one.firstInput && index <= one.lastInput);
    if (segment === undefined) return '';
    if (segment.space === 'bar' && 'bar' in segment.target) {
      return `${index} (c)  pci_bus_addr_in_bar -> BAR ${segment.target.bar} + 0x${segment.target.offset.toString(16)}`;
    }
    const kind = CASES.get(vector.flags);
    return `${index} ${kind} ${segment.space} ${hex((segment.address ?? 0) + (index - segment.firstInput) * vector.length)}`;
  });
  const lines: string[] = [];
  for (let index = 0; index < entries.length; index += 3) lines.push(entries.slice(index, index + 3).join('    '));
  return lines;
}

/** Which vectors went where, by the hops that the fabric made. */
function wireText(run: MailRun): string {
  const groups = new Map<string, number[]>();
  run.submitted.forEach((_, index) => {
    const segment = run.programmed.findIndex((one) => index >= one.firstInput && index <= one.lastInput);
    const road = roadOf(run, segment);
    groups.set(road, [...(groups.get(road) ?? []), index]);
  });
  return [...groups].map(([road, vectors]) => `${vectors.join(', ')}${road}`).join(';  ');
}

function roadOf(run: MailRun, segment: number): string {
  const hops = run.hops[segment] ?? [];
  if (hops.length === 0) return ': no TLP on any link';
  const functions = run.machine.hierarchy.functions;
  if (!hops.some((hop) => hop.at === ROOT_COMPLEX)) {
    const many = run.programmed.filter((_, other) => roadIsSwitch(run, other)).length > 1;
    return many ? ' turn round inside the switch' : ' turns round inside the switch';
  }
  const port = hops.map((hop) => functions[hop.at]).find((fn) => fn?.portType === 'rootPort');
  const translated = hops.some((hop) => hop.action === 'translate');
  return ` pass root port ${port?.name.slice(5)}${translated ? ' and the IOMMU' : ''}`;
}

function roadIsSwitch(run: MailRun, segment: number): boolean {
  const hops = run.hops[segment] ?? [];
  return hops.length > 0 && !hops.some((hop) => hop.at === ROOT_COMPLEX);
}

/** A machine whose host bridge shifts addresses: the two views of one allocation differ. */
async function printOffset(): Promise<void> {
  const machine = await bundledMachine('syn-four-off-pos');
  const run = runTheMail(machine, '0001:03:00.0', ['0001:05:00.0', '0001:04:00.0']);
  print('');
  print(
    `where bus and CPU addresses differ: ${machine.source}, mapping device ${run.mapping.name}, bus = CPU ${signed(run.mapping.busOffset)}`,
  );
  run.submitted.forEach(({ vector }, index) => {
    const provider = run.providers[index];
    if (provider === null || provider === undefined || vector.flags === 0) return;
    const isBus = vector.flags === BVEC_MAP_BUS_ADDR;
    const phys = isBus ? vector.address - provider.busOffset : vector.address;
    const call = isBus ? 'pci_p2pmem_alloc_bus_addr' : 'pci_p2pmem_alloc_phys';
    print(
      `${provider.name}  dist ${distanceText(run.submitted[index]?.distance ?? null)}  CPU ${hex(phys)}  bus ${hex(phys + provider.busOffset)}  ${call} gave ${hex(vector.address)}`,
    );
  });
  print(`bytes: ${run.bytesEqual} of ${run.bytesTotal} equal`);
  if (run.bytesEqual !== run.bytesTotal) process.exitCode = 5;
}

/** The same five vectors through the NVMe driver: a scenario file, as `p2pdma run` takes it. */
async function printNvme(cpu: Machine['cpu']): Promise<void> {
  const file = 'examples/the-mail.yaml';
  const read = readScenario(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'), file);
  const named = await scenarioMachine(read, () => bundledMachine('iommu-lazy-switch4-acs-off2', cpu));
  const host = new SimHost({
    machine: named.machine,
    controllers: named.controllers,
    scenario: read.scenario,
    iommu: true,
  });
  const report = await runScenario({ read, named, host });
  print('');
  print(`the same through the NVMe driver and a simulated controller: p2pdma run ${file}`);
  for (const transfer of report.transfers) {
    const cases = transfer.vectors.map((vector) => `(${vector.case})`).join(' ');
    print(
      `${transfer.name}: ${cases}; ${transfer.commands} commands; bytes: ${transfer.bytesEqual} of ${transfer.bytesTotal} equal`,
    );
    if (!transfer.asExpected) process.exitCode = 5;
  }
}

function signed(offset: number): string {
  return `${offset < 0 ? '-' : '+'} 0x${Math.abs(offset).toString(16)}`;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(HEX_DIGITS, '0')}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
