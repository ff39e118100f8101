/**
 * What the text around a listing tells of the machine, where it is beyond doubt: the kernel's own banner, `uname -a`,
 * /proc/cpuinfo, lscpu, /proc/iomem, the command line, lines of the kernel's log and of its configuration, DMA masks as `grep .` prints
 * them. Nothing is guessed: sources that contradict each other tell nothing.
 */

import { NIBBLE } from '../../../core/hex.ts';
import { latin1 } from '../../../core/text.ts';
import { isLogLine, LOG_LINES_MAX, type LogLine, tellingMessage } from '../../../evidence/kernel/log/telling.ts';
import { bdfKey, parseBdf } from '../../../pcie/bdf.ts';
import { type HostEvidence, NO_HOST_EVIDENCE, type Setting } from '../../host-evidence.ts';
import { KERNEL_SYMBOLS } from '../../kernel-config.ts';
import type { Cpu, IomemEntry } from '../../machine.ts';
import { parseIomem } from '../../proc.ts';

/** As much of a line as is looked at: command lines are long, lines of binary noise are longer. */
const LINE_MAX = 4096;

const BANNER = /\bLinux version (\d+\.\d+\S*) /;
const UNAME = /^Linux \S+ (\d+\.\d+\S*) #\d+/;
/** The machine stands after the date, once or three times over. */
const UNAME_MACHINE = / (\w+)(?: unknown){0,2} (?:GNU\/)?Linux$/;
const LSCPU_MACHINE = /^Architecture:\s+(\w+)$/;
const VENDOR = /^(?:vendor_id|Vendor ID)\s*:\s*([A-Za-z]+)$/;
const FAMILY = /^(?:cpu family|CPU family)\s*:\s*(\d+)$/;
const IOMEM = /^ *[0-9a-f]+-[0-9a-f]+ : \S/i;
const COMMAND_LINE = /\b(?:Kernel c|C)ommand line: (\S.*)$/;
const CONFIG = /^(?:\S+:)?(?:CONFIG_(\w+)=([ymn]|\d+)|# CONFIG_(\w+) is not set)$/;
const DMA_MASK = /^\/sys\/bus\/pci\/devices\/([0-9a-f:.]+)\/dma_mask_bits:(\d+)$/i;

export class Asides {
  readonly #kernels = new Set<string>();
  readonly #machines = new Set<string>();
  readonly #vendors = new Set<string>();
  readonly #families = new Set<number>();
  readonly #cmdlines = new Set<string>();
  readonly #iomem: string[] = [];
  readonly #config = new Map<string, Setting>();
  readonly #log: LogLine[] = [];
  readonly #masks = new Map<number, Setting>();

  /** Looks at a line that is not lspci's; true where it told something. `number` counts lines from 1. */
  line(bytes: Uint8Array, start: number, end: number, number: number): boolean {
    const text = latin1(bytes, start, Math.min(end, start + LINE_MAX));
    if (this.#ofKernel(text, number)) return true;
    const uname = UNAME.exec(text)?.[1];
    const machine = (uname === undefined ? LSCPU_MACHINE : UNAME_MACHINE).exec(text)?.[1];
    if (machine !== undefined) this.#machines.add(machine);
    const kernel = BANNER.exec(text)?.[1] ?? uname;
    if (kernel !== undefined) return add(this.#kernels, kernel);
    if (machine !== undefined) return true;
    const vendor = VENDOR.exec(text)?.[1];
    if (vendor !== undefined) return add(this.#vendors, vendor);
    const family = FAMILY.exec(text)?.[1];
    if (family !== undefined) return add(this.#families, Number.parseInt(family, 10));
    const cmdline = COMMAND_LINE.exec(text)?.[1];
    if (cmdline !== undefined) return add(this.#cmdlines, cmdline);
    return false;
  }

  /** Takes a line of /proc/iomem; false where it is none. */
  iomemLine(bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    while (bytes[at] === 0x20) at++;
    const first = at;
    while (at < end && (NIBBLE[bytes[at] as number] as number) < 16) at++;
    if (at - first < 8 || at - first > 16 || bytes[at] !== 0x2d) return false;
    const text = latin1(bytes, start, Math.min(end, start + 256));
    if (!IOMEM.test(text)) return false;
    this.#iomem.push(text);
    return true;
  }

  /** A line of the log, of the configuration, or a DMA mask. */
  #ofKernel(text: string, line: number): boolean {
    const first = text.charAt(0);
    const message = first === '[' || text.includes(' kernel: ') ? tellingMessage(text) : null;
    if (message !== null && isLogLine(text)) {
      if (this.#log.length < LOG_LINES_MAX) this.#log.push({ text: message, file: '', line });
      // The boot banner and the command line are told by the lines themselves, below.
      return true;
    }
    if (text.includes('CONFIG_')) {
      const config = CONFIG.exec(text);
      const symbol = config?.[1] ?? config?.[3];
      if (symbol === undefined) return false;
      if (KERNEL_SYMBOLS.includes(symbol)) this.#config.set(symbol, { value: config?.[2] ?? 'n', file: '', line });
      return true;
    }
    const mask = first === '/' ? DMA_MASK.exec(text) : null;
    const bdf = mask === null ? null : parseBdf(mask[1] as string);
    if (mask === null || bdf === null) return false;
    this.#masks.set(bdfKey(bdf), { value: mask[2] as string, file: '', line });
    return true;
  }

  /** What the kernel said beside PCI; undefined where the text holds nothing of it. `file` is what the lines count in. */
  hostEvidence(file: string): HostEvidence | undefined {
    if (this.#config.size + this.#log.length + this.#masks.size === 0) return undefined;
    const named = ([key, setting]: readonly [string, Setting]): [string, Setting] => [key, { ...setting, file }];
    return {
      ...NO_HOST_EVIDENCE,
      kernelConfig:
        this.#config.size === 0 ? null : { file, release: null, options: new Map([...this.#config].map(named)) },
      kernelLog: this.#log.length === 0 ? null : this.#log.map((line) => ({ ...line, file })),
      dmaMaskBits: new Map([...this.#masks].map(([key, setting]) => [key, { ...setting, file }])),
    };
  }

  /** Kernel release, or null where none or more than one is named. */
  get kernel(): string | null {
    return only(this.#kernels);
  }

  /** The machine field of `uname -a`, or lscpu's architecture; null where none or more than one is named. */
  get architecture(): string | null {
    return only(this.#machines);
  }

  get cpu(): Cpu | null {
    const vendor = only(this.#vendors);
    return vendor === null ? null : { vendor, family: only(this.#families) };
  }

  get cmdline(): string | null {
    return only(this.#cmdlines);
  }

  /** The memory map; empty where the text holds none. */
  get iomem(): IomemEntry[] {
    return parseIomem(this.#iomem.join('\n'));
  }
}

function add<T>(set: Set<T>, value: T): true {
  set.add(value);
  return true;
}

function only<T>(set: ReadonlySet<T>): T | null {
  const [value] = set;
  return set.size === 1 && value !== undefined ? value : null;
}
