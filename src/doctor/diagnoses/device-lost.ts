/**
 * A device that does not answer, or has lost what firmware and kernel set up: BAR registers that say 0, all ones from every register, D3hot, a
 * link without lanes. The tree still shows it, and the verdict on its pairs is as good as ever. PCIe 5.3.1, 6.6.1, 7.5.1.2.1.
 */

import { hex } from '../../core/hex.ts';
import { listed, sizeWords } from '../../core/words.ts';
import { hypervisorOf } from '../../machine/infer/hypervisor.ts';
import { errorStatusOf } from '../../pcie/error-status.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { powerStateOf } from '../../pcie/power-state.ts';
import type { DoctorContext } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { isLinkDown, lostBars } from '../facts/closed-gate.ts';
import { factEvidence, linkEvidence } from '../facts/evidence.ts';
import { ROLE_WORDS } from '../facts/roles.ts';
import type { Evidence, Finding, Fix } from '../finding.ts';
import { BY_HAND, LOOK, NOTHING } from '../finding.ts';
import { awakeLines } from '../remedy/sysfs.ts';
import { severityOf } from '../severity.ts';
import { commandEvidence, driverState, rescanFix, wantedIndices } from './shut-roads.ts';

export const DEVICE_LOST: Diagnosis = {
  id: 'DEVICE-LOST',
  aliases: ['ALL ONES', 'D3'],
  meaning: 'a device does not answer, sleeps, or has lost what was in its registers',
  symptom: 'GPU has fallen off the bus; "Unable to change power state from D3cold"; all reads give ff',
  needs:
    'configuration space of the devices and of the ports above them; the kernel’s resources or lspci’s ranges beside it',
  diagnose,
};

/** Classes of which some are paired: what answers with all ones has no BARs to tell it by. */
const PAIRED_CLASSES: ReadonlySet<number> = new Set([0x03, 0x12, 0x0b]);

function diagnose(context: DoctorContext): Finding[] {
  const wanted = new Set(wantedIndices(context));
  const findings: Finding[] = [];
  const silent: PciFunction[] = [];
  const asleep: PciFunction[] = [];
  /** Ports whose link is down, with the names of those below. */
  const cut = new Map<PciFunction, string[]>();
  for (const [index, fn] of context.functions.entries()) {
    if (fn.poweredDown) {
      if (wanted.has(index) || (context.asked === null && mayBePaired(fn))) silent.push(fn);
      continue;
    }
    if (!wanted.has(index)) continue;
    if (lostBars(fn).length > 0) findings.push(lostFinding(context, fn));
    if (powerStateOf(fn)?.state === 3) asleep.push(fn);
    for (const at of context.machine.hierarchy.chainOf(index).slice(1)) {
      const port = context.functions[at] as PciFunction;
      if (isLinkDown(port)) cut.set(port, [...(cut.get(port) ?? []), fn.name]);
    }
  }
  // A guest's ports are drawn, and need no link.
  if (cut.size > 0 && hypervisorOf(context.machine) === null)
    findings.push(...[...cut].map(([port, names]) => linkFinding(context, port, names)));
  if (silent.length > 0) findings.push(silentFinding(context, silent));
  if (asleep.length > 0) findings.push(asleepFinding(context, asleep));
  return findings;
}

/** What kind of device it was, the kernel or the listing may still tell; where nobody does it may be any. */
function mayBePaired({ classCode }: PciFunction): boolean {
  return classCode === null || classCode === 0x0108 || PAIRED_CLASSES.has(classCode >> 8);
}

function lostFinding(context: DoctorContext, fn: PciFunction): Finding {
  const index = context.machine.hierarchy.indexOf(fn.bdf);
  const role = context.roles[index];
  const bars = lostBars(fn);
  const isMeant = context.asked !== null || context.publishers.has(index);
  const all = bars.map(
    (bar) => `BAR${bar.index} (${bar.size === null ? '' : `${sizeWords(bar.size)} `}at ${hex(bar.cpuAddress ?? 0)})`,
  );
  return {
    ...NOTHING,
    id: 'DEVICE-LOST',
    severity: severityOf('DEVICE-LOST', isMeant ? 'lostMeant' : driverState(fn) === 'none' ? 'lostUndriven' : 'lost'),
    sure: 'certain',
    title: `The ${role ? ROLE_WORDS[role] : 'device'} at ${fn.name} has lost its registers since boot: ${listed(all)} had an address, and the register says 0`,
    at: [fn.name],
    functions: [fn.name],
    evidence: [
      ...bars.map((bar) =>
        factEvidence(fn, 'bars', {
          register: `BAR${bar.index}`,
          offset: 0x10 + 4 * bar.index,
          value: '0x00000000',
          meaning: `the kernel gave it ${hex(bar.cpuAddress ?? 0)}`,
        }),
      ),
      commandEvidence(fn),
      ...errorEvidence(context, fn),
    ],
    why: 'There was room, and the device had its place. A reset that the kernel did not make, a drop of power or of the link puts all registers back to 0: who uses the old address gets an Unsupported Request.',
    fixes: [READ_LOG, { ...RESEAT, what: RISER }, rescanFix([fn.name])],
  };
}

const RISER =
  'Look at riser, cable, slot and power supply: a card that resets while the machine runs mostly loses its link or its power';

const READ_LOG: Fix = {
  ...LOOK,
  what: 'Read what the kernel’s log says of the device: errors of the link, a reset, "fallen off the bus"',
  commands: ['sudo dmesg | grep -iE "AER|Xid|fallen off|link is not ready|reset"'],
};

const RESEAT: Fix = {
  ...BY_HAND,
  kind: 'move',
  what: 'Re-seat the card or its cable, and boot',
  cost: 'Power off.',
};

/** Errors recorded by the device and the ports above: what went before. */
function errorEvidence(context: DoctorContext, fn: PciFunction): Evidence[] {
  const { hierarchy } = context.machine;
  return hierarchy.chainOf(hierarchy.indexOf(fn.bdf)).flatMap((at) => {
    const one = context.functions[at] as PciFunction;
    const status = errorStatusOf(one);
    if (status === null || status.status === 0) return [];
    return [
      factEvidence(one, 'identity', {
        register: 'Uncorrectable Error Status',
        offset: status.register,
        value: hex(status.status, 8),
        meaning: status.errors.length === 0 ? 'errors of the link' : listed(status.errors),
      }),
    ];
  });
}

/** All ones: a card that sleeps without power looks like one that is gone. */
function silentFinding(context: DoctorContext, gone: readonly PciFunction[]): Finding {
  const names = gone.map(({ name }) => name);
  const isOne = names.length === 1;
  return {
    ...NOTHING,
    id: 'DEVICE-LOST',
    severity: severityOf('DEVICE-LOST', 'silent', context, indicesOf(context, gone)),
    sure: 'likely',
    title: `${listed(names)} ${isOne ? 'answers' : 'answer'} with all ones: powered down (D3cold), or fallen off the bus; nothing of ${isOne ? 'it' : 'them'} can be judged`,
    at: names,
    functions: names,
    evidence: gone.slice(0, 8).map((fn) =>
      factEvidence(fn, 'identity', {
        register: 'Vendor and Device ID',
        offset: 0,
        value: '0xffffffff',
        meaning: 'nobody answered',
      }),
    ),
    why: 'A request to it ends as an Unsupported Request or a timeout. A card that Linux has powered down comes back when its driver wakes it; one that is gone does not.',
    fixes: [wakeFix(names), READ_LOG, RESEAT],
  };
}

function asleepFinding(context: DoctorContext, asleep: readonly PciFunction[]): Finding {
  const names = asleep.map(({ name }) => name);
  const isOne = names.length === 1;
  return {
    ...NOTHING,
    id: 'DEVICE-LOST',
    severity: severityOf('DEVICE-LOST', 'asleep', context, indicesOf(context, asleep)),
    sure: 'certain',
    title: `${listed(names)} ${isOne ? 'is' : 'are'} in D3hot: until ${isOne ? 'its driver wakes it, it answers' : 'their drivers wake them, they answer'} no memory request and ${isOne ? 'sends' : 'send'} none`,
    at: names,
    functions: names,
    evidence: asleep.slice(0, 8).flatMap((fn) => {
      const power = powerStateOf(fn);
      if (power === null) return [];
      const value = hex(power.control, 4);
      return [
        factEvidence(fn, 'identity', {
          register: 'Power Management Control',
          offset: power.register,
          value,
          meaning: 'D3hot',
        }),
      ];
    }),
    why: 'A peer’s request does not wake a device. Linux puts idle devices to sleep by itself; that is no fault, and whoever uses the memory must keep the device awake.',
    fixes: [wakeFix(names)],
  };
}

function indicesOf({ machine }: DoctorContext, all: readonly PciFunction[]): number[] {
  return all.map((fn) => machine.hierarchy.indexOf(fn.bdf));
}

function wakeFix(names: readonly string[]): Fix {
  return {
    ...BY_HAND,
    ...awakeLines(names),
    what: `Keep ${listed(names)} awake`,
    cost: 'The power that the device saved. Gone at the next boot.',
  };
}

function linkFinding(context: DoctorContext, port: PciFunction, names: readonly string[]): Finding {
  return {
    ...NOTHING,
    id: 'DEVICE-LOST',
    severity: severityOf('DEVICE-LOST', 'linkDown', context),
    sure: 'likely',
    title: `The link below ${port.name} is down, and ${listed(names)} ${names.length === 1 ? 'stands' : 'stand'} below it`,
    at: [port.name],
    functions: [port.name, ...names].sort(),
    evidence: [linkEvidence(port), ...errorEvidence(context, port)],
    why: 'Nothing passes a link without lanes. Either it went down while the capture was taken, or what the capture says of the devices below is old.',
    fixes: [READ_LOG, { ...RESEAT, what: RISER }],
  };
}
