/** `p2pdma whose`: what each address that was asked for, or that a fault names, is on a machine. */

import { RangeTable } from '../../dma/range-table.ts';
import { type AddressOwner, addressOwner, busAddressOwner, type FindBar } from '../../doctor/facts/address-owner.ts';
import type { FaultLine } from '../../evidence/kernel/log/fault-line.ts';
import type { Machine } from '../../machine/machine.ts';
import { p2pdmaDistance } from '../../p2p/distance.ts';
import { JudgeContext } from '../../p2p/judge.ts';
import type { Policy } from '../../p2p/policy.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import type { Use } from './words.ts';

/** One address, or one fault, that was asked for. */
export interface AskedAddress {
  /** Null for an interrupt that was refused, and for an address of 2^53 or more. */
  readonly address: number | null;
  readonly by: PciFunction | null;
  readonly fault: FaultLine | null;
  /** Line of the input, from 1 on; null where the address was named. */
  readonly line: number | null;
  /** Lines of the input that say the same. */
  readonly times: number;
}

/** `owner` is null for an interrupt that was refused. */
export type WhoseAnswer = AskedAddress & Use & { readonly owner: AddressOwner | null };

/** Answers one address after the other. */
export function whoseAnswers(machine: Machine, policy: Policy): (asked: AskedAddress) => WhoseAnswer {
  const judge = new JudgeContext(machine, policy);
  const table = RangeTable.ofMachine(machine);
  const findBar: FindBar = (address) => {
    const index = table.find(address);
    if (index < 0 || table.at(index).kind !== 'bar') return null;
    const { provider, bar } = table.at(index);
    return { fn: machine.hierarchy.functions[provider] as PciFunction, bar };
  };
  return (asked) => {
    const { address, by, fault } = asked;
    if (fault?.what === 'interrupt') return { ...asked, owner: null, road: null, asBus: null };
    // An address of 2^53 or more is beyond all memory.
    if (address === null) return { ...asked, owner: { kind: 'nothing' }, road: null, asBus: null };
    const owner = addressOwner(machine, address, findBar, by);
    const asBus = busAddressOwner(machine, address, by);
    const isOther = asBus !== null && !(owner.kind === 'bar' && owner.fn === asBus.fn && owner.bar === asBus.bar);
    const road = owner.kind === 'bar' && by !== null ? p2pdmaDistance(owner.fn, by, judge) : null;
    return { ...asked, owner, road, asBus: isOther ? asBus : null };
  };
}
