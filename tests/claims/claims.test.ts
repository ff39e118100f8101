/** The document about the thread and the demonstrations behind it say the same, and every demonstration shows it. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Claim } from '../../claims/claim.ts';
import { readSections, seenText } from '../../claims/document.ts';
import { CLAIMS } from '../../claims/registry.ts';
import { runClaims } from '../../claims/run-claims.ts';
import { QemuError } from '../../src/engine/qemu/index.ts';
import { missingQemu } from '../contract/missing-qemu.ts';

const DOCUMENT = readFileSync(new URL('../../docs/THE-MAIL.md', import.meta.url), 'utf8');

const sections = readSections(DOCUMENT);

test('CLAIM1: the document and the demonstrations name the same claims, verdicts, evidence and commands, in one order', () => {
  expect(sections).toEqual(
    CLAIMS.map(({ name, who, claim, verdict, expected, onQemu }) => ({
      name,
      who,
      claim,
      verdict,
      engines: onQemu === undefined ? 'fabric' : 'fabric and QEMU',
      seen: seenText(expected),
      command: name,
    })),
  );
  expect(new Set(CLAIMS.map(({ name }) => name)).size).toBe(CLAIMS.length);
  expect(CLAIMS.length).toBeGreaterThanOrEqual(12);
});

test('CLAIM2: the table at the top and the line at the end count what the sections say', () => {
  const rows = [...DOCUMENT.matchAll(/^\| \[`(.+?)`\]\(#(.+?)\) \| (.+?) \| (.+?) \|$/gm)];
  expect(rows.map(([, name, link, who, verdict]) => [name, link, who, verdict])).toEqual(
    CLAIMS.map(({ name, who, verdict }) => [name, name, who, verdict]),
  );
  const count = (verdict: string): number => CLAIMS.filter((claim) => claim.verdict === verdict).length;
  const line = `${CLAIMS.length} claims: ${count('holds')} hold, ${count('holds on a condition')} hold on a condition, ${count('refuted')} refuted`;
  expect(DOCUMENT).toContain(line);
});

describe('CLAIM3: each demonstration shows what the document says', () => {
  test.each(CLAIMS)('$name', async ({ run, expected }) => {
    expect(await run()).toEqual(expected);
  });
});

describe('CLAIM4: what is claimed of controllers is shown on QEMU’s as well', () => {
  test('every claim about NVMe has a demonstration there', () => {
    const nvme = CLAIMS.filter(({ name }) => name.startsWith('nvme-'));
    expect(nvme.length).toBeGreaterThanOrEqual(4);
    expect(nvme.filter(({ onQemu }) => onQemu === undefined)).toEqual([]);
  });

  const onQemu = CLAIMS.filter((claim) => claim.onQemu !== undefined);
  const missing = missingQemu();
  const reason = missing === null ? '' : ` (${missing})`;
  test.skipIf(missing !== null).each(onQemu)(
    `$name${reason}`,
    { timeout: 120_000 },
    async ({ onQemu: run, expected }) => {
      expect(await run?.()).toEqual(expected);
    },
  );
});

describe('CLAIM5: the exit code is 0 only if each demonstration shows what the document says', () => {
  const shown: Claim = {
    name: 'shown',
    who: 'somebody',
    claim: 'It is so.',
    verdict: 'holds',
    expected: { bytes: 4096 },
    run: () => ({ bytes: 4096 }),
  };
  const document = `## Claims

### shown

**somebody:** It is so.

**Verdict: holds.** It is.

Seen on fabric: bytes: 4096.

    npm run claims -- shown

## In one line
`;
  const outcome = async (
    claim: Partial<Claim>,
    more: { document?: string; names?: string[]; useQemu?: boolean } = {},
  ) => {
    const lines: string[] = [];
    const options = { names: [], useQemu: true, document, print: (line: string) => lines.push(line), ...more };
    const code = await runClaims([{ ...shown, ...claim }], options);
    return { code, lines };
  };

  test('as the document has it: 0, and the last line counts', async () => {
    const { code, lines } = await outcome({});
    expect(code).toBe(0);
    expect(lines.at(-1)).toBe('1 claims: 1 hold, 0 hold on a condition, 0 refuted');
  });

  const broken: [string, Partial<Claim>, { document?: string }][] = [
    ['another value is seen', { run: () => ({ bytes: 4095 }) }, {}],
    ['something is not seen any more', { run: () => ({}) }, {}],
    ['something else is seen as well', { run: () => ({ bytes: 4096, more: 1 }) }, {}],
    [
      'the demonstration fails',
      {
        run: () => {
          throw new Error('no such device');
        },
      },
      {},
    ],
    ['QEMU shows something else', { onQemu: async () => ({ bytes: 0 }) }, {}],
    ['the verdict is another', { verdict: 'refuted' }, {}],
    ['the document says another value', {}, { document: document.replace('4096', '0') }],
    ['the document does not have it', {}, { document: '' }],
  ];
  test.each(broken)('%s: 1, and it is named', async (_, claim, more) => {
    const { code, lines } = await outcome(claim, more);
    expect(code).toBe(1);
    expect(lines.join('\n')).toMatch(/DIFFERS|FAILED/);
    expect(lines.at(-2)).toBe('what docs/THE-MAIL.md says is no longer shown: shown');
  });

  test('QEMU that is not there, or is left out, is said by name and is no failure', async () => {
    const gone = new QemuError({ code: 'QEMU_NOT_FOUND', path: 'qemu', message: 'is not here', hint: 'install it' });
    const missing = await outcome({ onQemu: () => Promise.reject(gone) });
    expect(missing.code).toBe(0);
    expect(missing.lines).toContain('  qemu: not shown: qemu is not here: install it');
    const without = await outcome({ onQemu: () => Promise.reject(gone) }, { useQemu: false });
    expect(without.code).toBe(0);
    expect(without.lines).toContain('  qemu: not shown: left out by --no-qemu');
  });

  test('a name that is no claim: 2', async () => {
    expect((await outcome({}, { names: ['other'] })).code).toBe(2);
    expect((await outcome({}, { names: ['shown'] })).code).toBe(0);
  });
});
