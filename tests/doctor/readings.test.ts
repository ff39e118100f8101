import { expect, test } from 'vitest';
import { openCase } from '../../src/case/open-case.ts';
import { checkCase } from '../../src/doctor/check-case.ts';
import { policyForKernel } from '../../src/p2p/policy.ts';
import { answerLines } from '../../src/report/answer/text.ts';
import { styleOf } from '../../src/report/words/style.ts';

const OFF = 'SrcValid+ TransBlk- ReqRedir- CmpltRedir- UpstreamFwd- EgressCtrl- DirectTrans-';
const ON = 'SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans-';

async function answer(...texts: string[]) {
  const given = await openCase(texts.map((content, at) => ({ name: `t${at}.txt`, content })));
  const policy = policyForKernel(null);
  const result = checkCase(given, policy);
  const view = { columns: 100, style: styleOf(false), verbose: false };
  return { ...result, lines: [...answerLines({ given, policy, result }, view)] };
}

test('ACSCtl lines of which none redirects say so for certain, and that ACS is probably not the cause', async () => {
  const { findings, statements, next } = await answer(`$ lspci -vvv | grep ACSCtl\n${`\tACSCtl: ${OFF}\n`.repeat(5)}`);
  expect(findings).toEqual([]);
  expect(statements.map(({ sure, text }) => `${sure}: ${text}`)).toEqual([
    'certain: None of the 5 ACSCtl lines redirects requests or completions',
    expect.stringMatching(/^likely: ACS is not what stands in the way/),
  ]);
  expect(next[0]?.command).toBe('grep . /sys/kernel/iommu_groups/*/type');
});

test('ACSCtl lines that redirect are counted, and which ports they are is asked for', async () => {
  const { findings, statements, next } = await answer(`\tACSCtl: ${ON}\n\tACSCtl: ${OFF}\n\tACSCtl: ${ON}\n`);
  expect(statements[0]?.text).toBe('2 of 3 ACSCtl lines redirect (RR CR)');
  expect(findings).toMatchObject([{ id: 'ACS-REDIR-SWITCH', severity: 'warning', sure: 'likely', functions: [] }]);
  expect(next[0]?.answers).toContain('ACS-REDIR-SWITCH');
});

test('values of setpci are read with their bits, and a write is said to be lost at the next reset', async () => {
  const { statements } = await answer(
    '$ setpci -v -s 00:03.1 ECAP_ACS+6.w\n0000:00:03.1 (cap 000d @2a0) @2a6 = 001d\n$ setpci -s 00:03.1 ECAP_ACS+6.w=0:2c\n',
  );
  expect(statements.map(({ text }) => text).join('\n')).toMatch(/1 of 1 port .* redirects peer traffic: 0000:00:03.1/);
  expect(statements.map(({ text }) => text).join('\n')).toMatch(/holds until the next reset/);
});

test.each([
  ['ro quiet', /does not mention the IOMMU/],
  ['ro iommu=pt', /iommu=pt asks for passthrough/],
  ['ro amd_iommu=pt', /amd_iommu=pt is not an option of the kernel/],
  ['ro intel_iommu=off', /switches VT-d off/],
  ['ro iommu.passthrough=0', /asks for translation/],
])('a command line alone, %s, says what it says of the IOMMU', async (words, says) => {
  const { statements } = await answer(`BOOT_IMAGE=/boot/vmlinuz-6.8.0 ${words}\n`);
  expect(statements.map(({ text }) => text).join('\n')).toMatch(says);
});

test('an answer has at most 25 lines, its sources first and at most three commands last', async () => {
  const { lines, next } = await answer(
    `${`\tACSCtl: ${ON}\n`.repeat(40)}\n$ setpci -v -s 00:03.1 ECAP_ACS+6.w\n0000:00:03.1 (cap 000d @2a0) @2a6 = 001d\nBOOT_IMAGE=/boot/vmlinuz-6.8.0 ro\n`,
  );
  expect(lines.length).toBeLessThanOrEqual(25);
  expect(lines[0]).toMatch(/^t0.txt: ACSCtl lines \(lines 1-40\); setpci/);
  expect(next.length).toBeLessThanOrEqual(3);
});
