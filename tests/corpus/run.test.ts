/** Dumps of real machines as scenarios: whatever a capture leaves open, transfers run, and what is lost is lost for a reason. */

import { expect, test } from 'vitest';
import type { Machine } from '../../src/machine/machine.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { readScenario, runScenario, scenarioMachine } from '../../src/scenario/run-scenario.ts';
import { SimHost } from '../../src/scenario/sim-host.ts';
import { bytesOfDump, CORPUS, dumpNames, SKIPPED } from './corpus.ts';

/** Two controllers and a network card to each of three memories, both ways; null where a machine has none of either. */
function scenarioOf(machine: Machine): string | null {
  const devices = machine.hierarchy.functions.filter((fn) => !fn.isBridge);
  const memories = devices.filter(({ bars }) =>
    bars.some(({ space, size, busAddress }) => space === 'memory' && (size ?? 0) >= 2 ** 20 && busAddress !== null),
  );
  const ofClass = (base: number): typeof devices => devices.filter(({ classCode }) => (classCode ?? 0) >> 8 === base);
  const clients = [
    ...ofClass(1)
      .filter(({ classCode }) => classCode === 0x0108)
      .slice(0, 2),
    ...ofClass(2).slice(0, 1),
  ];
  const lines = clients.flatMap((client) =>
    memories.slice(0, 3).flatMap((memory) =>
      ['toDevice', 'fromDevice'].map((direction) => {
        const vectors = `[{ memory: ram, length: 4KiB }, { memory: "${memory.name}", length: 16KiB }]`;
        const name = `${client.name} ${direction} ${memory.name}`;
        return `  - { name: "${name}", device: "${client.name}", direction: ${direction}, vectors: ${vectors} }`;
      }),
    ),
  );
  return lines.length === 0 ? null : ['machine: dump', 'transfers:', ...lines].join('\n');
}

/** What a real machine can do to a transfer that its registers allow: receivers with a smaller Max_Payload_Size lose what is larger. */
const REASONS = ['payloadTooLarge', 'samePort'];

test.skipIf(CORPUS === null)(`corpus: every dump with a memory and a client runs as a scenario${SKIPPED}`, async () => {
  let machines = 0;
  let transfers = 0;
  const lost: string[] = [];
  for (const name of dumpNames()) {
    const machine = await readMachine(bytesOfDump(name), name).catch(() => null);
    const text = machine === null ? null : scenarioOf(machine);
    if (machine === null || text === null) continue;
    const read = readScenario(text, `${name}.yaml`);
    const named = await scenarioMachine(read, async () => machine);
    const { controllers } = named;
    const host = new SimHost({ machine: named.machine, controllers, scenario: read.scenario, iommu: true });
    const report = await runScenario({ read, named, host });
    machines++;
    transfers += report.transfers.length;
    for (const { name: transfer, asExpected, errors, status } of report.transfers) {
      if (asExpected) continue;
      lost.push(`${name} ${transfer}: ${status}, ${errors.join('; ')}`);
    }
  }
  console.log(`${machines} machines, ${transfers} transfers, ${lost.length} lost:\n${lost.join('\n')}`);
  expect(machines).toBeGreaterThan(0);
  expect(lost.filter((line) => !REASONS.some((reason) => line.includes(reason)))).toEqual([]);
});
