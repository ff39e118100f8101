/** Refusals about flags. */

import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE, type BvecList } from '../block/bio-vec.ts';
import { hex } from '../core/hex.ts';
import { MapError } from './errors.ts';

/** The flag's name, or both. */
export function flagName(flags: number): string {
  const names = [];
  if (flags & BVEC_MAP_BUS_ADDR) names.push('BVEC_MAP_BUS_ADDR');
  if (flags & BVEC_MAP_RESOURCE) names.push('BVEC_MAP_RESOURCE');
  return names.length === 0 ? 'no flag' : names.join(' and ');
}

/** Refuses a flagged vector where addresses are looked up. Always throws. */
export function refuseFlag(vectors: BvecList, index: number): never {
  const address = vectors.address[index] as number;
  const message = `the vector at ${hex(address)} has ${flagName(vectors.flags[index] as number)}, and here the owner is looked up by CPU physical address`;
  throw new MapError(
    'FLAG_NOT_USED',
    `vectors[${index}]`,
    message,
    'give the CPU physical address without a flag, or classify by flags',
  );
}
