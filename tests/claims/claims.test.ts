/** The document about the thread and the demonstrations behind it say the same, and every demonstration shows it. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CLAIMS } from '../../claims/registry.ts';

const DOCUMENT = readFileSync(new URL('../../docs/THE-MAIL.md', import.meta.url), 'utf8');

interface Section {
  readonly name: string;
  readonly who: string | undefined;
  readonly claim: string | undefined;
  readonly verdict: string | undefined;
  readonly seen: string | undefined;
  readonly command: string | undefined;
}

const sections = DOCUMENT.split(/^### /m)
  .slice(1)
  .map((text): Section => {
    const who = /^\*\*(.+?):\*\* (.+)$/m.exec(text);
    return {
      name: text.slice(0, text.indexOf('\n')),
      who: who?.[1],
      claim: who?.[2],
      verdict: /^\*\*Verdict: (.+?)\.\*\*/m.exec(text)?.[1],
      seen: /^Seen on .*?: (.+)\.$/m.exec(text)?.[1],
      command: /^ {4}npm run claims -- (\S+)$/m.exec(text)?.[1],
    };
  });

test('CLAIM1: the document and the demonstrations name the same claims, verdicts, evidence and commands, in one order', () => {
  expect(sections).toEqual(
    CLAIMS.map(({ name, who, claim, verdict, expected }) => ({
      name,
      who,
      claim,
      verdict,
      seen: Object.entries(expected)
        .map(([key, value]) => `${key}: ${value}`)
        .join('; '),
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
