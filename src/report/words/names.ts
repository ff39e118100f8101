/**
 * Names of vendors, devices and classes: from the system's pci.ids where there is one, from the dump's own text otherwise,
 * else as numbers. pci.ids is the list that pciutils reads; its format is described at its head.
 */

import { hexDigits } from '../../core/hex.ts';
import { latin1, utf8Of } from '../../core/text.ts';
import { classNameOf } from '../../machine/read/class-names.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';

export interface Names {
  /** `Non-Volatile memory controller`, or `class 0108`. */
  readonly classOf: (fn: PciFunction) => string;
  /** `Samsung Electronics Co Ltd NVMe SSD Controller PM173X`, or `[144d:a824]`. */
  readonly deviceOf: (fn: PciFunction) => string;
}

/** Names from the bytes of a pci.ids file (UTF-8), or without one. */
export function namesFrom(pciIds: Uint8Array | null): Names {
  const ids = pciIds === null ? null : new PciIds(pciIds);
  return {
    classOf: (fn) => {
      const code = fn.classCode;
      const known = code === null ? undefined : ids?.className(code);
      if (code === null) return fn.facts.text?.className ?? 'class not known';
      return known ?? fn.facts.text?.className ?? classNameOf(code) ?? `class ${hexDigits(code, 4)}`;
    },
    deviceOf: (fn) => {
      const { vendorId, deviceId } = fn;
      const text = fn.facts.text?.deviceName;
      if (vendorId !== null && deviceId !== null) {
        const vendor = ids?.vendor(vendorId);
        const device = ids?.device(vendorId, deviceId);
        if (vendor !== undefined && device !== undefined) return `${vendor} ${device}`;
        // A newer list made the dump's names, or an older one, which prints the number.
        if (text !== undefined && !/\bdevice [0-9a-f]{4}$/i.test(text)) return text;
        if (vendor !== undefined) return `${vendor} device ${hexDigits(deviceId, 4)}`;
      }
      if (text !== undefined) return text;
      return vendorId === null || deviceId === null ? 'device not known' : idsText(fn);
    },
  };
}

/** `Non-Volatile memory controller: Samsung Electronics Co Ltd PM173X [144d:a824]`; no number twice. */
export function fullName(fn: PciFunction, names: Names): string {
  const device = names.deviceOf(fn);
  const ids = idsText(fn);
  return `${names.classOf(fn)}: ${device === ids || ids === '' ? device : `${device} ${ids}`}`;
}

/** `[144d:a824]`, or nothing where not known. */
export function idsText(fn: PciFunction): string {
  const { vendorId, deviceId } = fn;
  return vendorId === null || deviceId === null ? '' : `[${hexDigits(vendorId, 4)}:${hexDigits(deviceId, 4)}]`;
}

/**
 * The list is searched, not parsed: a machine asks for a dozen of its thirty-five thousand names, each time again. It is
 * searched as text with one character a byte, and only a name that is found is decoded.
 */
class PciIds {
  readonly #text: string;
  readonly #known = new Map<string, Section | null>();

  constructor(bytes: Uint8Array) {
    // An entry is found by the end of the line before it. The list begins with comments; a part of one may not.
    this.#text = bytes[0] === HASH ? latin1(bytes) : `\n${latin1(bytes)}`;
  }

  vendor(id: number): string | undefined {
    return this.#section(`\n${hexDigits(id, 4)}  `)?.name;
  }

  device(vendor: number, device: number): string | undefined {
    return this.#section(`\n\t${hexDigits(device, 4)}  `, `\n${hexDigits(vendor, 4)}  `)?.name;
  }

  className(code: number): string | undefined {
    const base = `\nC ${hexDigits(code >> 8, 2)}  `;
    return this.#section(`\n\t${hexDigits(code & 0xff, 2)}  `, base)?.name ?? this.#section(base)?.name;
  }

  /** The line that starts with `head`, below the one that starts with `above`. */
  #section(head: string, above?: string): Section | null {
    const key = `${above ?? ''}${head}`;
    let section = this.#known.get(key);
    if (section === undefined) {
      const outer = above === undefined ? { name: '', start: 0, end: this.#text.length } : this.#section(above);
      section = outer === null ? null : this.#find(head, outer);
      this.#known.set(key, section);
    }
    return section;
  }

  #find(head: string, { start: from, end: to }: Section): Section | null {
    const text = this.#text;
    const at = text.indexOf(head, from);
    if (at < 0 || at >= to) return null;
    const nameAt = at + head.length;
    const start = text.indexOf('\n', nameAt);
    let end = start;
    while (end >= 0 && (text[end + 1] === '\t' || text[end + 1] === '#')) end = text.indexOf('\n', end + 1);
    // A file without a last newline: the entry is its last line.
    const name = utf8Of(text.slice(nameAt, start < 0 ? text.length : start)).trim();
    return { name, start: start < 0 ? text.length : start, end: end < 0 ? text.length : end + 1 };
  }
}

const HASH = 0x23;

/** An entry of pci.ids, and where its indented lines start and end. */
interface Section {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}
