/** A change of ACS tried on a copy of the part of the machine that the pairs stand in, and judged again there. */

import type { Machine } from '../../machine/machine.ts';
import { judgePair } from '../../p2p/distance.ts';
import { JudgeContext } from '../../p2p/judge.ts';
import type { Policy } from '../../p2p/policy.ts';
import type { MapType, PairVerdict } from '../../p2p/verdict.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { relevantPart, withAcsControls } from '../change/changed-machine.ts';
import { acsOptionsDoubt } from '../command-line/acs-parameter.ts';
import type { MachineChange } from '../finding.ts';
import { controlsOf, type PortChange } from '../port-change.ts';
import { judged, type Proof } from '../proof.ts';

/** The machine, and whose rules judge it: a judge's context and a doctor's are both one. */
export interface Patient {
  readonly machine: Machine;
  readonly policy: Policy;
}

/** Two functions of the machine whose path is to be opened. */
export interface RemedyPair {
  readonly provider: PciFunction;
  readonly client: PciFunction;
}

/** All changes of ACS Control in a change. */
export function portsOf(change: MachineChange): readonly PortChange[] {
  if (change.kind === 'acs') return change.ports;
  return change.kind === 'boot' ? change.changes.flatMap(portsOf) : [];
}

/** Verdicts on some pairs once a change is made. One machine is asked about several changes, of which most leave the same registers. */
export class Trial {
  readonly #patient: Patient;
  readonly #pairs: readonly RemedyPair[];
  readonly #part: Machine;
  readonly #known = new Map<string, readonly PairVerdict[]>();

  constructor(patient: Patient, pairs: readonly RemedyPair[]) {
    const { hierarchy } = patient.machine;
    const functions = new Set(pairs.flatMap(({ provider, client }) => [provider, client]));
    this.#patient = patient;
    this.#pairs = pairs;
    this.#part = relevantPart(
      patient.machine,
      [...functions].map((fn) => hierarchy.indexOf(fn.bdf)),
    );
  }

  /** The verdicts, in the order of the pairs. */
  verdicts(change: MachineChange): readonly PairVerdict[] {
    const controls = controlsOf(portsOf(change));
    const key = JSON.stringify([...controls].sort((a, b) => a[0] - b[0]));
    let verdicts = this.#known.get(key);
    if (verdicts === undefined) {
      // A port that was changed is another function there: pairs are found by their addresses.
      const machine = withAcsControls(this.#part, controls);
      const { hierarchy } = machine;
      const judge = new JudgeContext(machine, this.#patient.policy);
      verdicts = this.#pairs.map(({ provider, client }) =>
        judgePair(judge, hierarchy.indexOf(provider.bdf), hierarchy.indexOf(client.bdf)),
      );
      this.#known.set(key, verdicts);
    }
    return verdicts;
  }

  /** `busAddr` where all of the pairs are; else what the first of the others is. */
  worst(change: MachineChange): MapType {
    return this.verdicts(change).find(({ type }) => type !== 'busAddr')?.type ?? 'busAddr';
  }

  /** The proof of a parameter: what it leaves in the registers, and what the pairs are then. */
  proofOfWord(change: MachineChange): Proof {
    const { kernel } = this.#patient.machine;
    const registers = portsOf(change).length;
    if (registers === 0) return { kind: 'notProved', because: 'noRegister', kernel };
    const shows = { kind: 'pair', type: this.worst(change) } as const;
    return judged({ kind: 'commandLine', registers }, shows, acsOptionsDoubt(kernel));
  }
}
