/**
 * Prints every rule that a test states, by its id, as Markdown. The title of a test begins with the id, then says the rule,
 * so the tests are the document.
 */

import { readdirSync, readFileSync } from 'node:fs';

const FAMILIES: Readonly<Record<string, string>> = {
  MAIL: 'the mail: its sketches, its names',
  MAP: 'mapping as Linux 6.12 answered (tests/truth)',
  DIR: 'the directional rule: PCIe Base Specification 6.12.3, and the correction proposed in 2026',
  E: 'edge cases of roads, memory, mapping, TLPs and NVMe: PCIe 2.2 and 6.12, NVM Express 1.4, Linux drivers/pci/p2pdma.c and drivers/iommu/dma-iommu.c',
  DESIGN: 'five designs side by side (docs/decisions/001-designs.md)',
  CERT: 'certificates behind the length of a vector (src/dma/certified.ts)',
  CLAIM: 'the thread, sentence by sentence (docs/THE-MAIL.md)',
  HOUSE: 'the house itself',
};
const TITLE =
  /\b(?:test|it|describe)(?:\.each\([\s\S]*?\)|\.skipIf\([^)]*\)|\.runIf\([^)]*\))?\(\s*(['"`])((?:[A-Z]+\d+(?:, )?)+): ((?:\\.|(?!\1)[\s\S])*)\1/g;

interface Rule {
  readonly id: string;
  readonly title: string;
  readonly file: string;
}

const rules: Rule[] = [];
for (const folder of ['src', 'tests']) {
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.test.ts')) continue;
    const text = readFileSync(`${folder}/${path}`, 'utf8');
    for (const match of text.matchAll(TITLE)) {
      const title = (match[3] as string)
        .replaceAll("\\'", "'")
        .replace(/\$\{[^}]*\}/g, '…')
        .replaceAll('|', '\\|');
      for (const id of (match[2] as string).split(', '))
        rules.push({ id, title, file: `${folder}/${path.replaceAll('\\', '/')}` });
    }
  }
}

const family = (id: string): string => id.replace(/\d+$/, '');
const number = (id: string): number => Number(/\d+$/.exec(id)?.[0] ?? 0);
const names = [...new Set(rules.map((rule) => family(rule.id)))].sort((a, b) => (a < b ? -1 : 1));
const lines = ['# Rules', '', 'Every rule that a test states, by its id, from the titles of the tests.'];
for (const name of names) {
  lines.push(
    '',
    `## ${name}: ${FAMILIES[name] ?? 'rules of one part of the house'}`,
    '',
    '| id | rule | test |',
    '|---|---|---|',
  );
  const own = rules.filter((rule) => family(rule.id) === name);
  own.sort(
    (a, b) => number(a.id) - number(b.id) || (a.file < b.file ? -1 : a.file > b.file ? 1 : a.title < b.title ? -1 : 1),
  );
  for (const { id, title, file } of own) lines.push(`| ${id} | ${title} | ${file} |`);
}
console.log(lines.join('\n'));
