/** Large dumps for measuring: one machine again and again, each time in a domain of its own, as `lspci -xxxx` prints it. */

import { closeSync, openSync, writeSync } from 'node:fs';
import type { Machine } from 'p2pdma/machine';
import type { PciFunction } from 'p2pdma/pcie';

/**
 * Writes `count` functions to `path`.
 *
 * @returns the names of all functions, in the order of the file
 */
export function writeRepeated(machine: Machine, count: number, path: string): string[] {
  const blocks = machine.hierarchy.functions.map(rowsOf);
  const names: string[] = [];
  const file = openSync(path, 'w');
  for (let domain = 0; names.length < count; domain++) {
    const parts: string[] = [];
    for (const [index, fn] of machine.hierarchy.functions.entries()) {
      if (names.length === count) break;
      const name = domain.toString(16).padStart(4, '0') + fn.name.slice(fn.name.indexOf(':'));
      names.push(name);
      parts.push(`${name} ${headerOf(fn)}\n${blocks[index]}\n`);
    }
    writeSync(file, parts.join(''));
  }
  closeSync(file);
  return names;
}

function headerOf(fn: PciFunction): string {
  const digits = (value: number | null): string => (value ?? 0).toString(16).padStart(4, '0');
  return `Class ${digits(fn.classCode)}: Device ${digits(fn.vendorId)}:${digits(fn.deviceId)}`;
}

function rowsOf(fn: PciFunction): string {
  const { bytes } = fn.config;
  const rows: string[] = [];
  for (let offset = 0; offset < bytes.length; offset += 16) {
    const row = [...bytes.subarray(offset, offset + 16)].map((byte) => byte.toString(16).padStart(2, '0'));
    rows.push(`${offset.toString(16).padStart(2, '0')}: ${row.join(' ')}\n`);
  }
  return rows.join('');
}
