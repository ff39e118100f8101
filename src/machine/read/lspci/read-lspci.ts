/** Listings of lspci, from `lspci` alone to `lspci -vvvxxxx`, with whatever stands around them. pciutils, lspci(8). */

import { barRegisters } from '../../../pcie/bar.ts';
import { busKey } from '../../../pcie/bdf.ts';
import type { FunctionFacts } from '../../../pcie/function-facts.ts';
import { HEADER_TYPE } from '../../../pcie/registers.ts';
import type { MachineEvidence } from '../../build.ts';
import { NoteList } from '../../note-list.ts';
import { noteCut } from './doubts.ts';
import { groupBlocks } from './group.ts';
import { factsOf } from './merge.ts';
import { scanLspci } from './scan.ts';

/** What a text that may be a listing holds. */
export interface LspciReading {
  /** null where no function is listed. */
  readonly evidence: MachineEvidence | null;
  /** A drawing of `lspci -t` was seen. */
  readonly drawing: boolean;
  /** The first line that holds what lspci prints on several; null where there is none. */
  readonly joinedLine: number | null;
}

/** Reads a listing. Lines that do not fit are notes; throws `MachineError` only where more functions are listed than are read. */
export function readLspci(bytes: Uint8Array, source: string): LspciReading {
  const notes = new NoteList(source);
  const scan = scanLspci(bytes, notes);
  const { drawing, joinedLine } = scan;
  if (scan.blocks.length === 0) return { evidence: null, drawing, joinedLine };
  noteCut(scan.blocks, notes);
  const functions = groupBlocks(bytes, scan.blocks, notes).map((listed) => factsOf(bytes, listed, source, notes));
  // Text that stands for missing registers is decoded now, so that its notes are complete.
  for (const facts of functions) if (facts.config.length === 0) void facts.text;
  const { asides } = scan;
  return {
    evidence: {
      source,
      functions,
      iomem: asides.iomem,
      cpu: asides.cpu,
      architecture: asides.architecture,
      kernel: asides.kernel,
      cmdline: asides.cmdline,
      extendedListed: scan.extendedListed,
      busOffsets: offsetsByDomain(functions),
      host: asides.hostEvidence(source),
      notes: notes.finish(),
    },
    drawing,
    joinedLine,
  };
}

/** As many functions of one domain as are asked before it is taken to have no offset. */
const WITNESSES_MAX = 4;

/**
 * Bus minus CPU address of each domain, where text and registers of one BAR stand side by side: lspci prints what the
 * kernel says, the registers hold what the bus sees (POWER has a host bridge and an offset for each domain).
 */
function offsetsByDomain(functions: readonly FunctionFacts[]): Map<number, number> {
  const offsets = new Map<number, number>();
  const asked = new Map<number, number>();
  for (const facts of functions) {
    const key = busKey(facts.bdf.domain, 0);
    const count = asked.get(key) ?? 0;
    if (offsets.has(key) || count >= WITNESSES_MAX || facts.config.length === 0) continue;
    const offset = observedOffset(facts);
    if (offset !== undefined) asked.set(key, count + 1);
    if (offset !== undefined && offset !== null) offsets.set(key, offset);
  }
  return offsets;
}

/** The offset that a function's own BAR shows; null where its text tells none, undefined where it has no memory BAR. */
function observedOffset(facts: FunctionFacts): number | null | undefined {
  if (((facts.config.u8(HEADER_TYPE) ?? 1) & 0x7f) !== 0) return undefined;
  const registers = barRegisters(facts.config, 6).filter(({ space, value }) => space === 'memory' && value);
  if (registers.length === 0) return undefined;
  const printed = facts.text?.bars ?? [];
  for (const { index, value } of registers) {
    const bar = printed.find((candidate) => candidate.index === index && candidate.space === 'memory');
    if (bar?.cpuAddress && value !== null) return value - bar.cpuAddress;
  }
  return null;
}
