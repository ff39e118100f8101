/** What drivers and the kernel do before a device can take part: enable it, and the bridges above it. */

import type { Fabric } from './fabric.ts';
import type { LiveFunction } from './live-function.ts';

/** Enables that were off and are on now. */
export interface PreparedFunction {
  /** Index in the hierarchy. */
  readonly index: number;
  readonly name: string;
  /** Memory Space Enable; of a Virtual Function the one in its Physical Function. */
  readonly memorySpace: boolean;
  readonly busMaster: boolean;
}

/** Sets Memory Space and Bus Master Enable of the functions and of every bridge above them; says what it changed. */
export function prepare(fabric: Fabric, functions: readonly number[]): PreparedFunction[] {
  const changed: PreparedFunction[] = [];
  const seen = new Set<number>();
  for (const index of functions) {
    for (let node: LiveFunction | null = fabric.function(index); node !== null; node = node.bus.bridge) {
      if (seen.has(node.index)) break;
      seen.add(node.index);
      const memorySpace = !node.decodesMemory;
      const busMaster = !node.busMaster;
      if (!memorySpace && !busMaster) continue;
      node.prepare();
      changed.push({ index: node.index, name: node.name, memorySpace, busMaster });
    }
  }
  return changed.sort((a, b) => a.index - b.index);
}
