/** The command's contract: what scripts rely on. */

import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decompress, treeOfTar } from '../../src/machine/read/archive/archive.ts';
import type { FileTree } from '../../src/machine/read/root/file-tree.ts';
import { readTruth, truthType } from '../kernel/truth.ts';
import { jsonOf, p2pdma, ROOT } from './run.ts';

const TRUTH = `${ROOT}tests/truth/`;
const SWITCH = `${TRUTH}iommu-lazy-switch4-acs-off2.tar.gz`;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'p2pdma-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Pair {
  provider: string;
  client: string;
  type: string;
  case: string;
  distance: number | null;
  reasons: { code: string; at: string[]; message: string }[];
}

test('matrix: every pair of every truth machine through the command, as Linux 6.12 judged it', async () => {
  let pairs = 0;
  for (const { truth } of await readTruth()) {
    const file = `${process.env['P2PDMA_TRUTH'] ?? TRUTH}/${truth.name}.tar.gz`;
    const run = p2pdma(['matrix', file, '--json', '--providers', 'all', '--clients', 'all']);
    expect({ status: run.status, stderr: run.stderr }, truth.name).toEqual({ status: 0, stderr: '' });
    const document = jsonOf(run) as unknown as { policy: string; machine: object; pairs: Pair[] };
    expect(document.policy).toBe('linux-6.12');
    expect(document.machine).toEqual({
      source: file,
      functions: truth.functions.length,
      cpu: `${truth.machine.cpu.vendor}:${truth.machine.cpu.family}`,
      cpuInferred: null,
      kernel: truth.machine.kernel_release,
    });
    const found = new Map(document.pairs.map((pair) => [`${pair.provider} ${pair.client}`, pair]));
    expect(document.pairs.length, truth.name).toBe(truth.functions.length ** 2);
    expect(found.size, truth.name).toBe(document.pairs.length);
    for (const asked of truth.distance) {
      const pair = found.get(`${asked.p} ${asked.c}`);
      const wanted = { type: truthType(truth, asked), distance: asked.d === -1 ? pair?.distance : asked.d };
      expect({ type: pair?.type, distance: pair?.distance }, `${truth.name}: ${asked.p} -> ${asked.c}`).toEqual(wanted);
      pairs++;
    }
  }
  console.log(`compared ${pairs} pairs through the command`);
});

test('matrix: keys and their order are the contract’s, provider by provider, clients sorted', () => {
  const { stdout } = p2pdma([
    'matrix',
    SWITCH,
    '--json',
    '--providers',
    '06:00.0,03:00.0',
    '--clients',
    '04:00.0,03:00.0',
  ]);
  const document = JSON.parse(stdout);
  expect(Object.keys(document)).toEqual(['schemaVersion', 'command', 'policy', 'machine', 'pairs']);
  expect(Object.keys(document.machine)).toEqual(['source', 'functions', 'cpu', 'cpuInferred', 'kernel']);
  expect(document).toMatchObject({ schemaVersion: 1, command: 'matrix' });
  expect(document.pairs.map((pair: Pair) => `${pair.provider} ${pair.client} ${pair.type} ${pair.case}`)).toEqual([
    '0000:03:00.0 0000:03:00.0 busAddr c',
    '0000:03:00.0 0000:04:00.0 thruHostBridge b1',
    '0000:06:00.0 0000:03:00.0 busAddr b2',
    '0000:06:00.0 0000:04:00.0 thruHostBridge b1',
  ]);
  for (const pair of document.pairs) {
    expect(Object.keys(pair)).toEqual(['provider', 'client', 'type', 'case', 'distance', 'reasons', 'likely']);
    for (const reason of pair.reasons) expect(Object.keys(reason)).toEqual(['code', 'at', 'message']);
  }
});

test('matrix: providers are by default what has a memory BAR of 1 MiB or more, clients all endpoints', () => {
  const { pairs } = jsonOf(p2pdma(['matrix', SWITCH, '--json'])) as unknown as { pairs: Pair[] };
  const providers = [...new Set(pairs.map((pair) => pair.provider))];
  const clients = [...new Set(pairs.map((pair) => pair.client))];
  expect(providers).toEqual(['0000:03:00.0', '0000:04:00.0', '0000:05:00.0', '0000:06:00.0']);
  expect(clients).toEqual([
    '0000:00:00.0',
    '0000:00:1f.0',
    '0000:00:1f.2',
    '0000:00:1f.3',
    ...providers,
    '0000:07:00.0',
  ]);
});

/** Writes a tree out as folders, files and links. */
function unpack(tree: FileTree, from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of tree.list(from) ?? []) {
    const path = from === '' ? name : `${from}/${name}`;
    const target = tree.linkTarget(path);
    const bytes = target === null ? tree.read(path) : null;
    if (target !== null) symlinkSync(target, join(to, name));
    else if (bytes === null) unpack(tree, path, join(to, name));
    else writeFileSync(join(to, name), bytes);
  }
}

test('MACHINE: an archive, plain or compressed, a folder, a folder one deep, standard input and an example are one machine', async () => {
  const bytes = readFileSync(SWITCH);
  const tar = join(folder, 'plain.tar');
  writeFileSync(tar, gunzipSync(bytes));
  const root = join(folder, 'captured');
  unpack(await treeOfTar(await decompress(bytes, SWITCH), SWITCH), '', root);
  mkdirSync(join(folder, 'nested'));
  cpSync(root, join(folder, 'nested/host'), { recursive: true, verbatimSymlinks: true });
  const pairsOf = (machine: string, input?: Buffer): unknown => {
    const run = p2pdma(['matrix', machine, '--json'], input === undefined ? {} : { input });
    expect({ status: run.status, stderr: run.stderr }, machine).toEqual({ status: 0, stderr: '' });
    return jsonOf(run)['pairs'];
  };
  const wanted = pairsOf(SWITCH);
  expect(pairsOf(tar)).toEqual(wanted);
  expect(pairsOf(root)).toEqual(wanted);
  expect(pairsOf(join(folder, 'nested'))).toEqual(wanted);
  expect(pairsOf('-', bytes)).toEqual(wanted);
  expect(pairsOf('example:iommu-lazy-switch4-acs-off2')).toEqual(wanted);
});

test('a kernel older than all rules is judged by the newest, and a note says so; a policy that is named needs none', () => {
  const input = 'Linux version 5.15.0-91-generic x\n00:00.0 0600: 8086:2020\n';
  const run = p2pdma(['matrix', '-', '--json'], { input });
  expect(jsonOf(run)).toMatchObject({ policy: 'linux-7.0', machine: { kernel: '5.15.0-91-generic' } });
  expect(run.stderr).toContain('note: Linux 5.15.0-91-generic is older than all rules');
  expect(p2pdma(['matrix', '-', '--policy', 'linux-7.0'], { input }).stderr).not.toContain('older than');
});

test('--policy names any release from the oldest rules on, with or without its third number', () => {
  const judgedBy = (policy: string): unknown =>
    jsonOf(p2pdma(['matrix', SWITCH, '--json', '--policy', policy]))['policy'];
  expect(judgedBy('linux-6.6')).toBe('linux-6.1');
  expect(judgedBy('linux-6.19.3')).toBe('linux-6.12');
  expect(judgedBy('linux-7.3')).toBe('linux-7.0');
  for (const wrong of ['linux-6.0.9', 'linux-7.4', 'linux-6.12.', 'linux-6', '6.12', 'linux-6.12.1.2']) {
    const run = p2pdma(['matrix', SWITCH, '--policy', wrong]);
    expect([run.status, run.stderr], wrong).toEqual([2, expect.stringContaining('linux-')]);
  }
});

test('--cpu and --policy: printed decimal, given names win over the machine’s kernel', () => {
  const run = p2pdma(['matrix', SWITCH, '--json', '--cpu', 'AuthenticAMD:0x19', '--policy', 'linux-6.1']);
  expect(jsonOf(run)).toMatchObject({ policy: 'linux-6.1', machine: { cpu: 'AuthenticAMD:25' } });
  expect(run.stderr).toContain('AuthenticAMD:25 is taken instead of AuthenticAMD:23');
  const bare = p2pdma(['matrix', '-', '--json'], {
    input:
      '00:00.0 Host bridge: x\n00: 86 80 00 12 00 00 00 00 00 00 00 06 00 00 00 00\n10: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n20: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n30: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n',
  });
  expect(jsonOf(bare)).toMatchObject({ policy: 'linux-7.0', machine: { cpu: null, kernel: null, source: 'stdin' } });
});

test('a command line never changes a verdict', () => {
  const ask = (...more: string[]): unknown => jsonOf(p2pdma(['matrix', SWITCH, '--json', ...more]))['pairs'];
  expect(ask('--kernel-cmdline', 'pci=disable_acs_redir=pci:0:0 iommu=off nonsense=1')).toEqual(ask());
});

const REFUSED: readonly [title: string, args: string[], status: number, code: string, path: string][] = [
  ['no command', [], 2, 'USAGE_COMMAND_MISSING', 'p2pdma'],
  ['an unknown command', ['matrx'], 2, 'USAGE_COMMAND_UNKNOWN', 'p2pdma'],
  ['an unknown option', ['matrix', '--provider', 'all'], 2, 'USAGE_OPTION_UNKNOWN', 'p2pdma matrix'],
  ['an option without its value', ['matrix', '--policy'], 2, 'USAGE_OPTION_VALUE', 'p2pdma matrix'],
  ['too many arguments', ['topo', 'a', 'b'], 2, 'USAGE_ARGUMENT_EXCESS', 'p2pdma topo'],
  ['too few arguments', ['explain', SWITCH, '03:00.0'], 2, 'USAGE_ARGUMENT_MISSING', 'p2pdma explain'],
  ['an unknown policy', ['matrix', SWITCH, '--policy', 'linux-6.0'], 2, 'USAGE_OPTION_VALUE', '--policy'],
  ['a bad CPU', ['matrix', SWITCH, '--cpu', 'AMD'], 2, 'USAGE_OPTION_VALUE', '--cpu'],
  ['an unknown example', ['matrix', 'example:one-swich'], 2, 'USAGE_EXAMPLE_UNKNOWN', 'example:one-swich'],
  ['a malformed selector', ['matrix', SWITCH, '--clients', 'nvme0'], 2, 'SELECTOR_MALFORMED', '--clients'],
  [
    'a selector that matches nothing',
    ['matrix', SWITCH, '--providers', '0000:09:00.0'],
    2,
    'SELECTOR_NO_MATCH',
    '--providers',
  ],
  ['a device that is not there', ['explain', SWITCH, '03:00.0', '09:00.0'], 2, 'SELECTOR_NO_MATCH', 'CLIENT'],
  ['a selector of several', ['explain', SWITCH, 'id:1b36:', '03:00.0'], 2, 'SELECTOR_AMBIGUOUS', 'PROVIDER'],
  ['a missing file', ['matrix', 'no/such/file.tar.gz'], 3, 'INPUT_NOT_FOUND', 'no/such/file.tar.gz'],
  ['a path through a file', ['matrix', 'package.json/x'], 3, 'INPUT_NOT_FOUND', 'package.json/x'],
  ['an empty input', ['matrix', '-'], 3, 'INPUT_EMPTY', 'stdin'],
  ['a folder without PCI', ['matrix', 'src/core'], 3, 'INPUT_NO_PCI', 'src/core'],
  ['a file of something else', ['topo', 'package-lock.json'], 3, 'INPUT_FORMAT_UNKNOWN', 'package-lock.json'],
  [
    'a capture that cannot be written',
    ['capture', '-o', '/no/such/folder/x.tar.gz'],
    3,
    'OUTPUT_WRITE_FAILED',
    '/no/such/folder/x.tar.gz',
  ],
  ['a capture of no known kind', ['capture', '-o', 'x.zip'], 2, 'USAGE_OPTION_VALUE', '--output'],
];

test.each(REFUSED)('refused: %s', (_, args, status, code, path) => {
  const plain = p2pdma(args);
  expect(plain.status).toBe(status);
  expect(plain.stdout).toBe('');
  const [first = '', second = ''] = plain.stderr.split('\n');
  expect(first.startsWith(`${path}: `)).toBe(true);
  expect(second).toMatch(/^hint: \S/);
  const json = p2pdma([...args.slice(0, 1), '--json', ...args.slice(1)]);
  expect(json.status).toBe(status);
  const document = jsonOf(json) as { schemaVersion: number; error: Record<string, string> };
  expect(Object.keys(document)).toEqual(['schemaVersion', 'error']);
  expect(document.error).toMatchObject({ code, path });
  expect(Object.keys(document.error).slice(0, 4)).toEqual(['code', 'path', 'message', 'hint']);
});

test('nearest names: commands, options, policies, files, devices', () => {
  expect(p2pdma(['matrx']).stderr).toContain('did you mean matrix?');
  expect(p2pdma(['matrix', '--provider', 'all']).stderr).toContain('--providers');
  expect(p2pdma(['matrix', 'packge.json']).stderr).toContain('package.json');
  expect(p2pdma(['explain', SWITCH, '03:00.1', '04:00.0']).stderr).toContain('0000:03:00.0');
  expect(jsonOf(p2pdma(['matrix', 'nope', '--json']))).toMatchObject({ error: { errno: 'ENOENT' } });
});

test('a file that may not be read: EACCES, exit 3', () => {
  const file = join(folder, 'secret.tar.gz');
  writeFileSync(file, readFileSync(SWITCH), { mode: 0 });
  // Root may read everything: the command is then run without that privilege.
  const asRoot = process.getuid?.() === 0;
  const run = p2pdma(['matrix', file, '--json'], { withoutPrivileges: asRoot });
  expect(run.status).toBe(3);
  expect(['EACCES', undefined]).toContain((jsonOf(run)['error'] as { errno?: string }).errno);
});

test('the whole answer of a large question arrives through a pipe', () => {
  const run = p2pdma(['matrix', `${TRUTH}syn-grow-02.tar.gz`, '--json', '--providers', 'all', '--clients', 'all']);
  expect(run.stdout.length).toBeGreaterThan(100_000);
  expect(run.stdout.endsWith('\n]}\n')).toBe(true);
});

test('a reader that goes away ends the command at once, without a word', async () => {
  const child = spawn(process.execPath, [
    `${ROOT}bin/p2pdma.js`,
    'matrix',
    SWITCH,
    '--json',
    '--providers',
    'all',
    '--clients',
    'all',
  ]);
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdout.destroy();
  const status = await new Promise((resolve) => {
    child.on('close', resolve);
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test('interrupted: 130', async () => {
  const start = performance.now();
  p2pdma(['--version']);
  // Long enough for the command to wait for its input, however busy this computer is.
  const settled = 1000 + 5 * (performance.now() - start);
  const child = spawn(process.execPath, [`${ROOT}bin/p2pdma.js`, 'matrix', '-'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.stdin.write('00:00.0 Host bridge: x\n');
  await new Promise((resolve) => {
    setTimeout(resolve, settled);
  });
  child.kill('SIGINT');
  const status = await new Promise((resolve) => {
    child.on('close', resolve);
  });
  expect(status).toBe(130);
});

test('no colour where stdout is no terminal, and none of the words hang on it', () => {
  for (const args of [
    ['matrix', SWITCH],
    ['topo', SWITCH],
    ['explain', SWITCH, '03:00.0', '04:00.0'],
  ]) {
    expect(p2pdma(args, { env: { FORCE_COLOR: '1' } }).stdout).not.toContain('\u001b');
  }
});

test('--version prints the package’s version, --help begins with examples', () => {
  const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'));
  expect(p2pdma(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  for (const command of [[], ['matrix'], ['topo'], ['explain'], ['capture'], ['examples'], ['map']]) {
    const help = p2pdma([...command, '--help']);
    expect(help.status).toBe(0);
    expect(help.stdout.startsWith('Examples:\n')).toBe(true);
    expect(p2pdma(['help', ...command]).stdout).toBe(help.stdout);
  }
});

test('examples: every one is read, judged and drawn, and there are at least six shapes', () => {
  const { examples } = jsonOf(p2pdma(['examples', '--json'])) as { examples: { name: string; about: string }[] };
  expect(examples.length).toBeGreaterThanOrEqual(6);
  for (const { name } of examples) {
    const matrix = p2pdma(['matrix', `example:${name}`]);
    expect(matrix.status, name).toBe(0);
    expect(matrix.stdout, name).toContain('Legend');
    expect(p2pdma(['topo', `example:${name}`]).status, name).toBe(0);
  }
});

test('topo: JSON holds every function with its parent, ACS registers and BARs', () => {
  const document = jsonOf(p2pdma(['topo', SWITCH, '--json'])) as {
    rootBuses: unknown[];
    functions: { name: string; parent: string | null; acs: object; bars: object[] }[];
  };
  const at = (name: string): object | undefined => document.functions.find((fn) => fn.name === name);
  expect(document.rootBuses).toEqual([
    { domain: '0x0000', bus: '0x00', firstFunction: '0000:00:00.0', evidence: 'sysfs', orphans: false },
  ]);
  expect(at('0000:02:01.0')).toMatchObject({
    parent: '0000:01:00.0',
    portType: 'downstreamPort',
    iommuGroup: 6,
    acs: { state: 'present', control: '0x001d', on: ['SV', 'RR', 'CR', 'UF'] },
  });
  expect(at('0000:03:00.0')).toMatchObject({ parent: '0000:02:00.0', driver: 'nvme', acs: { state: 'absent' } });
});

test('explain: JSON tells the road, the registers, both verdicts, the change and its cost', () => {
  const document = jsonOf(p2pdma(['explain', SWITCH, '03:00.0', '04:00.0', '--json']));
  expect(document).toMatchObject({
    command: 'explain',
    provider: '0000:03:00.0',
    client: '0000:04:00.0',
    road: {
      common: '0000:01:00.0',
      providerLeg: [
        { function: '0000:03:00.0' },
        { function: '0000:02:00.0' },
        { function: '0000:01:00.0', role: 'common' },
      ],
      clientLeg: [
        { function: '0000:04:00.0' },
        { function: '0000:02:01.0', redirects: true, decides: true, acs: { register: '0xf86', control: '0x001d' } },
      ],
    },
    verdicts: [
      { provider: '0000:03:00.0', type: 'thruHostBridge', case: 'b1' },
      { provider: '0000:04:00.0', type: 'thruHostBridge', case: 'b1' },
    ],
    missing: null,
    change: {
      needed: true,
      settings: {
        clear: [{ function: '0000:02:01.0', devicePath: '0000:00:02.0/00.0/01.0', before: '0x001d', after: '0x0011' }],
        type: 'busAddr',
        // The command line names two ports already: one option holds all three.
        disableAcsRedir: {
          text: 'pci=disable_acs_redir=0000:00:02.0/00.0/00.0;0000:00:02.0/00.0/03.0;0000:00:02.0/00.0/01.0',
        },
        configAcs: {
          text: 'pci=config_acs=x0x00xx@0000:00:02.0/00.0/00.0;x0x00xx@0000:00:02.0/00.0/03.0;0010001@0000:00:02.0/00.0/01.0',
        },
        isolation: { evidence: 'groups', joined: [{ groups: [6, 9] }] },
      },
    },
  });
});

interface Parameter {
  text: string;
  shell: string;
  grub: string;
}

test('explain: a shell hands the quoted parameters on whole, and GRUB’s own shell finds them quoted', () => {
  const { change } = jsonOf(p2pdma(['explain', 'example:acs-on', '0001:05:00.0', '0001:08:00.0', '--json'])) as {
    change: { settings: { disableAcsRedir: Parameter; configAcs: Parameter } };
  };
  for (const { text, shell, grub } of [change.settings.disableAcsRedir, change.settings.configAcs]) {
    expect(text.split(';')).toHaveLength(4);
    expect(spawnSync('sh', ['-c', `printf %s ${shell}`], { encoding: 'utf8' }).stdout).toBe(text);
    // /etc/default/grub is read by sh; what it leaves in the variable is read by a shell once more, in grub.cfg.
    const variable = spawnSync('sh', ['-c', `GRUB_CMDLINE_LINUX=quiet; ${grub}; printf %s "$GRUB_CMDLINE_LINUX"`], {
      encoding: 'utf8',
    }).stdout;
    expect(spawnSync('sh', ['-c', `printf '%s|' ${variable}`], { encoding: 'utf8' }).stdout).toBe(`quiet|${text}|`);
  }
});

test('explain: MACHINE before the pair or behind it, and the device path it prints is a selector', () => {
  const before = p2pdma(['explain', SWITCH, '0000:00:02.0/00.0/01.0', '04:00.0', '--json']);
  const behind = p2pdma(['explain', '02:01.0', '04:00.0', SWITCH, '--json']);
  expect(before.status).toBe(0);
  expect(jsonOf(behind)).toEqual(jsonOf(before));
});

test('live without root: an answer all the same, and a note on what could not be read', ({ skip }) => {
  if (process.platform !== 'linux' || !existsSync('/sys/bus/pci/devices')) skip('this computer shows no PCI');
  const run = p2pdma(['topo', 'live', '--json'], { withoutPrivileges: process.getuid?.() === 0 });
  expect(run.status).toBe(0);
  const { notes } = jsonOf(run) as { notes: { code: string }[] };
  expect(notes.map((note) => note.code)).toContain('CONFIG_HEADER_ONLY');
  expect(run.stderr).toContain('run again as root');
});

test('capture: this computer, read back, is this computer', ({ skip }) => {
  const file = join(folder, 'this.tar.gz');
  const run = p2pdma(['capture', '-o', file, '--json']);
  if (run.status === 3) skip('this computer shows no PCI');
  const captured = jsonOf(run) as { functions: number; file: string };
  expect(captured).toMatchObject({ file });
  const ask = (machine: string): Record<string, unknown> =>
    jsonOf(p2pdma(['matrix', machine, '--json', '--providers', 'all', '--clients', 'all']));
  expect(ask(file)['pairs']).toEqual(ask('live')['pairs']);
  expect((ask(file)['machine'] as { functions: number }).functions).toBe(captured.functions);
});
