/** `p2pdma check` as a user runs it: exit codes, options, the screen, the documents. */

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { jsonOf, p2pdma, ROOT, type Run } from './run.ts';

/** A machine with errors, one with warnings and no error, one of whose devices nobody would pair two. */
const ERRORS = `${ROOT}tests/truth/acs-sw4-one.tar.gz`;
const WARNINGS = 'example:acs-on';

const check = (...args: string[]): Run => p2pdma(['check', ...args]);

interface Document {
  readonly findings: readonly {
    readonly evidence: readonly {
      readonly offset: string | null;
      readonly source: string | null;
      readonly file: string | null;
    }[];
    readonly sure: string;
    readonly fixes: readonly {
      readonly kind: string;
      readonly proof: { readonly kind: string; readonly text: string };
    }[];
    readonly id: string;
    readonly severity: string;
    readonly functions: readonly string[];
  }[];
  readonly summary: Record<string, number>;
}

const documentOf = (...args: string[]): Document => jsonOf(check(...args, '--json')) as unknown as Document;

test('--fail-on: 1 where a finding is at or above the level, else 0; never is the default', () => {
  const codes = (machine: string): (number | null)[] =>
    [[], ['--fail-on', 'never'], ['--fail-on', 'warning'], ['--fail-on', 'error']].map(
      (options) => check(machine, ...options).status,
    );
  expect(codes(ERRORS)).toEqual([0, 0, 1, 1]);
  expect(codes(WARNINGS)).toEqual([0, 0, 1, 0]);
  // A note counts where it says something, not where it only asks.
  const notes = documentOf(WARNINGS, '--only', 'KCONFIG-MISSING').findings;
  expect(notes.every(({ severity }) => severity === 'note')).toBe(true);
  expect(check(WARNINGS, '--only', 'KCONFIG-MISSING', '--fail-on', 'note').status).toBe(0);
  expect(check(WARNINGS, '--fail-on', 'note').status).toBe(1);
  // What is asked of --only alone decides.
  expect(check(ERRORS, '--only', 'MPS', '--fail-on', 'warning').status).toBe(0);
  // The form of the answer changes nothing.
  for (const form of ['--json', '--markdown', '--verbose'])
    expect(check(ERRORS, '--fail-on', 'error', form).status).toBe(1);
});

test('--only: these diagnoses, by any name of theirs, in any case', () => {
  for (const ids of ['VM-TOPOLOGY,ACS-REDIR-SWITCH', ' vm-topology , Acs-Redir-Switch ']) {
    const { findings } = documentOf(WARNINGS, '--only', ids);
    expect(findings.map(({ id }) => id).sort()).toEqual(['ACS-REDIR-SWITCH', 'VM-TOPOLOGY']);
  }
  const named = documentOf(ERRORS, '--only', 'tag mismatch');
  expect(named.findings.every(({ id }) => id === 'MPS')).toBe(true);
});

test('--pairs: what the user asks for is an error where it cannot be, and only that is judged', () => {
  const machine = 'example:two-host-bridges-split';
  const { findings, ...rest } = documentOf(machine, '--pairs', '0000:01:00.0,0000:81:00.0');
  expect(rest).toMatchObject({ pairs: { busAddr: 0, thruHostBridge: 0, notSupported: 2, unknown: 0 } });
  expect(findings[0]).toMatchObject({ severity: 'error', functions: ['0000:01:00.0', '0000:81:00.0'] });
});

test.each([
  [['--json', '--markdown'], '--json and --markdown are given together'],
  [['--explain', 'MPS', '--only', 'MPS'], '--explain and --only are given together'],
])('exit 2: of %j one would be dropped without a word', (options, message) => {
  const run = check(WARNINGS, ...options);
  expect(run.status).toBe(2);
  expect(`${run.stdout}${run.stderr}`).toContain(message);
});

test.each([
  ['--fail-on', 'fatal', 'levels: error, warning, note, never'],
  ['--only', 'ACS-REDIR-SWTCH', 'did you mean ACS-REDIR-SWITCH?'],
  ['--only', '', 'diagnoses: '],
  ['--explain', 'IOMMU-TRANSLATE', 'did you mean IOMMU-TRANSLATED?'],
  ['--pairs', '0001:09:00.0', 'nearest: '],
  ['--pairs', '0001:05:00.0', 'for example --pairs'],
  ['--pairs', 'cards', 'nearest: '],
  ['--policy', 'linux-6.x', 'did you mean linux-6.1'],
  ['--cpu', 'Intel', 'for example --cpu'],
  ['--faill-on', 'error', 'Did you mean --fail-on?'],
])('exit 2, stdout empty, the way out as hint: %s %s', (option, value, hint) => {
  const run = check(WARNINGS, option, value);
  expect([run.status, run.stdout]).toEqual([2, '']);
  expect(run.stderr).toContain('\nhint: ');
  expect(run.stderr).toContain(hint);
  const json = check(WARNINGS, option, value, '--json');
  expect(json.status).toBe(2);
  expect(jsonOf(json)).toMatchObject({
    schemaVersion: 1,
    error: { code: expect.any(String), hint: expect.any(String) },
  });
});

test('a word that is like no diagnosis at all is answered with the list, not with a guess', () => {
  const run = check(WARNINGS, '--only', 'frobnicate');
  expect(run.status).toBe(2);
  expect(run.stderr).not.toContain('did you mean');
  expect(run.stderr).toContain('ACS-REDIR-SWITCH');
});

test('exit 3: a machine that is not there, or is none', () => {
  expect(check('/nonexistent/host.txt')).toMatchObject({ status: 3, stdout: '' });
  expect(p2pdma(['check', '-'], { input: 'milk\n' })).toMatchObject({ status: 3, stdout: '' });
});

test('--explain ID without a machine tells what it means and reads none; with one, its findings in full follow', () => {
  const alone = check('--explain', 'acs-redir-switch');
  expect([alone.status, alone.stderr]).toEqual([0, '']);
  expect(alone.stdout).toMatch(/^ACS-REDIR-SWITCH: /);
  expect(alone.stdout).not.toContain('functions');
  const full = check(WARNINGS, '--explain', 'ACS-REDIR-SWITCH').stdout;
  expect(full).toContain(alone.stdout.trimEnd());
  for (const word of ['Why it matters:', 'Evidence:', 'Fix 1:', 'Fix 2:', 'Cost:', 'Undo:'])
    expect(full).toContain(word);
  expect(full).not.toContain('VM-TOPOLOGY');
  expect(jsonOf(check('--explain', 'MPS', '--json'))).toMatchObject({
    schemaVersion: 1,
    command: 'check',
    diagnosis: { id: 'MPS', aliases: ['TAG MISMATCH'] },
  });
});

test('--json: keys and their order are what scripts rely on; it tells the same as the screen', () => {
  const run = check(WARNINGS, '--json');
  expect([run.status, run.stderr]).toEqual([0, '']);
  const document = jsonOf(run);
  expect(Object.keys(document)).toEqual([
    'schemaVersion',
    'command',
    'policy',
    'machine',
    'pairs',
    'summary',
    'findings',
    'rules',
    'sources',
    'statements',
    'next',
    'contradictions',
  ]);
  expect(document).toMatchObject({
    schemaVersion: 1,
    command: 'check',
    policy: 'linux-6.12',
    machine: { source: WARNINGS, functions: 16, cpu: 'GenuineIntel:6', kernel: '6.12.117' },
  });
  const { findings, summary } = document as unknown as Document;
  const of = (severity: string): number => findings.filter((finding) => finding.severity === severity).length;
  expect(summary).toMatchObject({ error: of('error'), warning: of('warning') });
  expect((summary['note'] ?? 0) + (summary['open'] ?? 0)).toBe(of('note'));
  expect(summary['unknown']).toBe(summary['open']);
  for (const finding of findings) {
    expect(Object.keys(finding)).toEqual([
      'id',
      'severity',
      'sure',
      'title',
      'at',
      'functions',
      'pairs',
      'evidence',
      'why',
      'fixes',
      'missing',
    ]);
    for (const evidence of finding.evidence) {
      expect(evidence.offset === null || /^0x[0-9a-f]+$/.test(evidence.offset)).toBe(true);
      expect(evidence).toHaveProperty('line');
      expect(evidence.file).toBe(evidence.source);
    }
    expect(['certain', 'likely', 'open']).toContain(finding.sure);
    for (const fix of finding.fixes) {
      expect(fix.kind).toMatch(/^[a-z]+[A-Za-z]*$/);
      expect(['judged', 'run', 'notProved']).toContain(fix.proof.kind);
      expect(fix.proof.text).toMatch(/^(?:judged|read|not proved: ) ?.{10}/);
    }
  }
});

test('--verbose: every fix with its cost, its undo and its proof, and where the evidence was read', () => {
  const { stdout } = p2pdma(['check', WARNINGS, '--verbose'], { env: { COLUMNS: '400' } });
  const { findings } = documentOf(WARNINGS) as unknown as { findings: { fixes: { what: string }[]; id: string }[] };
  for (const { id, fixes } of findings) {
    expect(stdout).toContain(id);
    expect(stdout.split('\n').filter((line) => /^ {2}Fix \d/.test(line)).length).toBeGreaterThanOrEqual(fixes.length);
  }
  expect(stdout).toMatch(/ACS Control \(at 0x[0-9a-f]+\) = 0x[0-9a-f]{4}: .*\[sys\/devices/);
  expect(stdout).toContain('Proof:');
});

test('--markdown: a title, a section a finding, commands in blocks that are closed, no colours', () => {
  const { stdout, stderr } = check(WARNINGS, '--markdown');
  expect(stderr).toBe('');
  const { warning = 0, note = 0 } = documentOf(WARNINGS).summary;
  expect(stdout).toMatch(new RegExp(`^# Peer-to-peer DMA: ${warning} warnings?`));
  expect(stdout.match(/^## /gm)).toHaveLength(warning + note);
  expect((stdout.match(/^```$/gm) ?? []).length % 2).toBe(0);
  expect(stdout).toContain('setpci -s 0001:02:00.0');
  expect(stdout).not.toContain('\u001b');
});

test('stdout carries the answer alone: what the reader noticed goes to stderr', () => {
  const orphan =
    '03:00.0 3D controller [0302]: Sample Works Card [1234:0001]\n\tRegion 0: Memory at e0000000 (64-bit, prefetchable) [size=1G]\n';
  const run = p2pdma(['check', '-'], { input: orphan });
  expect(run.status).toBe(0);
  expect(run.stderr).toMatch(/^note: stdin.*: no bridge in this capture leads to bus/);
  expect(run.stdout).not.toContain('note: ');
  expect(JSON.parse(p2pdma(['check', '-', '--json'], { input: orphan }).stdout)).toMatchObject({ command: 'check' });
});

/** Lines that are to be copied stand as they are. */
const COPIED = /^ {6}\S|^ {2}p2pdma |^ {4}Undo: |pci=|setpci|sys\/devices/;

const machines = [
  ...readdirSync(`${ROOT}tests/truth`)
    .filter((name) => name.endsWith('.tar.gz'))
    .map((name) => `tests/truth/${name}`),
  ...['one-switch', 'bus-offset', 'virtual-machine', 'two-host-bridges'].map((name) => `example:${name}`),
];

test.each(machines)(
  'the first screen of %s has at most 40 lines of 100 columns, and 60 where the terminal has 60',
  (machine) => {
    for (const columns of [100, 60]) {
      const { stdout } = p2pdma(['check', machine], { env: { COLUMNS: `${columns}` } });
      const lines = stdout.trimEnd().split('\n');
      const rows = lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / columns)), 0);
      if (columns === 100) expect(rows).toBeLessThanOrEqual(40);
      expect(lines.filter((line) => line.length > columns && !COPIED.test(line))).toEqual([]);
      expect(lines[0]).toContain(machine);
    }
  },
);

test('the worst comes first, with its fix and the command to type', () => {
  const { stdout } = check(ERRORS);
  const lines = stdout.split('\n');
  const first = lines.findIndex((line) => /^(ERROR|WARNING|NOTE) /.test(line));
  expect(lines[first]).toMatch(/^ERROR {2}/);
  expect(first).toBeLessThan(8);
  const next = lines.findIndex((line, index) => index > first && /^(ERROR|WARNING|NOTE) /.test(line));
  const worst = lines.slice(first, next).join('\n');
  expect(worst).toMatch(/\n {2}Fix: /);
  expect(worst).toMatch(/\n {6}\S/);
  expect(stdout).toContain(`p2pdma check ${ERRORS} --verbose`);
});

test('the commands that the report names take the pairs and the quotes along', () => {
  const { stdout } = check('example:two-host-bridges-split', '--pairs', '0000:01:00.0,0000:81:00.*');
  expect(stdout).toContain("p2pdma check example:two-host-bridges-split --pairs '0000:01:00.0,0000:81:00.*' --verbose");
});

const onTerminal = (command: string, env: NodeJS.ProcessEnv): string =>
  spawnSync('script', ['-qec', `${process.execPath} bin/p2pdma.js ${command}`, '/dev/null'], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, TERM: 'xterm', ...env },
  }).stdout;

const hasScript = spawnSync('script', ['--version']).error === undefined;

test.skipIf(!hasScript)(
  `colours only on a terminal that wants them${hasScript ? '' : ': script(1) is not installed'}`,
  () => {
    const command = `check ${WARNINGS}`;
    const plain = (text: string): boolean => !text.includes('\u001b');
    expect(plain(onTerminal(command, {}))).toBe(false);
    expect(plain(onTerminal(command, { NO_COLOR: '1' }))).toBe(true);
    expect(plain(onTerminal(command, { TERM: 'dumb' }))).toBe(true);
    expect(plain(onTerminal(`${command} --no-color`, {}))).toBe(true);
    expect(plain(check(WARNINGS).stdout)).toBe(true);
  },
);

/** A list of displays without a word about their memory. */
const displays = (vendor: string, device: string): string =>
  [
    `04:00.0 VGA compatible controller [0300]: ${vendor} Device [${device}] (rev a1)`,
    `05:00.0 VGA compatible controller [0300]: ${vendor} Device [${device}] (rev a1)`,
    '0c:00.0 VGA compatible controller [0300]: ASPEED Technology, Inc. ASPEED Graphics Family [1a03:2000] (rev 30)',
    '',
  ].join('\n');

test('GPUs are GPUs by class and maker, though the capture shows nothing of their memory', () => {
  const input = displays('NVIDIA Corporation', '10de:1b06');
  const { stdout } = p2pdma(['check', '-'], { input });
  expect(stdout).toContain('2 of 2 pairs cannot be judged');
  expect(stdout).toContain('GPUs 0000:04:00.0 and 0000:05:00.0');
  expect(/^Devices: .*$/m.exec(stdout)?.[0]).not.toContain('0000:0c:00.0');
});

test('displays of an unknown maker of which the capture shows no memory are named, and nothing is said to be in order', () => {
  const input = displays('Nobody', '1fe0:0001');
  const { stdout } = p2pdma(['check', '-'], { input });
  expect(stdout).toContain('part of a machine: nothing can be judged');
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
    '2 GPUs (0000:04:00.0 and 0000:05:00.0) by class, and the capture shows nothing of their memory: no pair can be judged.',
  );
  const { findings } = jsonOf(p2pdma(['check', '-', '--json'], { input })) as unknown as Document;
  expect(findings).toMatchObject([{ id: 'PARTIAL-LISTING', at: ['0000:04:00.0', '0000:05:00.0', '0000:0c:00.0'] }]);
});

test('of a listing that was cut it is not said that nothing offers memory', () => {
  const ids = `00: 34 12 01 00${' 00'.repeat(7)} 06${' 00'.repeat(4)}`;
  const rows = [ids, ...['10', '20', '30'].map((offset) => `${offset}:${' 00'.repeat(16)}`)];
  const functions = ['00:00.0', '00:01.0', '00:02.0'].map((name) => [
    `${name} Host bridge [0600]: x [1234:0001]`,
    ...rows,
    '',
  ]);
  const whole = functions.flat().join('\n');
  const cut = whole.slice(0, -100);
  const findings = (input: string): unknown =>
    (jsonOf(p2pdma(['check', '-', '--json'], { input })) as { findings: unknown }).findings;
  expect(findings(whole)).toMatchObject([{ id: 'NO-PROVIDER', sure: 'certain' }]);
  expect(findings(cut)).toMatchObject([{ id: 'PARTIAL-LISTING', sure: 'certain' }]);
  expect(p2pdma(['check', '-'], { input: cut }).stderr).toContain('it was cut, and functions behind may be missing');
});
