/** What a diagnosis says: the problem and its place, the evidence, why it matters, what to do, what that costs, how sure. */

import type { PciFunction } from '../pcie/pci-function.ts';
import type { PortChange } from './port-change.ts';
import { notProved, type Proof } from './proof.ts';

/** All diagnoses, worst symptoms first. */
export type DiagnosisId =
  | 'ACS-REDIR-SWITCH'
  | 'HB-NOT-LISTED'
  | 'HB-SPLIT'
  | 'IOMMU-TRANSLATED'
  | 'FALSE-GRANT'
  | 'NOT-DECODING'
  | 'DEVICE-LOST'
  | 'BAR-SMALL'
  | 'ADDR-MASK'
  | 'KCONFIG-MISSING'
  | 'NO-PROVIDER'
  | 'BAD-CMDLINE'
  | 'CROSS-SOCKET'
  | 'LINK-DEGRADED'
  | 'MPS'
  | 'VM-TOPOLOGY'
  | 'GDS-COMPAT'
  | 'WRONG-MEMORY'
  | 'HIDDEN-LINK'
  | 'VMD-DOMAIN'
  | 'GROUP-LIE'
  | 'PARTIAL-LISTING'
  | 'PCIE-ERRORS'
  | 'ATOMICS'
  | 'DRIVER-REFUSES'
  | 'MAPPING-REFUSED'
  | 'P2P-NOT-USED'
  | 'PEER-SLOW';

/**
 * `error`: something that was asked for, or that the machine is plainly built for, does not work. `warning`: it works worse
 * than the hardware can, or fails for some drivers. `note`: worth knowing; nothing need be done.
 */
export type Severity = 'error' | 'warning' | 'note';

/** `certain`: the registers say so. `likely`: they fit, and something that no capture shows decides. `open`: evidence is missing. */
export type Certainty = 'certain' | 'likely' | 'open';

/** One fact that a finding rests on. */
export interface Evidence {
  /** Full name of the function; null where the fact is about the whole machine. */
  readonly at: string | null;
  /** Name of the register, attribute or file: `ACS Control`, `iommu group type`. */
  readonly register: string;
  /** Offset in the configuration space; null where it is no register or only text tells. */
  readonly offset: number | null;
  /** As it stands there: `0x001d`. */
  readonly value: string;
  /** What the value means. */
  readonly meaning: string;
  /** The file that it was read from; null where that is not known. */
  readonly source: string | null;
  /** 1-based; null where it is not known, and where the file has one line only. */
  readonly line: number | null;
}

/** A change that can be made on a copy of the machine, to prove a fix. */
export type MachineChange =
  | { readonly kind: 'acs'; readonly ports: readonly PortChange[] }
  | {
      readonly kind: 'groupType';
      /** Type of each IOMMU group, now and then. */
      readonly groups: readonly { readonly group: number; readonly before: string; readonly after: string }[];
    }
  | {
      readonly kind: 'maxPayload';
      /** Max_Payload_Size in bytes, now and then. */
      readonly functions: readonly { readonly at: PciFunction; readonly before: number; readonly after: number }[];
    }
  | {
      /** 16-bit words of configuration space. */
      readonly kind: 'registers';
      readonly words: readonly {
        readonly at: PciFunction;
        readonly offset: number;
        readonly before: number;
        readonly after: number;
      }[];
    }
  | {
      readonly kind: 'iommu';
      /** Types of the groups, and which function is in which, while it is on. */
      readonly types: readonly (readonly [group: number, type: string])[];
      readonly members: readonly { readonly at: PciFunction; readonly group: number }[];
      readonly before: 'on' | 'off';
      readonly after: 'on' | 'off';
    }
  | {
      /** A boot with another command line, and what it leaves in the registers; the lines are null where the capture has none. */
      readonly kind: 'boot';
      readonly before: string | null;
      readonly after: string | null;
      readonly changes: readonly MachineChange[];
    };

/** How a fix is made. */
export type FixKind =
  /** A word of the kernel's command line, from the next boot. */
  | 'kernelParameter'
  /** Registers of the running machine, written with setpci. */
  | 'setpci'
  /** The type of IOMMU groups, while their drivers are unbound. */
  | 'groupType'
  /** Another attribute of sysfs: a BAR's size, power, drivers, remove and rescan. */
  | 'sysfs'
  /** Options of a module, in /etc/modprobe.d. */
  | 'module'
  /** A kernel built with other options. */
  | 'kernelConfig'
  /** Another release of the kernel. */
  | 'kernelRelease'
  /** A setting of the firmware, or another firmware. */
  | 'firmware'
  /** Another slot, cable or riser. */
  | 'move'
  /** Another way of using what is there: other pairs, other settings of a program. */
  | 'use'
  /** Nothing is changed: it finds out more. */
  | 'look'
  | 'byHand';

export interface Fix {
  readonly kind: FixKind;
  /** What to do, one sentence. */
  readonly what: string;
  /** What is to be read before anything is done: isolation that somebody may rely on. */
  readonly cautions?: readonly string[];
  /** Lines for files, each with its place (`in /etc/default/grub`), to be written before the commands are run. */
  readonly settings?: readonly { readonly where: string; readonly line: string }[];
  /** Commands for a shell, to be copied as they are; none where it is done by hand. */
  readonly commands: readonly string[];
  /** What it costs. */
  readonly cost: string;
  /** Commands for a shell that take it back. */
  readonly undo: readonly string[];
  /** How to take it back where no command does it alone, in words. */
  readonly takeBack?: string;
  /** Whether it takes effect at the next boot only. */
  readonly reboot: boolean;
  /** The same on a copy of the machine; null where no capture can show it. */
  readonly change: MachineChange | null;
  readonly proof: Proof;
}

export interface Missing {
  readonly what: string;
  /** The one command that tells. */
  readonly command: string;
}

export interface Finding {
  readonly id: DiagnosisId;
  readonly severity: Severity;
  readonly sure: Certainty;
  /** The problem and its place in plain words, one sentence. */
  readonly title: string;
  /** Full names of the functions that the problem sits in, sorted. */
  readonly at: readonly string[];
  /** Full names of all functions concerned, sorted. */
  readonly functions: readonly string[];
  /** How many ordered pairs are concerned, and one of them. */
  readonly pairs: { readonly count: number; readonly provider: string; readonly client: string } | null;
  readonly evidence: readonly Evidence[];
  readonly why: string;
  /** In order of least damage. */
  readonly fixes: readonly Fix[];
  readonly missing: Missing | null;
}

/** The parts of a finding that most leave empty. */
export const NOTHING: Pick<Finding, 'at' | 'functions' | 'pairs' | 'evidence' | 'fixes' | 'missing'> = {
  at: [],
  functions: [],
  pairs: null,
  evidence: [],
  fixes: [],
  missing: null,
};

/** Whether a fix was judged on a copy of the machine. */
export function isProved({ proof }: Pick<Fix, 'proof'>): boolean {
  return (proof.kind === 'run' ? proof.of : proof).kind === 'judged';
}

/** The parts of a fix that advice by hand leaves empty. */
export const BY_HAND: Pick<Fix, 'kind' | 'commands' | 'undo' | 'reboot' | 'change' | 'proof'> = {
  kind: 'byHand',
  commands: [],
  undo: [],
  reboot: false,
  change: null,
  proof: notProved('byHand'),
};

/** The parts of a fix that only finds out more. */
export const LOOK: Pick<Fix, 'kind' | 'commands' | 'undo' | 'reboot' | 'change' | 'proof' | 'cost'> = {
  ...BY_HAND,
  kind: 'look',
  cost: 'None: it only looks.',
  proof: notProved('onlyLooks'),
};

/** Worst first; for sorting and for `--fail-on`. */
export const SEVERITIES: readonly Severity[] = ['error', 'warning', 'note'];
