/**
 * What keeps peer traffic out of a translating IOMMU, the safest first: the type of the groups concerned, then all devices of the kernel at
 * the next boot, another slot, no IOMMU at all; last the redirect of root ports, of which nobody can say what the root complex then does.
 */

import { listed, plural } from '../../core/words.ts';
import { iommuModeOf } from '../../machine/machine.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { isolationCost } from '../change/isolation.ts';
import { withChange } from '../change/machine-change.ts';
import { lastValue } from '../command-line/command-line.ts';
import { iommuMaker, mayBeX86, passthroughAsked } from '../command-line/iommu-words.ts';
import type { DoctorContext } from '../context.ts';
import { guestHostEvidence } from '../facts/guest-host.ts';
import { isBelowThunderbolt } from '../facts/thunderbolt.ts';
import type { Fix, MachineChange } from '../finding.ts';
import { BY_HAND } from '../finding.ts';
import { judged, notProved } from '../proof.ts';
import { portsToChange } from './acs-remedy.ts';
import { wordFix } from './boot-fix.ts';
import { GROUPS_MAX, groupTypeFix } from './group-type-fix.ts';
import { isolationCautions, isolationCostWords } from './isolation-words.ts';
import { ACS_CONTROL, SETPCI_LASTS, setpciFix } from './setpci.ts';

/** `translated` are the functions concerned, `roots` the redirecting root ports above them where both ends are below different ones. */
export function iommuFixes(
  context: DoctorContext,
  translated: ReadonlySet<number>,
  roots: readonly PciFunction[],
): Fix[] {
  const functions = [...translated].map((index) => context.functions[index] as PciFunction);
  // What is not trusted stays translated whatever is asked.
  const trusted = functions.filter((fn) => !isBelowThunderbolt(context.machine.hierarchy, fn));
  const isUntrusted = trusted.length < functions.length;
  return [
    ...groupFix(context, trusted),
    ...(isUntrusted ? [] : passthroughFix(context, functions)),
    {
      ...BY_HAND,
      kind: 'move',
      what: 'Put both devices below one switch without ACS redirect: then the IOMMU never sees them',
      cost: 'Re-slot; isolation between the two.',
    },
    ...switchOffFix(context, functions),
    ...rootPortFix(context, roots),
  ];
}

/** A group and its type; null where the capture does not tell. */
interface Group {
  readonly group: number;
  readonly before: string | null;
}

function groupsOf({ machine }: DoctorContext, functions: readonly PciFunction[]): Group[] {
  const numbers = new Set(functions.map(({ iommuGroup }) => iommuGroup).filter((group) => group !== null));
  return [...numbers]
    .sort((a, b) => a - b)
    .map((group) => ({ group, before: machine.iommuGroupTypes.get(group) ?? null }))
    .filter(({ before }) => before !== 'identity');
}

/** `auto` is what the kernel chose at boot. */
const CHOSEN_AT_BOOT = 'auto';

function groupFix(context: DoctorContext, functions: readonly PciFunction[]): Fix[] {
  const groups = groupsOf(context, functions);
  if (groups.length === 0) return [];
  const known = groups.flatMap(({ group, before }) => (before === null ? [] : [{ group, before, after: 'identity' }]));
  const change = known.length === groups.length ? ({ kind: 'groupType', groups: known } as const) : null;
  const more = groups.length > GROUPS_MAX ? ' The other groups likewise.' : '';
  return [
    {
      ...groupTypeFix(
        context.machine,
        groups.map(({ group, before }) => ({ group, before: before ?? CHOSEN_AT_BOOT, after: 'identity' })),
      ),
      what: `Let the devices of ${plural(groups.length, 'group')} pass untranslated now: unbind their drivers, set the type of the group, bind them again`,
      cost: `A faulty device of these groups can reach all memory; their drivers stop meanwhile. Gone at the next boot.${more}`,
      ...tried(context, functions, change),
    },
  ];
}

function passthroughFix(context: DoctorContext, functions: readonly PciFunction[]): Fix[] {
  const { machine, commandLine } = context;
  // Where the word is there already and did nothing, BAD-CMDLINE says so.
  if (commandLine !== null && passthroughAsked(machine, commandLine) === true) return [];
  const word = wordFix(machine, mayBeX86(machine) ? 'iommu=pt' : 'iommu.passthrough=1');
  if (word === null) return [];
  const { lines, change } = word;
  const beside = needsIntelWord(context) ? [{ where: 'beside it, where it is not there', line: 'intel_iommu=on' }] : [];
  return [
    {
      what: 'Let all devices of the kernel pass untranslated, from the next boot',
      ...lines,
      settings: [...lines.settings, ...beside],
      cost: 'A faulty device can reach all memory. Virtual machines keep their isolation. Devices on Thunderbolt and machines that encrypt memory stay translated.',
      ...tried(context, functions, change),
    },
  ];
}

/** Distributions differ in whether Intel's IOMMU is on by itself. */
function needsIntelWord({ machine, commandLine }: DoctorContext): boolean {
  const asked = commandLine === null ? null : lastValue(commandLine, 'intel_iommu');
  return iommuMaker(machine, commandLine) === 'intel' && !asked?.split(',').includes('on');
}

function switchOffFix(context: DoctorContext, functions: readonly PciFunction[]): Fix[] {
  const { machine } = context;
  if (!mayBeX86(machine)) return [];
  const maker = iommuMaker(machine, context.commandLine);
  // Without the maker's name the word is heard by either.
  const off = wordFix(machine, maker === null ? 'iommu=off' : `${maker}_iommu=off`);
  if (off === null) return [];
  const host = guestHostEvidence(machine);
  const caution = `Isolation: ${host}, so this machine may give devices to virtual machines; without an IOMMU it can give none.`;
  return [
    {
      ...off.lines,
      what: 'Switch the IOMMU off, as the last resort',
      cautions: host === null ? [] : [caution],
      cost: 'No isolation at all, no device for virtual machines. With more than 255 CPUs it cannot be off: interrupts need it. Not using the IOMMU does not by itself make peer-to-peer work.',
      ...tried(context, functions, off.change),
    },
  ];
}

/** Clearing Request Redirect permits a direct way between root ports; whether the root complex then takes it is its own matter. */
function rootPortFix({ machine }: DoctorContext, roots: readonly PciFunction[]): Fix[] {
  if (roots.length === 0) return [];
  const { ports } = portsToChange(machine, roots);
  if (ports.length === 0) return [];
  const isolation = isolationCost(machine, ports);
  return [
    {
      ...BY_HAND,
      ...setpciFix(ACS_CONTROL, ports),
      what: `After one of the above, if peers are still slow or fail, clear the redirect bits of the root ports ${listed(ports.map(({ at }) => at.name))}: it permits a direct way, and what the root complex then does is its own matter`,
      proof: notProved('rootComplex'),
      cautions: isolationCautions(machine, isolation),
      cost: `${isolationCostWords(isolation)} ${SETPCI_LASTS}`,
    },
  ];
}

/** The change on a copy and how many of the functions are still translated there; neither where the types of the groups are not known. */
function tried(
  context: DoctorContext,
  functions: readonly PciFunction[],
  change: MachineChange | null,
): Pick<Fix, 'change' | 'proof'> {
  const { machine } = context;
  if (change === null || !functions.some((fn) => iommuModeOf(machine, fn) === 'on'))
    return { change: null, proof: notProved('groupTypeUnknown') };
  const changed = withChange(machine, change);
  const still = functions.filter((fn) => {
    const there = changed.hierarchy.at(fn.bdf);
    return there !== undefined && iommuModeOf(changed, there) === 'on';
  });
  const count = groupsOf(context, functions).length;
  const proof = judged({ kind: 'groups', count, type: 'identity' }, { kind: 'translated', functions: still.length });
  return { change, proof };
}
