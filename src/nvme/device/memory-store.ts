/** A namespace in memory: zero until written. */

import { SparseMemory } from '../../fabric/sparse-memory.ts';
import type { BlockStatus, BlockStore } from './ports.ts';

export class MemoryBlockStore implements BlockStore {
  readonly sizeBytes: number;
  readonly #bytes: SparseMemory;

  /** `sizeBytes` is a multiple of the block size that the namespace will have. */
  constructor(sizeBytes: number) {
    this.sizeBytes = sizeBytes;
    this.#bytes = new SparseMemory(sizeBytes);
  }

  read(offsetBytes: number, into: Uint8Array): BlockStatus {
    this.#bytes.read(offsetBytes, into);
    return 'ok';
  }

  write(offsetBytes: number, from: Uint8Array): BlockStatus {
    this.#bytes.write(offsetBytes, from);
    return 'ok';
  }

  flush(): BlockStatus {
    return 'ok';
  }
}
