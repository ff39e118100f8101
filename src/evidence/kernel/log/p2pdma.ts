/** What Linux says of pairs and providers itself: drivers/pci/p2pdma.c. */

import { hexNumber, type LogSubject, NAME, rangeOf, sentences } from './log-reader.ts';

/** Ports of a proposed option: `0000:30:00.0;0000:2e:00.0`, and device paths. */
const PORT = /(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7](?:\/[0-9a-f]{2}\.[0-7]){0,32}/gi;

export const p2pdmaSubject: LogSubject = sentences(
  ['ACS redirect', 'peer-to-peer DMA', 'P2PDMA', 'disable_acs_redir=', 'p2pmem'],
  [
    {
      pattern: new RegExp(`\\b${NAME}: ACS redirect is set between the client and provider \\(${NAME}\\)`),
      says: ([, client, provider]) => pair('acsRedirect', client, provider),
    },
    {
      pattern: new RegExp(`\\b${NAME}: cannot be used for peer-to-peer DMA as the client and provider \\(${NAME}\\)`),
      says: ([, client, provider]) => pair('refused', client, provider),
    },
    {
      pattern: new RegExp(`\\b${NAME}: to disable ACS redirect for this path.{0,80}?disable_acs_redir=(\\S{1,2000})`),
      says: ([, client, option]) => {
        const ports = (option as string).match(PORT) ?? [];
        return ports.length === 0 ? null : { what: 'redirectOption', client: client as string, ports };
      },
    },
    {
      pattern: new RegExp(`\\b${NAME}: cannot be used for peer-to-peer DMA as it is not a PCI device`),
      says: ([, client]) => ({ what: 'notPci', client: client as string }),
    },
    {
      pattern: new RegExp(`\\b${NAME}: Host bridge not in P2PDMA whitelist: ([0-9a-f]{4}:[0-9a-f]{4})`),
      says: ([, at, hostBridge]) => ({ what: 'notListed', at: at as string, hostBridge: hostBridge as string }),
    },
    {
      pattern: new RegExp(`\\b${NAME}: added peer-to-peer DMA memory(?: (0x[0-9a-f]+)-(0x[0-9a-f]+))?`),
      says: ([, at, first, last]) => ({ what: 'provided', at: at as string, range: rangeOf(first, last) }),
    },
    {
      pattern:
        /^([\w.-]{1,48}(?: [0-9a-f:.]{7,16})?): .{0,60}?P2PDMA.{0,40}?\baddr(?:ess)?:? ?=? ?(0x[0-9a-f]{4,16})\b/i,
      says: ([, by, digits]) => {
        const address = hexNumber(digits);
        return address === null ? null : { what: 'peerAddress', by: by as string, address };
      },
    },
  ],
);

function pair(what: 'acsRedirect' | 'refused', client: string | undefined, provider: string | undefined) {
  return { what, client: client as string, provider: provider as string } as const;
}
