/** What a fabric has carried. The same whether it went TLP by TLP or in bulk. */

export class Counters {
  /** Request TLPs that left their requester. */
  memoryWrites = 0;
  memoryReads = 0;
  /** Completion TLPs that were sent, with data or without. */
  completions = 0;
  /** Payload that arrived at its target, and at its requester. */
  bytesWritten = 0;
  bytesRead = 0;
  /** Requests of devices, and completions for them, that came to the root complex. */
  requestsAtRootComplex = 0;
  completionsAtRootComplex = 0;
  /** Requests that the IOMMU translated. */
  translations = 0;
  /** Of those, by a cached translation that the page table no longer backs: the hazard of a late invalidation. */
  staleTranslations = 0;
  configReads = 0;
  configWrites = 0;
}
