/**
 * An address that was meant to lie in a device's memory and lies in RAM. The memory map shows it where a BAR and RAM share addresses; the
 * kernel's log shows it where an IOMMU refused one. For an address that somebody has, there is `p2pdma whose`.
 */

import { hex } from '../../core/hex.ts';
import { type Range, rangesOverlap } from '../../core/range.ts';
import { listed, plural } from '../../core/words.ts';
import { iommuModeOf } from '../../machine/machine.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import type { DoctorContext } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { factEvidence } from '../facts/evidence.ts';
import { functionNamed, type Logged, logEvidence, loggedOf } from '../facts/log-evidence.ts';
import type { Evidence, Finding } from '../finding.ts';
import { BY_HAND, NOTHING } from '../finding.ts';
import { faultRequester } from '../log/fault-requester.ts';
import { reallocFixes } from '../remedy/realloc-fix.ts';
import { severityOf } from '../severity.ts';

export const WRONG_MEMORY: Diagnosis = {
  id: 'WRONG-MEMORY',
  aliases: [],
  meaning: 'an address lies in system memory, not in the BAR that it was meant for',
  symptom: 'data arrives somewhere else; counters of the peer stay at zero',
  needs:
    'memory map and BARs; fault lines of dmesg. For one address: p2pdma whose MACHINE ADDRESS, or fault lines on its standard input',
  diagnose,
};

function diagnose(context: DoctorContext): Finding[] {
  return [...overlapFindings(context), ...faultFindings(context)];
}

interface Overlap {
  readonly fn: PciFunction;
  readonly bar: number;
  readonly place: Range;
  readonly ram: Range;
}

/** BARs that answer where RAM is. */
function overlapFindings(context: DoctorContext): Finding[] {
  const { machine, functions, roles } = context;
  const overlaps: Overlap[] = [];
  for (const fn of functions) {
    // A BAR that does not decode answers nowhere: firmware leaves old values in it.
    if (fn.command === null || (fn.command & 2) === 0) continue;
    for (const { index, space, cpuAddress, size } of fn.bars) {
      if (space !== 'memory' || cpuAddress === null || cpuAddress === 0 || size === null) continue;
      const place = { start: cpuAddress as number, end: cpuAddress + size };
      const ram = machine.ram.find((range) => rangesOverlap(range, place));
      if (ram !== undefined) overlaps.push({ fn, bar: index, place, ram });
    }
  }
  const conflicts = loggedOf(machine, 'ramConflict');
  const names = [...new Set([...overlaps.map(({ fn }) => fn.name), ...conflicts.map(({ message }) => message.at)])];
  if (names.length === 0) return [];
  const isWanted = functions.some((fn, index) => roles[index] !== null && names.includes(fn.name));
  return [
    {
      ...NOTHING,
      id: 'WRONG-MEMORY',
      severity: severityOf('WRONG-MEMORY', isWanted ? 'overlapWanted' : 'overlap'),
      // The kernel moves a BAR that it could not claim; only the registers tell that it still lies there.
      sure: overlaps.length > 0 ? 'certain' : 'likely',
      title: `Addresses of ${listed(names)} are RAM at the same time: what a peer sends there lands in system memory`,
      at: names,
      functions: names,
      evidence: [
        ...overlaps.slice(0, 8).flatMap(overlapEvidence(context)),
        ...conflicts.slice(0, 8).map(conflictEvidence),
      ],
      why: 'Two owners answer one address. On the way up the host bridge takes it for RAM; below a switch the device answers. The processor itself sees the RAM only, and data of the two gets mixed without an error.',
      fixes: [
        ...reallocFixes(machine, 'Let the kernel place the BARs again'),
        {
          ...BY_HAND,
          what: 'Take memmap=, mem= and efi_fake_mem= off the command line, if they are on it, and update the firmware: the memory map is its',
          cost: 'A reboot.',
          takeBack: 'the old firmware',
          reboot: true,
        },
      ],
    },
  ];
}

function overlapEvidence({ machine }: DoctorContext): (overlap: Overlap) => Evidence[] {
  return ({ fn, bar, place, ram }) => {
    const entry = machine.iomem.find((item) => item.name.startsWith('System RAM') && rangesOverlap(item, place));
    const at = `${hex(ram.start)}-${hex(ram.end - 1)}`;
    return [
      factEvidence(fn, 'bars', {
        register: `BAR${bar}`,
        offset: 0x10 + 4 * bar,
        value: `${hex(place.start)}-${hex(place.end - 1)}`,
        meaning: 'decodes there',
      }),
      {
        at: null,
        register: 'memory map',
        offset: null,
        value: at,
        meaning: entry?.name ?? 'System RAM',
        source: 'proc/iomem',
        line: null,
      },
    ];
  };
}

function conflictEvidence({ message, line }: Logged<'ramConflict'>): Evidence {
  return logEvidence(line, message.at, 'the kernel could not claim it, as RAM is there');
}

/** Requests that an IOMMU refused, aimed at what is RAM. */
function faultFindings({ machine, roles, functions }: DoctorContext): Finding[] {
  const byName = new Map<string, Logged<'fault'>[]>();
  let unmapped: Logged<'fault'> | undefined;
  for (const logged of loggedOf(machine, 'fault')) {
    const { address, what } = logged.message.fault;
    const fn = faultRequester(machine.hierarchy, logged.message.fault);
    if (fn === null || address === null || what !== 'memory') continue;
    if (machine.ram.length === 0) unmapped ??= logged;
    if (!machine.ram.some((range) => address >= range.start && address < range.end)) continue;
    byName.set(fn.name, [...(byName.get(fn.name) ?? []), logged]);
  }
  const isWanted = (name: string): boolean => functions.some((fn, index) => fn.name === name && roles[index] !== null);
  const findings = [...byName]
    .filter(([name]) => isWanted(name))
    .map(([name, faults]) => faultFinding(machine, name, faults));
  const by = unmapped === undefined ? null : faultRequester(machine.hierarchy, unmapped.message.fault);
  if (unmapped === undefined || by === null || !isWanted(by.name)) return findings;
  return [...findings, unknownFinding(by.name, unmapped)];
}

function faultFinding(machine: DoctorContext['machine'], name: string, faults: readonly Logged<'fault'>[]): Finding {
  const fn = functionNamed(machine, name) as PciFunction;
  const mode = iommuModeOf(machine, fn);
  const group = fn.iommuGroup;
  const type = group === null ? undefined : machine.iommuGroupTypes.get(group);
  return {
    ...NOTHING,
    id: 'WRONG-MEMORY',
    severity: severityOf('WRONG-MEMORY', 'fault'),
    // The same number may be an I/O virtual address whose mapping is gone.
    sure: 'likely',
    title: `${name} aimed ${plural(faults.length, 'request')} at addresses that are RAM and that its IOMMU does not know: it was given physical addresses, or used a mapping after its end`,
    at: [name],
    functions: [name],
    evidence: [
      ...faults
        .slice(0, 4)
        .map(({ message: { fault }, line }) =>
          logEvidence(line, name, `${fault.access ?? 'access'} of ${hex(fault.address as number)}, which is RAM`),
        ),
      ...(type === undefined
        ? []
        : [
            factEvidence(fn, 'iommuGroup', {
              register: `type of IOMMU group ${group}`,
              value: type,
              meaning: mode === 'on' ? 'its addresses are translated' : 'not translated now',
            }),
          ]),
    ],
    why: 'Had the IOMMU been off or passing, the request would have reached that RAM. A driver that computes addresses itself, in place of asking the DMA API, does this; so does one that unmaps too early.',
    fixes: [
      {
        ...BY_HAND,
        kind: 'look',
        what: 'Ask for each address which mapping it was meant for, and map what was meant; the IOMMU stays on meanwhile, since it holds the damage off',
        commands: ['sudo dmesg | p2pdma whose'],
        cost: 'None.',
      },
    ],
  };
}

function unknownFinding(name: string, { line }: Logged<'fault'>): Finding {
  return {
    ...NOTHING,
    id: 'WRONG-MEMORY',
    severity: severityOf('WRONG-MEMORY', 'open'),
    sure: 'open',
    title: `${name} used an address that its IOMMU does not know; whether that is RAM is not in this capture`,
    functions: [name],
    evidence: [logEvidence(line, name, 'no memory map to look it up in')],
    why: 'An address in RAM points to a driver that handed out physical addresses, one in a BAR to raw addresses of a peer.',
    missing: { what: 'the memory map', command: 'sudo cat /proc/iomem' },
  };
}
