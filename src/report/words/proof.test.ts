import { expect, test } from 'vitest';
import { judged, type NotProved, type NotProvedReason, notProved, type Proof, type Run } from '../../doctor/proof.ts';
import { proofLine, proofText } from './proof.ts';

const OPENED = judged({ kind: 'registers', count: 2 }, { kind: 'pair', type: 'busAddr' });

test('a judged proof says what was changed on the copy and what the copy shows', () => {
  expect(proofText(OPENED)).toBe('judged again with 2 registers changed: the pair is by bus address');
  expect(proofText(judged({ kind: 'word', registers: 0 }, null))).toBe(
    'read again with the word repaired: the problem is gone; no register changes',
  );
  const rules = judged({ kind: 'rules', policy: 'linux-7.0' }, { kind: 'pair', type: 'thruHostBridge' });
  expect(proofText(rules)).toBe('judged by the rules of linux-7.0: the pair is through the host bridge');
  expect(proofText(judged({ kind: 'settings' }, { kind: 'tenBitTags', functions: 2 }))).toBe(
    'judged again: 2 functions still ask with ten bits where eight are known',
  );
});

test('a release that misreads the parameter is named behind the proof', () => {
  const doubted = judged(
    { kind: 'commandLine', registers: 1 },
    { kind: 'pair', type: 'busAddr' },
    { kernel: '6.12.1', sure: true },
  );
  expect(proofText(doubted)).toMatch(/: the pair is by bus address\. But Linux 6\.12\.1 is reported to misread/);
});

test('every reason for which nothing is proved has a sentence of its own', () => {
  const reasons: readonly NotProvedReason[] = [
    'byHand',
    'onlyLooks',
    'firmwareSettings',
    'firmwareRegisters',
    'bridgeWindows',
    'barPlacement',
    'textOnly',
    'stillLonger',
    'stillThere',
  ];
  const proofs: readonly NotProved[] = [
    ...reasons.map(notProved),
    { kind: 'notProved', because: 'noRegister', kernel: null },
    { kind: 'notProved', because: 'noRegister', kernel: '6.1.90' },
    { kind: 'notProved', because: 'offElsewhere', bit: 'busMaster', function: '0000:03:00.0' },
  ];
  const texts = proofs.map(proofText);
  expect(new Set(texts).size).toBe(proofs.length);
  for (const text of texts) expect(text).toMatch(/^not proved: .{10}/);
});

test('the line begins with Proof where something was proved, and else with the reason, in one capital', () => {
  const run = (of: Run['of']): Proof => ({ kind: 'run', of, run: null });
  expect(proofLine(OPENED)).toMatch(/^Proof: judged again/);
  expect(proofLine(notProved('byHand'))).toMatch(/^Not proved: it is done by hand/);
  expect(proofLine(run(OPENED))).toMatch(/^Proof: .*; not run on the fabric/);
  expect(proofLine(run(notProved('stillThere')))).toMatch(/^Not proved: .*; not run on the fabric/);
});
