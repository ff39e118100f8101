/**
 * The words of a real Linux 6.12 (tests/truth) as its log: every line of p2pdma's is understood, says of a pair what we judge of it, and
 * adds to findings without changing what they are.
 */

import { expect, test } from 'vitest';
import { checkMachine } from '../../src/doctor/check-machine.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { kernelMessages } from '../../src/doctor/log/kernel-message.ts';
import { type LogLine, parseKernelLog } from '../../src/evidence/kernel/log/telling.ts';
import { NO_HOST_EVIDENCE } from '../../src/machine/host-evidence.ts';
import { hostEvidenceOf, type Machine } from '../../src/machine/machine.ts';
import { selectFunction } from '../../src/machine/selector.ts';
import { judgePair } from '../../src/p2p/distance.ts';
import { JudgeContext } from '../../src/p2p/judge.ts';
import { POLICIES } from '../../src/p2p/policy.ts';
import { readTruth, type Truth } from '../kernel/truth.ts';

const CASES = await readTruth();
const POLICY = POLICIES['linux-6.12'];

function logOf(truth: Truth & { readonly boot_messages?: readonly string[] }): LogLine[] {
  const lines = [...(truth.boot_messages ?? []), ...truth.distance.flatMap(({ messages }) => messages ?? [])];
  return parseKernelLog(lines.map((line) => `[    1.000000] ${line}\n`).join(''), 'var/log/dmesg');
}

/** What p2pdma prints about pairs and providers; the parameter that it proposes is not read. */
const SPOKEN = /ACS redirect is set|cannot be used for peer-to-peer DMA|added peer-to-peer DMA memory|not in P2PDMA/;

test('every line of p2pdma’s is kept and understood, and says of the pair what we judge of it', () => {
  const counts: Record<string, number> = {};
  for (const { truth, machine } of CASES) {
    const judge = new JudgeContext(machine, POLICY);
    const index = (name: string): number => judge.indexOf(selectFunction(machine.hierarchy, name, 'line'));
    const log = logOf(truth);
    const messages = kernelMessages(log);
    expect(messages.length, truth.name).toBe(log.filter(({ text }) => SPOKEN.test(text)).length);
    for (const { message, line } of messages) {
      counts[message.kind] = (counts[message.kind] ?? 0) + 1;
      if (message.kind === 'provided') {
        expect(truth.functions.find(({ bdf }) => bdf === message.at)?.p2pmem, line.text).toBeDefined();
      }
      if (message.kind !== 'acsRedirect' && message.kind !== 'refused') continue;
      const verdict = judgePair(judge, index(message.provider), index(message.client));
      const codes = verdict.reasons.map(({ code }) => code);
      if (message.kind === 'refused') expect(verdict.type, `${truth.name}: ${line.text}`).toBe('notSupported');
      else expect(codes, `${truth.name}: ${line.text}`).toContain('ACS_REDIRECT');
    }
  }
  console.log(`lines of Linux 6.12: ${JSON.stringify(counts)}`);
  for (const kind of ['acsRedirect', 'refused', 'notListed', 'provided']) expect(counts[kind]).toBeGreaterThan(0);
});

const withLog = (machine: Machine, kernelLog: readonly LogLine[]): Machine => ({
  ...machine,
  host: { ...NO_HOST_EVIDENCE, ...hostEvidenceOf(machine), kernelLog },
});

test('with the log the findings are the same, none is less sure, and some are told by the kernel itself', () => {
  let told = 0;
  const key = ({ id, severity, functions }: Finding): string => `${id} ${severity} ${functions.join(' ')}`;
  for (const { truth, machine } of CASES) {
    const without = checkMachine(machine, POLICY).findings;
    const named = checkMachine(withLog(machine, logOf(truth)), POLICY).findings;
    // What the log alone answers, the kernel's configuration, is a question no more.
    const open = without.filter(({ id, sure }) => id !== 'KCONFIG-MISSING' || sure !== 'open');
    expect(named.map(key).sort(), truth.name).toEqual(open.map(key).sort());
    told += named.filter(({ evidence }) => evidence.some(({ register }) => register === 'kernel log')).length;
    for (const finding of open) {
      const now = named.find((other) => key(other) === key(finding));
      const order = ['certain', 'likely', 'open'];
      expect(order.indexOf(now?.sure ?? 'open'), truth.name).toBeLessThanOrEqual(order.indexOf(finding.sure));
    }
  }
  expect(told).toBeGreaterThan(0);
});
