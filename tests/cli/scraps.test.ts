import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unpackTar } from 'modern-tar';
import { afterAll, expect, test } from 'vitest';
import { p2pdma } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'p2pdma-scraps-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

const DRAWING = file(
  'tree.txt',
  String.raw`
-[0000:00]-+-00.0  Advanced Micro Devices, Inc. [AMD] Starship/Matisse Root Complex [1022:1480]
           \-01.1-[01-04]----00.0-[02-04]--+-00.0-[03]----00.0  NVIDIA Corporation Some GPU [10de:2684]
                                           \-01.0-[04]----00.0  NVIDIA Corporation Some GPU [10de:2684]
`,
);
const OFF = 'SrcValid- TransBlk- ReqRedir- CmpltRedir- UpstreamFwd- EgressCtrl- DirectTrans-';
const ACS = file(
  'acs.txt',
  ['01:00.0', '02:00.0', '02:01.0', '03:00.0', '04:00.0'].map((bdf) => `${bdf} x\n\t\tACSCtl:\t${OFF}\n`).join(''),
);
const FAULT =
  '[  100.0] nvidia 0000:07:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0003 address=0x2bee0314000 flags=0x0020]\n';

test('check takes a paste on standard input, and several files', () => {
  const paste = p2pdma(['check', '-'], { input: FAULT });
  expect(paste.status).toBe(0);
  expect(paste.stdout).toMatch(/^stdin: lines of a kernel log/);
  expect(paste.stdout).toMatch(/IOMMU-TRANSLATED/);
  const both = JSON.parse(p2pdma(['check', DRAWING, ACS, '--json']).stdout);
  expect(both.sources.map(({ kind }: { kind: string }) => kind)).toEqual(['lspci-tree', 'lspci-acsctl']);
});

test('a drawing is a machine for matrix and topo, and --with fills it', () => {
  const pair = ['--providers', '03:00.0', '--clients', '04:00.0', '--json'];
  const alone = JSON.parse(p2pdma(['matrix', DRAWING, ...pair]).stdout);
  expect(alone.pairs[0].type).toBe('unknown');
  const filled = JSON.parse(p2pdma(['matrix', DRAWING, ...pair, '--with', ACS]).stdout);
  expect(filled.pairs[0].type).toBe('busAddr');
  expect(p2pdma(['topo', DRAWING]).status).toBe(0);
});

test('whose without MACHINE judges a log by itself, and says so', () => {
  const { stdout, stderr, status } = p2pdma(['whose'], { input: FAULT });
  expect([status, stderr]).toEqual([0, expect.stringMatching(/no MACHINE is named, so the log is judged alone/)]);
  expect(stdout).toMatch(/The IOMMU \(AMD-Vi\) is on and translates 0000:07:00.0/);
});

test('nothing recognised is exit 3 with the first lines and what would be useful; standard input twice is exit 2', () => {
  const nothing = p2pdma(['check', '-'], { input: 'Dear all,\nplease help\n' });
  expect([nothing.status, nothing.stderr]).toEqual([3, expect.stringMatching(/"Dear all,"[\s\S]*useful: sudo lspci/)]);
  expect(p2pdma(['check', '-', '-'], { input: FAULT }).status).toBe(2);
});

test('dispute packs inputs without names, the answer, versions and a place for the truth', async () => {
  const log = file('dmesg.txt', `${FAULT}[  101.0] nfs: server 10.1.2.3 of someone@example.org\n`);
  const out = join(folder, 'case.tar');
  const { status, stdout } = p2pdma(['dispute', log, '-o', out]);
  expect([status, stdout]).toEqual([0, expect.stringMatching(/1 input, the answer, versions, and TRUTH\.md/)]);
  const entries = await unpackTar(readFileSync(out));
  const text = (name: string) => new TextDecoder().decode(entries.find(({ header }) => header.name === name)?.data);
  expect(entries.map(({ header }) => header.name)).toEqual([
    'inputs/1-dmesg.txt',
    'answer.json',
    'answer.txt',
    'versions.json',
    'TRUTH.md',
  ]);
  expect(text('inputs/1-dmesg.txt')).toContain('server 0.0.0.0 of SOMEBODY');
  expect(JSON.parse(text('answer.json')).findings[0].id).toBe('IOMMU-TRANSLATED');
});

test('dispute refuses what is no file, and no input at all', () => {
  expect(p2pdma(['dispute', 'live', '-o', join(folder, 'x.tar')]).status).toBe(2);
  expect(p2pdma(['dispute', '-o', join(folder, 'x.tar')]).status).toBe(2);
});
