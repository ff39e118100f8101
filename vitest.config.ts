import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// biome-ignore lint/style/noDefaultExport: the form that vitest reads
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts'],
    testTimeout: 60_000,
    reporters: ['default'],
    // vitest leaves one core to itself, which of two is half.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
});
