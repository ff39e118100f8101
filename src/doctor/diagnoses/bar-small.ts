/**
 * A GPU or accelerator whose BAR shows a part of its memory only, or whose BAR found no room. Firmware places what fits below the
 * bridge windows that it has set up; above 4 GiB only where it is told to.
 */

import { hex } from '../../core/hex.ts';
import { listed, sizeWords } from '../../core/words.ts';
import { hypervisorOf } from '../../machine/infer/hypervisor.ts';
import { kernelKnows } from '../../machine/kernel-release.ts';
import type { Machine } from '../../machine/machine.ts';
import type { Role } from '../../machine/roles.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import type { DoctorContext } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { lostBars } from '../facts/closed-gate.ts';
import { factEvidence } from '../facts/evidence.ts';
import { type ResizableBar, resizableBars } from '../facts/resizable-bar.ts';
import { ROLE_WORDS } from '../facts/roles.ts';
import type { Evidence, Finding, Fix } from '../finding.ts';
import { BY_HAND, NOTHING } from '../finding.ts';
import { notProved } from '../proof.ts';
import { reallocFixes } from '../remedy/realloc-fix.ts';
import { resizeLines } from '../remedy/sysfs.ts';
import { severityOf } from '../severity.ts';

export const BAR_SMALL: Diagnosis = {
  id: 'BAR-SMALL',
  aliases: ['NO-WINDOW'],
  meaning: 'a BAR shows only a part of the device’s memory, or found no room',
  symptom: 'nvidia-smi shows a BAR1 of 256 MiB; "BAR 1: can’t assign; no space"',
  needs: 'BAR sizes, the Resizable BAR capability (4096 bytes of configuration space), bridge windows',
  diagnose,
};

/** Graphics cards come up with this much where nobody resizes. */
const CLASSIC = 256 * 2 ** 20;
/** A BAR that cannot be placed matters from here on. */
const LARGE = 16 * 2 ** 20;

function diagnose(context: DoctorContext): Finding[] {
  const findings: Finding[] = [];
  const classic: PciFunction[] = [];
  for (const [index, role] of context.roles.entries()) {
    if (role !== 'gpu' && role !== 'accelerator' && role !== 'memory') continue;
    const fn = context.functions[index] as PciFunction;
    // What had a place and lost it found room: DEVICE-LOST.
    if (lostBars(fn).length > 0) continue;
    const unplaced = fn.bars.find(
      (bar) => bar.space === 'memory' && bar.busAddress === null && (bar.size ?? 0) >= LARGE,
    );
    if (unplaced !== undefined) {
      findings.push(unplacedFinding(context, fn, role, { index: unplaced.index, size: unplaced.size as number }));
      continue;
    }
    const small = resizableBars(fn)?.find((bar) => bar.size < bar.maxSize);
    if (small !== undefined) findings.push(smallFinding(context, fn, role, small));
    else if (resizableBars(fn) === null && role === 'gpu' && largestBar(fn) === CLASSIC) classic.push(fn);
  }
  const [first] = classic;
  return first === undefined ? findings : [...findings, openFinding(classic, first)];
}

function largestBar(fn: PciFunction): number {
  return Math.max(0, ...fn.bars.map((bar) => (bar.space === 'memory' ? (bar.size ?? 0) : 0)));
}

function unplacedFinding(
  context: DoctorContext,
  fn: PciFunction,
  role: Role,
  bar: { readonly index: number; readonly size: number },
): Finding {
  return {
    ...NOTHING,
    id: 'BAR-SMALL',
    severity: severityOf('BAR-SMALL', 'unplaced', context, [context.machine.hierarchy.indexOf(fn.bdf)]),
    sure: 'certain',
    title: `BAR${bar.index} of the ${ROLE_WORDS[role]} at ${fn.name}, ${sizeWords(bar.size)}, has no address: firmware and kernel found no room`,
    at: [fn.name],
    functions: [fn.name],
    evidence: [
      barEvidence(fn, bar.index, 'not assigned', `${sizeWords(bar.size)} wanted`),
      ...windowEvidence(context, fn),
    ],
    why: 'Without an address there is no memory that a peer could reach, and mostly no driver either.',
    fixes: firmwareFixes(context, fn),
  };
}

function smallFinding(context: DoctorContext, fn: PciFunction, role: Role, bar: ResizableBar): Finding {
  const windows = windowEvidence(context, fn);
  return {
    ...NOTHING,
    id: 'BAR-SMALL',
    severity: severityOf('BAR-SMALL', 'part', context),
    sure: 'certain',
    title: `BAR${bar.bar} of the ${ROLE_WORDS[role]} at ${fn.name} shows ${sizeWords(bar.size)} of up to ${sizeWords(bar.maxSize)}: peers reach that part only`,
    at: [fn.name],
    functions: [fn.name],
    evidence: [
      factEvidence(fn, 'identity', {
        register: `Resizable BAR Control (BAR${bar.bar})`,
        offset: bar.register,
        value: hex(bar.control, 8),
        meaning: `${sizeWords(bar.size)} now, ${sizeWords(bar.maxSize)} at most`,
      }),
      ...windows,
    ],
    why: `A peer can only reach what the BAR shows. The prefetchable windows of all bridges above must hold ${sizeWords(bar.maxSize)} on its natural boundary before the BAR can grow.`,
    fixes: [...resizeFix(context, fn, bar), ...firmwareFixes(context, fn)],
  };
}

/** Of one card alone, now: the kernel resizes the windows above where nothing else stands in them. */
function resizeFix(context: DoctorContext, fn: PciFunction, bar: ResizableBar): Fix[] {
  if (kernelKnows(context.machine.kernel, 'resizeFile') === false || roomOf(context).inGuest) return [];
  return [
    {
      ...BY_HAND,
      ...resizeLines(fn, bar.bar, { before: bar.size, after: bar.maxSize }),
      what: `Let the kernel make BAR${bar.bar} ${sizeWords(bar.maxSize)} large now, while no driver holds the card`,
      cost: 'The driver of the card stops meanwhile. Where the windows above cannot grow, the kernel says "No space left" and nothing changes. Gone at the next boot.',
      proof: notProved('bridgeWindows'),
    },
  ];
}

/** What holds for all cards of a machine. */
interface Room {
  /** Firmware places memory above 4 GiB already: a BAR or a window stands there. */
  readonly isAbove4G: boolean;
  readonly inGuest: boolean;
}

/** Machines that were looked through: one with thousands of cards has one answer for all of them. */
const ROOMS = new WeakMap<Machine, Room>();

function roomOf({ machine }: DoctorContext): Room {
  const known = ROOMS.get(machine);
  if (known !== undefined) return known;
  const isAbove4G = machine.hierarchy.functions.some(
    (fn) =>
      (fn.prefetchableWindow?.start ?? 0) >= 2 ** 32 ||
      fn.bars.some((bar) => bar.space === 'memory' && (bar.busAddress ?? 0) >= 2 ** 32),
  );
  const room = { isAbove4G, inGuest: hypervisorOf(machine) !== null };
  ROOMS.set(machine, room);
  return room;
}

const VENDOR_NVIDIA = 0x10de;

function firmwareFixes(context: DoctorContext, fn: PciFunction): Fix[] {
  const isOn = roomOf(context).isAbove4G;
  const selector: Fix = {
    ...BY_HAND,
    kind: 'firmware',
    what: 'If it is one of NVIDIA’s cards for workstations, switch its display outputs off with NVIDIA’s Display Mode Selector: the card then shows all of its memory',
    cost: 'No picture from this card. A reboot.',
    takeBack: 'switch them on again with the same tool',
    reboot: true,
  };
  const isPicture = fn.vendorId === VENDOR_NVIDIA && fn.classCode === 0x0300;
  return [
    isOn ? SETUP_ABOVE_4G : SETUP,
    ...reallocFixes(context.machine, 'Where the firmware has no such setting, let the kernel place everything anew'),
    NEWER_FIRMWARE,
    ...(isPicture ? [selector] : []),
  ];
}

const SETUP: Fix = {
  ...BY_HAND,
  kind: 'firmware',
  what: 'In the firmware setup, switch on "Above 4G decoding", then "Resizable BAR" (some call it "Smart Access Memory"); leave CSM off',
  cost: 'A reboot. Very old systems and option ROMs do not start.',
  takeBack: 'the old settings',
  reboot: true,
  proof: notProved('firmwareSettings'),
};

const SETUP_ABOVE_4G: Fix = {
  ...SETUP,
  what: 'In the firmware setup, switch on "Resizable BAR" (some call it "Smart Access Memory"); leave CSM off. "Above 4G decoding" is on: BARs stand there already',
};

const NEWER_FIRMWARE: Fix = {
  ...BY_HAND,
  kind: 'firmware',
  what: 'Update the card’s own firmware: some cards learned to resize with an update. In a guest, look at the host instead',
  cost: 'The risk of any firmware update.',
};

function openFinding(gpus: readonly PciFunction[], first: PciFunction): Finding {
  const names = gpus.map((fn) => fn.name);
  return {
    ...NOTHING,
    id: 'BAR-SMALL',
    severity: severityOf('BAR-SMALL', 'open'),
    sure: 'open',
    title: `${names.length === 1 ? 'The GPU' : 'The GPUs'} at ${listed(names)} ${names.length === 1 ? 'shows' : 'show'} 256 MiB; whether more could be shown is not in this capture`,
    at: names,
    functions: names,
    evidence: gpus
      .slice(0, 8)
      .flatMap((fn) =>
        fn.bars
          .filter((bar) => bar.size === CLASSIC)
          .map((bar) => barEvidence(fn, bar.index, sizeWords(CLASSIC), 'the classic size')),
      ),
    why: 'A peer can only reach what the BAR shows.',
    missing: {
      what: 'the Resizable BAR capability is not in the capture',
      command: `sudo lspci -vv -s ${first.name} | grep -A3 Resizable`,
    },
  };
}

function barEvidence(fn: PciFunction, index: number, value: string, meaning: string): Evidence {
  return factEvidence(fn, 'bars', { register: `BAR${index}`, offset: 0x10 + 4 * index, value, meaning });
}

function windowEvidence(context: DoctorContext, fn: PciFunction): Evidence[] {
  const { hierarchy } = context.machine;
  const evidence: Evidence[] = [];
  for (const at of hierarchy.chainOf(hierarchy.indexOf(fn.bdf)).slice(1)) {
    const bridge = context.functions[at] as PciFunction;
    const window = bridge.prefetchableWindow;
    if (window === undefined) continue;
    const value = window === null ? 'closed' : `${hex(window.start)}-${hex(window.end - 1)}`;
    const meaning = window === null ? 'holds nothing' : `holds ${sizeWords(window.end - window.start)}`;
    evidence.push(
      factEvidence(bridge, 'windows', { register: 'Prefetchable Memory Base and Limit', offset: 0x24, value, meaning }),
    );
  }
  return evidence;
}
