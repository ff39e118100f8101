/**
 * The lines of setpci that findings print, run on the fabric: `sudo setpci -s ADDRESS CAPABILITY+OFFSET.w=VALUE:MASK`,
 * or a register of the header by its name. pciutils setpci(8).
 */

import type { Fabric } from '../../src/fabric/index.ts';
import { parseBdf } from '../../src/pcie/bdf.ts';

const LINE = /^sudo setpci -s ([0-9a-f:.]+) (?:(ECAP_ACS|CAP_EXP)\+([0-9a-f]+)\.w|COMMAND)=([0-9a-f]+):([0-9a-f]+)$/;

/** Runs one line through configuration requests of the CPU. Throws where it is no such line or the capability is not there. */
export function setpci(fabric: Fabric, line: string): void {
  const match = LINE.exec(line);
  const bdf = match === null ? null : parseBdf(match[1] as string);
  if (match === null || bdf === null) throw new Error(`no line of setpci: ${line}`);
  const [offset, value, mask] = [3, 4, 5].map((at) => Number.parseInt(match[at] ?? '4', 16)) as [
    number,
    number,
    number,
  ];
  const read = (at: number, size: 1 | 2 | 4): number => fabric.configRead(bdf, at, size);
  const base =
    match[2] === undefined ? 0 : match[2] === 'CAP_EXP' ? capability(read, 0x10) : extendedCapability(read, 0x0d);
  const register = base + offset;
  fabric.configWrite(bdf, register, 2, (read(register, 2) & ~mask) | (value & mask));
}

type Read = (at: number, size: 1 | 2 | 4) => number;

function capability(read: Read, id: number): number {
  let at = read(0x34, 1);
  for (let steps = 0; at !== 0 && steps < 48; steps++) {
    if (read(at, 1) === id) return at;
    at = read(at + 1, 1);
  }
  throw new Error(`there is no capability ${id.toString(16)}`);
}

function extendedCapability(read: Read, id: number): number {
  let at = 0x100;
  for (let steps = 0; at !== 0 && steps < 480; steps++) {
    const header = read(at, 4);
    if ((header & 0xffff) === id) return at;
    at = header >>> 20;
  }
  throw new Error(`there is no extended capability ${id.toString(16)}`);
}

/** Every byte of every configuration space, as the CPU reads it: one line for 16 bytes that are not all zero. */
export function allRegisters(fabric: Fabric): string[] {
  const lines: string[] = [];
  for (const node of fabric.topology.functions) {
    for (let at = 0; at < 4096; at += 16) {
      const words = [0, 4, 8, 12].map((word) => node.readConfig(at + word, 4) >>> 0);
      if (words.some((word) => word !== 0))
        lines.push(`${node.name} ${at.toString(16)}: ${words.map((word) => word.toString(16)).join(' ')}`);
    }
  }
  return lines;
}
