/**
 * What the text around a listing tells of the machine, where it is beyond doubt: the kernel's own banner, `uname -a`,
 * /proc/cpuinfo, lscpu, /proc/iomem and the command line. Nothing is guessed: sources that contradict each other tell nothing.
 */

import { NIBBLE } from '../../core/hex.ts';
import { latin1 } from '../../core/text.ts';
import type { Cpu, IomemEntry } from '../machine.ts';
import { parseIomem } from '../proc.ts';

/** As much of a line as is looked at: command lines are long, lines of binary noise are longer. */
const LINE_MAX = 4096;

const BANNER = /\bLinux version (\d+\.\d+\S*) /;
const UNAME = /^Linux \S+ (\d+\.\d+\S*) #\d+/;
const VENDOR = /^(?:vendor_id|Vendor ID)\s*:\s*([A-Za-z]+)$/;
const FAMILY = /^(?:cpu family|CPU family)\s*:\s*(\d+)$/;
const IOMEM = /^ *[0-9a-f]+-[0-9a-f]+ : \S/i;
const COMMAND_LINE = /\b(?:Kernel c|C)ommand line: (\S.*)$/;

export class Asides {
  readonly #kernels = new Set<string>();
  readonly #vendors = new Set<string>();
  readonly #families = new Set<number>();
  readonly #cmdlines = new Set<string>();
  readonly #iomem: string[] = [];

  /** Looks at a line that is not lspci's; true where it told something. */
  line(bytes: Uint8Array, start: number, end: number): boolean {
    const text = latin1(bytes, start, Math.min(end, start + LINE_MAX));
    const kernel = (BANNER.exec(text) ?? UNAME.exec(text))?.[1];
    if (kernel !== undefined) return add(this.#kernels, kernel);
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

  /** Kernel release, or null where none or more than one is named. */
  get kernel(): string | null {
    return only(this.#kernels);
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
