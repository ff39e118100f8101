/**
 * Peer traffic through the host bridge meets a translating IOMMU. Drivers that map with the kernel's DMA API are served; those that hand
 * raw BAR addresses to a peer fault. Linux: type of each group in /sys/kernel/iommu_groups; "DMA" and "DMA-FQ" translate.
 */

import { listed, plural } from '../../core/words.ts';
import { type IommuMode, iommuModeOf } from '../../machine/machine.ts';
import { redirects } from '../../pcie/acs.ts';

import type { PciFunction } from '../../pcie/pci-function.ts';
import { withChange } from '../change/machine-change.ts';
import { bootChange, lineWith } from '../change/parameter-change.ts';
import { iommuMaker, isIommuOff, passthroughAsked } from '../command-line/iommu-words.ts';
import { isX86 } from '../command-line/is-x86.ts';
import { type DoctorContext, namesOf, pairsOf } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { acsEvidence, factEvidence, machineEvidence } from '../facts/evidence.ts';
import { groupTypeLines } from '../facts/group-type.ts';
import { defaultMode } from '../facts/iommu-default.ts';
import type { PairCase } from '../facts/pair-cases.ts';
import type { Evidence, Finding, Fix, MachineChange } from '../finding.ts';
import { BY_HAND, NOTHING } from '../finding.ts';
import { judged, type Proof } from '../proof.ts';
import { bootLines } from '../remedy/boot-fix.ts';
import { severityOf } from '../severity.ts';

export const IOMMU_TRANSLATED: Diagnosis = {
  id: 'IOMMU-TRANSLATED',
  aliases: [],
  meaning: 'the IOMMU translates peer traffic that some drivers send with raw BAR addresses',
  symptom: 'AllReduce hangs, IO_PAGE_FAULT or DMAR faults, tensors full of zeros',
  needs: 'IOMMU group of each function and its type, ACS Control of the root ports',
  diagnose,
};

function diagnose(context: DoctorContext): Finding[] {
  const through = context.cases.filter((item) => item.type === 'thruHostBridge');
  if (through.length === 0) return [];
  const functions = new Set(through.flatMap((item) => [...item.functions]));
  const translated = new Set<number>();
  let unknown = false;
  for (const index of functions) {
    const mode = modeOf(context, context.functions[index] as PciFunction);
    if (mode === 'on') translated.add(index);
    if (mode === null) unknown = true;
  }
  const first = through[0] as PairCase;
  const pairs = pairsOf(
    context,
    first,
    through.reduce((sum, item) => sum + item.pairs, 0),
  );
  if (translated.size > 0) return [findingOf(context, translated, pairs)];
  return unknown ? [unknownFinding(context, functions, pairs)] : [];
}

/** By the group's type; the command line and the kernel's defaults tell where the groups are not in the capture. */
function modeOf({ machine, commandLine }: DoctorContext, fn: PciFunction): IommuMode | null {
  const mode = iommuModeOf(machine, fn);
  if (mode !== null) return mode;
  if (commandLine === null) return defaultMode(machine, null);
  if (passthroughAsked(machine, commandLine) === true) return 'passthrough';
  if (isIommuOff(machine, commandLine)) return 'off';
  return defaultMode(machine, commandLine);
}

function findingOf(context: DoctorContext, translated: ReadonlySet<number>, pairs: Finding['pairs']): Finding {
  const names = namesOf(context, translated);
  const groups = groupsOf(context, translated);
  const roots = rootPortsOf(context, translated);
  const typeEvidence = [...translated].slice(0, 16).map((index): Evidence => {
    const fn = context.functions[index] as PciFunction;
    const group = fn.iommuGroup;
    const type = group === null ? undefined : context.machine.iommuGroupTypes.get(group);
    return factEvidence(fn, 'iommuGroup', {
      register: `type of IOMMU group ${group ?? '?'}`,
      value: type ?? 'not known',
      meaning: 'addresses of this function are translated',
    });
  });
  return {
    ...NOTHING,
    id: 'IOMMU-TRANSLATED',
    severity: severityOf('IOMMU-TRANSLATED', 'translated', context, translated),
    sure: 'likely',
    title: `The IOMMU translates what ${listed(names)} send to each other through the host bridge: drivers that use raw BAR addresses (CUDA, RCCL, VFIO guests) hang or fault`,
    at: names,
    functions: names,
    pairs,
    evidence: [...typeEvidence, ...roots.map(acsEvidence)],
    why: `Traffic by bus address inside a switch never meets the IOMMU; through the host bridge it does. In-kernel users of the DMA API get an address that is mapped. A peer that is handed the raw BAR address is not in the tables: its writes are dropped, its reads return ones or fault.`,
    fixes: fixesOf(context, groups),
  };
}

interface GroupChange {
  readonly group: number;
  readonly before: string;
  readonly after: string;
}

function groupsOf({ machine, functions }: DoctorContext, translated: ReadonlySet<number>): GroupChange[] {
  const groups = new Map<number, string>();
  for (const index of translated) {
    const group = (functions[index] as PciFunction).iommuGroup;
    const type = group === null ? undefined : machine.iommuGroupTypes.get(group);
    if (group !== null && type !== undefined) groups.set(group, type);
  }
  return [...groups].sort((a, b) => a[0] - b[0]).map(([group, before]) => ({ group, before, after: 'identity' }));
}

/** The root ports above that redirect: they send all of it to the IOMMU. */
function rootPortsOf(context: DoctorContext, translated: ReadonlySet<number>): PciFunction[] {
  const { hierarchy } = context.machine;
  const tops = new Set([...translated].map((index) => hierarchy.chainOf(index).at(-1) as number));
  return [...tops]
    .sort((a, b) => a - b)
    .map((index) => context.functions[index] as PciFunction)
    .filter((fn) => fn.portType === 'rootPort' && redirects(fn) === true);
}

function fixesOf(context: DoctorContext, groups: readonly GroupChange[]): Fix[] {
  const { machine } = context;
  const change = { kind: 'groupType', groups } as const;
  const vendor = machine.cpu?.vendor ?? 'GenuineIntel';
  const onX86 = isX86(vendor);
  const pass = onX86 ? 'iommu=pt' : 'iommu.passthrough=1';
  const maker = iommuMaker(machine, context.commandLine);
  // Without the maker's name the word is heard by either.
  const off = maker === null ? 'iommu=off' : `${maker}_iommu=off`;
  const passed = bootChange(machine, lineWith(machine, pass));
  const switchedOff = bootChange(machine, lineWith(machine, off));
  const byBoot: Fix = {
    what: 'Let the kernel’s own devices pass untranslated',
    ...bootLines(pass),
    cost: 'A faulty device can reach all memory. Virtual machines keep their isolation.',
    change: passed,
    proof: proofOf(context, groups, passed),
  };
  // Where the word is there already and did nothing, BAD-CMDLINE says so.
  const isThere = context.commandLine !== null && passthroughAsked(machine, context.commandLine) === true;
  return [
    ...(isThere ? [] : [byBoot]),
    {
      kind: 'groupType',
      what: `Only for ${plural(groups.length, 'group')}: unbind the drivers of the group, set its type, bind them again`,
      commands: groups.slice(0, 8).flatMap(({ group }) => groupTypeLines(context, group, 'identity')),
      cost: 'The same for the devices of these groups alone; their drivers stop meanwhile. Gone at the next boot.',
      undo: groups.slice(0, 8).flatMap(({ group, before }) => groupTypeLines(context, group, before)),
      reboot: false,
      change,
      proof: proofOf(context, groups, change),
    },
    {
      ...BY_HAND,
      kind: 'move',
      what: 'Put both devices below one switch without ACS redirect: then the IOMMU never sees them',
      cost: 'Re-slot; isolation between the two.',
    },
    ...(onX86
      ? [
          {
            what: 'Switch the IOMMU off, as the last resort',
            ...bootLines(off),
            cost: 'No isolation at all, no device for virtual machines; not using the IOMMU does not by itself make peer-to-peer work.',
            change: switchedOff,
            proof: proofOf(context, groups, switchedOff),
          },
        ]
      : []),
  ];
}

function proofOf(context: DoctorContext, groups: readonly GroupChange[], change: MachineChange): Proof {
  const changed = withChange(context.machine, change);
  const wanted = new Set(groups.map(({ group }) => group));
  const still = context.functions.filter((fn) => {
    if (fn.iommuGroup === null || !wanted.has(fn.iommuGroup)) return false;
    const there = changed.hierarchy.at(fn.bdf);
    return there !== undefined && iommuModeOf(changed, there) === 'on';
  });
  return judged(
    { kind: 'groups', count: groups.length, type: 'identity' },
    { kind: 'translated', functions: still.length },
  );
}

function unknownFinding(context: DoctorContext, functions: ReadonlySet<number>, pairs: Finding['pairs']): Finding {
  const names = namesOf(context, functions);
  return {
    ...NOTHING,
    id: 'IOMMU-TRANSLATED',
    severity: severityOf('IOMMU-TRANSLATED', 'open'),
    sure: 'open',
    title: `Whether the IOMMU translates what ${listed(names)} send through the host bridge is not in this capture`,
    functions: names,
    pairs,
    evidence:
      context.commandLine === null
        ? []
        : [machineEvidence(context.machine, 'kernel command line', context.commandLine.text, 'does not settle it')],
    why: 'Through the host bridge, a translating IOMMU breaks drivers that use raw BAR addresses.',
    missing: {
      what: 'the type of the IOMMU groups is not in the capture',
      command: 'grep . /sys/kernel/iommu_groups/*/type   # or capture the whole: sudo p2pdma capture -o host.tar.gz',
    },
  };
}
