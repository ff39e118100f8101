/** One whole flow: start, enumerate, bring two controllers up, move 64 KiB from one into the other's buffer, compare, stop. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { equalBytes, KIB, newQemuBed, pattern, switchTree } from '../contract/bed.ts';
import { Host } from '../contract/host.ts';

const LENGTH = 64 * KIB;

/** Runs the flow. Returns the process number of QEMU. Throws where a byte is wrong. */
export async function flow(seed: number): Promise<number> {
  const bed = await newQemuBed({ tree: switchTree() });
  try {
    const host = new Host(bed);
    const a = await host.controller('a');
    const b = await host.controller('b');
    const bytes = pattern(LENGTH, seed);
    a.put(0, bytes);
    const piece = host.piece('b', 0, LENGTH);
    await a.transfer('read', 0, [piece]);
    const equal = equalBytes(await host.read(piece), bytes);
    if (equal !== LENGTH) throw new Error(`flow ${seed}: ${equal} of ${LENGTH} bytes arrived in the peer’s buffer`);
    await b.transfer('write', 64, [piece]);
    if (equalBytes(b.stored(64, LENGTH), bytes) !== LENGTH) throw new Error(`flow ${seed}: the medium of b is wrong`);
    return bed.pid ?? -1;
  } finally {
    await bed.engine.close();
  }
}

/** Whether a process is there and is no zombie. */
export function isRunning(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/** Files that the engine would have left in the folders that it uses. */
export function leftoverFiles(): string[] {
  return ['/dev/shm', tmpdir()].flatMap((folder) =>
    existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('p2pdma-qemu-')) : [],
  );
}

/** Children of this process that are QEMU. */
export function qemuChildren(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const parent = /\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1];
        return Number(parent) === process.pid && readFileSync(`/proc/${pid}/comm`, 'latin1').startsWith('qemu-system');
      } catch {
        return false;
      }
    });
}

/** Waits until `condition` holds, at most `ms`. Returns whether it does. */
export async function eventually(condition: () => boolean, ms: number): Promise<boolean> {
  for (let waited = 0; waited < ms; waited += 20) {
    if (condition()) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return condition();
}
