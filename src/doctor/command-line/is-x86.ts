/** Some words of the command line are those of one architecture. Linux arch/x86/kernel/pci-dma.c: iommu_setup(). */

/** Whether a CPUID vendor is one of x86 processors. */
export function isX86(vendor: string): boolean {
  return /AMD|Intel|Hygon|Centaur|Shanghai/i.test(vendor);
}
