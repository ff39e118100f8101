/**
 * Advanced Error Reporting: an event takes three to eight lines, which old and new releases word differently. What counts is the bits.
 * Linux drivers/pci/pcie/aer.c, dpc.c; drivers/firmware/efi/cper.c.
 *
 *   pcieport 0000:00:1c.4: PCIe Bus Error: severity=Uncorrected (Fatal), type=Transaction Layer, id=00e4(Receiver ID)
 *   pcieport 0000:00:1c.4:   device [8086:a114] error status/mask=00040000/00000000
 *   pcieport 0000:00:1c.4:    [18] Malformed TLP          (First)
 *   pcieport 0000:00:1c.4:   TLP Header: 6c000002 06000000 0000000f b76e6008
 */

import { type AerError, aerError, aerErrorsOf } from '../../../pcie/aer-errors.ts';
import { decodeTlpHeader, type TlpHeader } from '../../../pcie/tlp-header.ts';
import type { ErrorSays } from './items.ts';
import {
  hexNumber,
  type LogMessage,
  type LogReader,
  type LogSubject,
  NAME,
  type Said,
  type Sentence,
} from './log-reader.ts';

interface Event {
  readonly at: string;
  readonly message: LogMessage;
  severity: 'fatal' | 'nonFatal' | 'corrected' | null;
  layer: string | null;
  agent: string | null;
  /** Bits that are set and not masked, of the status register and of lines of their own. */
  status: number;
  firstBit: number | null;
  header: TlpHeader | null;
  /** Whether more than "an error was received" is known of it. */
  isTold: boolean;
}

const HEAD = new RegExp(
  `\\b${NAME}:.{0,16}?PCIe Bus Error: severity=(\\w+)(?: \\(([\\w-]+)\\))?(?:, type=([\\w ]{1,40}))?(?:, (?:id=[0-9a-f]{4})?\\((\\w+) ID\\))?`,
);
const STATUS = new RegExp(`\\b${NAME}:.{0,40}?error status/mask=(?:0x)?([0-9a-f]{8})/(?:0x)?([0-9a-f]{8})`);
const FIRMWARE = new RegExp(
  `\\b${NAME}: (?:AER: )?aer_(?:(un)?cor_)?status: 0x([0-9a-f]{8})(?:, aer_mask: 0x([0-9a-f]{8}))?`,
);
const BIT = new RegExp(`\\b${NAME}:\\s{1,8}(?:AER:\\s{1,8})?\\[ ?(\\d{1,2})\\] [A-Z]\\w.{0,60}`);
const HEADER = new RegExp(`\\b${NAME}:.{0,16}?TLP Header:((?: (?:0x)?[0-9a-f]{8}){4})`);
const RECEIVED = new RegExp(`\\b${NAME}: AER: (?:Multiple )?(\\w+)(?: \\(([\\w-]+)\\))? error (?:message )?received`);

const ALONE: readonly Sentence[] = [
  {
    pattern: new RegExp(`\\b${NAME}: AER: [Dd]evice recovery (successful|failed)`),
    says: ([, at, how]) => ({ what: 'aerRecovery', at: at as string, succeeded: how === 'successful' }),
  },
  {
    pattern: new RegExp(
      `\\b${NAME}:.{0,8}? ?DPC: containment event, status:(0x[0-9a-f]{1,8})(?:,? source:(0x[0-9a-f]{1,8}))?`,
    ),
    says: ([, at, status, source]) => ({
      what: 'dpc',
      at: at as string,
      status: hexNumber(status) ?? 0,
      source: hexNumber(source),
    }),
  },
  {
    pattern: new RegExp(
      `\\b${NAME}: (?:Unable to change power state from \\S{1,12} to D0, device inaccessible|can.t change power state from \\S{1,12} to D0 \\(config space inaccessible\\)|device is disconnected)`,
    ),
    says: ([, at]) => ({ what: 'lost', at: at as string }),
  },
];

/** Events that are kept open: one a function, and no more functions than may err at once. */
const OPEN_MAX = 64;

export const aerSubject: LogSubject = {
  words: [
    'AER: ',
    'PCIe Bus Error',
    'error status/mask=',
    'TLP Header:',
    'aer_status:',
    'cor_status:',
    'DPC: containment',
    '(First)',
    'device inaccessible',
    'config space inaccessible',
    ...Array.from({ length: 27 }, (_, bit) => `[${bit < 10 ? ' ' : ''}${bit}] `),
  ],
  start: () => new AerReader(),
};

class AerReader implements LogReader {
  readonly #said: Said[] = [];
  readonly #open = new Map<string, Event>();

  take(message: LogMessage): boolean {
    const { text } = message;
    if (!text.includes(':')) return false;
    return this.#head(message) || this.#detail(message) || this.#alone(message);
  }

  finish(): readonly Said[] {
    for (const at of [...this.#open.keys()]) this.#close(at);
    return this.#said;
  }

  #head(message: LogMessage): boolean {
    const head = HEAD.exec(message.text);
    const received = head === null ? RECEIVED.exec(message.text) : null;
    const [, at, degree, kind, layer, agent] = head ?? received ?? [];
    if (at === undefined) return false;
    const known = this.#open.get(at);
    const severity = severityOf(degree as string, kind);
    // The port says that an error came, and then, as the one that saw it, which.
    if (head !== null && known !== undefined && !known.isTold) {
      Object.assign(known, { severity, layer: textOrNull(layer), agent: agent ?? null, isTold: true });
      return true;
    }
    this.#close(at);
    this.#start(at, message, { severity, layer: textOrNull(layer), agent: agent ?? null, isTold: head !== null });
    return true;
  }

  #detail(message: LogMessage): boolean {
    const { text } = message;
    const status = STATUS.exec(text) ?? null;
    if (status !== null) {
      this.#add(message, status[1], (event) => {
        event.status |= bits(status[2]) & ~bits(status[3]);
      });
      return true;
    }
    const firmware = FIRMWARE.exec(text);
    if (firmware !== null) {
      this.#add(message, firmware[1], (event) => {
        event.status |= bits(firmware[3]) & ~bits(firmware[4]);
        if (firmware[0].includes('_cor_')) event.severity ??= 'corrected';
      });
      return true;
    }
    const header = HEADER.exec(text);
    if (header !== null) {
      const words = (header[2] as string)
        .trim()
        .split(' ')
        .map((word) => hexNumber(word) ?? 0);
      this.#add(message, header[1], (event) => {
        event.header ??= decodeTlpHeader(words);
      });
      return true;
    }
    const bit = BIT.exec(text);
    if (bit === null) return false;
    this.#add(message, bit[1], (event) => {
      const number = Number(bit[2]);
      event.status |= 1 << number;
      if (text.includes('(First)')) event.firstBit ??= number;
    });
    return true;
  }

  #alone(message: LogMessage): boolean {
    for (const { pattern, says } of ALONE) {
      const match = pattern.exec(message.text);
      const meaning = match === null ? null : says(match);
      if (meaning === null) continue;
      this.#said.push({ says: meaning, message });
      return true;
    }
    return false;
  }

  /** Adds a detail to the event of its function; a paste may begin in the middle of one. */
  #add(message: LogMessage, at: string | undefined, change: (event: Event) => void): void {
    const name = at as string;
    const event = this.#open.get(name) ?? this.#start(name, message, { severity: null, layer: null, agent: null });
    event.isTold = true;
    change(event);
  }

  #start(at: string, message: LogMessage, told: Partial<Event>): Event {
    const oldest = this.#open.size < OPEN_MAX ? undefined : this.#open.keys().next().value;
    if (oldest !== undefined) this.#close(oldest);
    const event: Event = {
      at,
      message,
      severity: null,
      layer: null,
      agent: null,
      status: 0,
      firstBit: null,
      header: null,
      isTold: false,
      ...told,
    };
    this.#open.set(at, event);
    return event;
  }

  #close(at: string): void {
    const event = this.#open.get(at);
    if (event === undefined) return;
    this.#open.delete(at);
    this.#said.push({ says: saysOf(event), message: event.message });
  }
}

function saysOf({ at, severity, layer, agent, status, firstBit, header }: Event): ErrorSays {
  const isCorrectable = severity === 'corrected';
  const errors: AerError[] = aerErrorsOf(status, isCorrectable);
  const first = firstBit === null ? null : aerError(firstBit, isCorrectable);
  return { what: 'aer', at, severity, layer, agent, errors, first, header };
}

/** `Corrected`, `Uncorrected (Fatal)`, `Uncorrectable (Non-Fatal)`, and the short words between. */
function severityOf(degree: string, kind: string | undefined): Event['severity'] {
  if (/^correct/i.test(degree)) return 'corrected';
  const word = kind ?? degree;
  if (/^non-?fatal/i.test(word)) return 'nonFatal';
  return /^fatal/i.test(word) ? 'fatal' : null;
}

function textOrNull(text: string | undefined): string | null {
  return text === undefined ? null : text.trim();
}

const bits = (digits: string | undefined): number => (digits === undefined ? 0 : Number.parseInt(digits, 16) | 0);
