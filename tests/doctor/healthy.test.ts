/** No machine that was judged healthy by hand has an error, or a warning; what is wrong with the others is what was judged right. */

import { expect, test } from 'vitest';
import { checkMachine } from '../../src/doctor/check-machine.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { POLICIES, POLICY_NAMES, policyForKernel } from '../../src/p2p/policy.ts';
import { bytesOfDump, CORPUS, dumpNames, SKIPPED } from '../corpus/corpus.ts';
import { readTruth } from '../kernel/truth.ts';
import { JUDGED, JUDGED_TRUTH } from './healthy.ts';

const here = test.skipIf(CORPUS === null);

const line = ({ severity, id, at }: Finding): string => `${severity} ${id} ${at.join(' ')}`;

here(`corpus: every dump was judged by hand, with a reason, and once${SKIPPED}`, () => {
  expect(JUDGED.map(({ file }) => file).sort()).toEqual(dumpNames());
  for (const { file, why } of JUDGED) expect(why.length, file).toBeGreaterThan(20);
});

test.skipIf(CORPUS === null).each(JUDGED.map((judged) => [judged.file, judged.verdict, judged] as const))(
  'corpus: %s is %s: above a note stands only what was judged right',
  async (file, verdict, { right = [] }) => {
    const machine = await readMachine(bytesOfDump(file), file);
    const { findings } = checkMachine(machine, policyForKernel(machine.kernel));
    const loud = findings.filter(({ severity }) => severity !== 'note').map(line);
    expect(loud).toEqual(right);
    expect(verdict === 'sick').toBe(right.length > 0);
    expect(findings.some(({ severity }) => severity === 'error')).toBe(false);
  },
);

/** What a dump does not tell, and a user may: the rules of every kernel, and a CPU of each kind. */
const CPUS = [
  { vendor: 'GenuineIntel', family: 6 },
  { vendor: 'AuthenticAMD', family: 25 },
  { vendor: 'HygonGenuine', family: 24 },
];

here(`corpus: no dump has an error under any kernel’s rules and any CPU that it does not name${SKIPPED}`, async () => {
  const errors: string[] = [];
  for (const file of dumpNames()) {
    const machine = await readMachine(bytesOfDump(file), file);
    for (const name of POLICY_NAMES) {
      for (const cpu of machine.cpu === null ? CPUS : [machine.cpu]) {
        const { findings } = checkMachine({ ...machine, cpu }, POLICIES[name]);
        errors.push(
          ...findings.filter(({ severity }) => severity === 'error').map((one) => `${file} ${name}: ${line(one)}`),
        );
      }
    }
  }
  expect(errors).toEqual([]);
});

const truth = await readTruth();

test.each(truth.map(({ machine }) => [machine.source.replace(/\.tar\.gz$/, ''), machine] as const))(
  'a machine of a real kernel, %s: the errors are those that were judged right',
  (name, machine) => {
    const { findings } = checkMachine(machine, policyForKernel(machine.kernel));
    const errors = findings.filter(({ severity }) => severity === 'error').map(({ id }) => id);
    expect(errors).toEqual(JUDGED_TRUTH[name]?.errors ?? []);
  },
);

test.each(truth.map(({ machine, truth: answers }) => [machine.source, machine, answers] as const))(
  'a machine of a real kernel, %s: an error is about functions for whose pairs that kernel said no',
  (_, machine, answers) => {
    const { findings } = checkMachine(machine, policyForKernel(machine.kernel));
    for (const { severity, functions } of findings) {
      if (severity !== 'error') continue;
      const refused = answers.distance.filter(({ p, c, d }) => d < 0 && functions.includes(p) && functions.includes(c));
      expect(refused.length).toBeGreaterThan(0);
    }
  },
);
