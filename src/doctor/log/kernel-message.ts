/**
 * What a line of the kernel's log says about peer-to-peer DMA: the words of Linux drivers/pci/p2pdma.c, pci/setup-res.c and
 * pci/pcie/aer.c, and the faults of IOMMUs.
 */

import { type FaultLine, readFaults } from '../../evidence/kernel/log/fault-line.ts';
import type { LogLine } from '../../evidence/kernel/log/telling.ts';

export type KernelMessage =
  | { readonly kind: 'fault'; readonly fault: FaultLine }
  /** p2pdma found ACS redirect between the two. */
  | { readonly kind: 'acsRedirect'; readonly client: string; readonly provider: string }
  /** p2pdma refused the two: they meet in no bridge, and the host bridge is not on its list. */
  | { readonly kind: 'refused'; readonly client: string; readonly provider: string }
  /** The host bridge that the list lacks, `8086:29c0`. */
  | { readonly kind: 'notListed'; readonly at: string; readonly hostBridge: string }
  /** A driver has offered memory to peers: this kernel has p2pdma. */
  | { readonly kind: 'provided'; readonly at: string }
  /** Advanced Error Reporting: this function saw that error. */
  | { readonly kind: 'aer'; readonly at: string; readonly error: 'ACSViol' | 'MalfTLP' }
  /** A BAR that lies where System RAM is. */
  | { readonly kind: 'ramConflict'; readonly at: string; readonly bar: number | null }
  /** A BAR for which the bridge above has no room; BARs of SR-IOV, ROMs and windows are passed over. */
  | { readonly kind: 'noSpace'; readonly at: string; readonly bar: number }
  /** A BAR that lies outside of what this kernel can add as memory (arm64). */
  | { readonly kind: 'outsideHotplug' };

/** A line and what it says. */
export interface LoggedMessage {
  readonly message: KernelMessage;
  readonly line: LogLine;
}

const NAME = '([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7])';
const TWO = new RegExp(
  `\\b${NAME}: (ACS redirect is set between|cannot be used for peer-to-peer DMA as) the client and provider \\(${NAME}\\)`,
);
const NOT_LISTED = new RegExp(`\\b${NAME}: Host bridge not in P2PDMA whitelist: ([0-9a-f]{4}:[0-9a-f]{4})`);
const PROVIDED = new RegExp(`\\b${NAME}: added peer-to-peer DMA memory`);
const AER = new RegExp(`\\b${NAME}:\\s+(?:AER:\\s+)?\\[ ?\\d+\\] (ACSViol|MalfTLP)\\b`);
const CONFLICT = new RegExp(
  `\\b${NAME}: (?:BAR (\\d+)\\b.*?)?\\[mem [^\\][]*\\]: can.t claim; address conflict with System RAM`,
);
/** Since 6.9 with a name and the range between, before with a number alone. */
const NO_SPACE = new RegExp(
  `\\b${NAME}: BAR ([0-5])(?: |: )(?:\\[mem [^\\][]*\\]: can.t assign; no space|no space for \\[mem)`,
);

/** What a line says; null where it is about something else. Faults may need more than a line: `kernelMessages` reads them. */
export function kernelMessage(text: string): KernelMessage | null {
  const two = TWO.exec(text);
  if (two !== null) {
    const [, client, what, provider] = two as unknown as [string, string, string, string];
    return { kind: what.startsWith('ACS') ? 'acsRedirect' : 'refused', client, provider };
  }
  const notListed = NOT_LISTED.exec(text);
  if (notListed !== null) {
    return { kind: 'notListed', at: notListed[1] as string, hostBridge: notListed[2] as string };
  }
  const provided = PROVIDED.exec(text);
  if (provided !== null) return { kind: 'provided', at: provided[1] as string };
  const aer = AER.exec(text);
  if (aer !== null) return { kind: 'aer', at: aer[1] as string, error: aer[2] as 'ACSViol' | 'MalfTLP' };
  const conflict = CONFLICT.exec(text);
  if (conflict !== null) {
    const bar = conflict[2] === undefined ? null : Number.parseInt(conflict[2], 10);
    return { kind: 'ramConflict', at: conflict[1] as string, bar };
  }
  const space = NO_SPACE.exec(text);
  if (space !== null) return { kind: 'noSpace', at: space[1] as string, bar: Number.parseInt(space[2] as string, 10) };
  if (text.includes('Hotplugged memory exceeds maximum addressable address')) return { kind: 'outsideHotplug' };
  return null;
}

const READ = new WeakMap<readonly LogLine[], readonly LoggedMessage[]>();

/** What all lines say: first of pairs and functions, then the faults, each in order. A log is read once. */
export function kernelMessages(lines: readonly LogLine[]): readonly LoggedMessage[] {
  const known = READ.get(lines);
  if (known !== undefined) return known;
  const messages = lines.flatMap((line): LoggedMessage[] => {
    const message = kernelMessage(line.text);
    return message === null ? [] : [{ message, line }];
  });
  for (const { fault, line } of readFaults(lines.map(({ text }) => text)).faults) {
    messages.push({ message: { kind: 'fault', fault }, line: lines[line - 1] as LogLine });
  }
  READ.set(lines, messages);
  return messages;
}
