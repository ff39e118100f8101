/** What drivers do before a device can take part: enable it, and the bridges above it. */

import { COMMAND_BUS_MASTER, COMMAND_MEMORY_SPACE } from '../pcie/registers.ts';
import type { Fabric } from './fabric.ts';
import type { LiveFunction } from './live-function.ts';

/** Bits of a Command register that were off and are on now. */
export interface PreparedFunction {
  readonly index: number;
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
      const memorySpace = !node.memorySpace;
      const busMaster = !node.busMaster;
      if (!memorySpace && !busMaster) continue;
      node.setCommand(COMMAND_MEMORY_SPACE | COMMAND_BUS_MASTER);
      changed.push({ index: node.index, memorySpace, busMaster });
    }
  }
  return changed.sort((a, b) => a.index - b.index);
}
