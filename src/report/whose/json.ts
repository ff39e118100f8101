/** `p2pdma whose --json`. */

import { hex } from '../../core/hex.ts';
import type { AddressOwner } from '../../doctor/facts/address-owner.ts';
import type { FaultLine } from '../../evidence/kernel/log/fault-line.ts';
import type { Machine } from '../../machine/machine.ts';
import { type MailCase, type MapType, mailCase } from '../../p2p/verdict.ts';
import type { WhoseAnswer } from './answer.ts';

/** What an address is. `start` and `end` are hex, the end inclusive; sizes and offsets are bytes. */
export type OwnerDocument =
  | { readonly kind: 'ram'; readonly start: string; readonly end: string }
  | {
      readonly kind: 'bar';
      readonly function: string;
      readonly bar: number;
      readonly offset: number;
      readonly size: number | null;
      readonly space: 'phys' | 'bus';
      readonly decoding: boolean | null;
      readonly alsoClaimedBy?: readonly { readonly function: string; readonly bar: number }[];
    }
  | {
      readonly kind: 'window';
      readonly bridge: string;
      readonly prefetchable: boolean;
      readonly start: string;
      readonly end: string;
    }
  | { readonly kind: 'aperture'; readonly name: string; readonly start: string; readonly end: string }
  | { readonly kind: 'reserved'; readonly name: string }
  | { readonly kind: 'iova'; readonly why: string }
  | { readonly kind: 'nothing' | 'unknown' };

/** By which road the user of an address reaches it: as a pair of `p2pdma matrix --json`. */
export interface RoadDocument {
  readonly type: MapType;
  readonly case: MailCase;
  readonly distance: number | null;
}

/** A fault that was read from the input. */
export type FaultDocument = Pick<FaultLine, 'iommu' | 'what' | 'access' | 'reason'> & {
  readonly line: number | null;
  readonly times: number;
};

export type AnswerDocument = (OwnerDocument | { readonly kind: 'interrupt' }) & {
  readonly address: string | null;
  readonly by: string | null;
  readonly fault?: FaultDocument;
  readonly road?: RoadDocument | null;
  readonly asBusAddress?: OwnerDocument;
};

export interface WhoseDocument {
  readonly schemaVersion: 1;
  readonly command: 'whose';
  readonly machine: { readonly source: string; readonly functions: number; readonly ramKnown: boolean };
  readonly addresses: readonly AnswerDocument[];
}

export function whoseDocument(machine: Machine, answers: readonly WhoseAnswer[]): WhoseDocument {
  return {
    schemaVersion: 1,
    command: 'whose',
    machine: {
      source: machine.source,
      functions: machine.hierarchy.functions.length,
      ramKnown: machine.ram.length > 0,
    },
    addresses: answers.map(answerDocument),
  };
}

function answerDocument(answer: WhoseAnswer): AnswerDocument {
  const { address, by, fault, owner, asBus } = answer;
  return {
    address: address === null ? null : hex(address),
    by: by?.name ?? fault?.by ?? null,
    ...(fault === null ? {} : { fault: faultDocument(fault, answer) }),
    ...(owner === null ? { kind: 'interrupt' } : ownerDocument(owner)),
    ...(owner?.kind === 'bar' && by !== null ? { road: roadDocument(owner, answer) } : {}),
    ...(asBus === null ? {} : { asBusAddress: ownerDocument(asBus) }),
  };
}

function faultDocument({ iommu, what, access, reason }: FaultLine, { line, times }: WhoseAnswer): FaultDocument {
  return { iommu, what, access, reason, line, times };
}

function ownerDocument(owner: AddressOwner): OwnerDocument {
  switch (owner.kind) {
    case 'ram':
      return { kind: 'ram', start: hex(owner.range.start), end: hex(owner.range.end - 1) };
    case 'bar':
      return {
        kind: 'bar',
        function: owner.fn.name,
        bar: owner.bar,
        offset: owner.offset,
        size: owner.size,
        space: owner.space,
        decoding: owner.decoding,
        ...(owner.others.length === 0
          ? {}
          : { alsoClaimedBy: owner.others.map(({ fn, bar }) => ({ function: fn.name, bar })) }),
      };
    case 'window':
      return {
        kind: 'window',
        bridge: owner.bridge.name,
        prefetchable: owner.prefetchable,
        start: hex(owner.window.start),
        end: hex(owner.window.end - 1),
      };
    case 'aperture':
      return { kind: 'aperture', name: owner.name, start: hex(owner.range.start), end: hex(owner.range.end - 1) };
    case 'reserved':
      return { kind: 'reserved', name: owner.name };
    case 'iova':
      return { kind: 'iova', why: owner.why };
    case 'nothing':
    case 'unknown':
      return { kind: owner.kind };
  }
}

function roadDocument(owner: AddressOwner, { by, road }: WhoseAnswer): RoadDocument | null {
  if (road === null || owner.kind !== 'bar') return null;
  return { type: road.type, case: mailCase(road.type, owner.fn === by), distance: road.distance };
}
