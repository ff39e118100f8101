/** `p2pdma run` on QEMU and on both engines, as a user calls it: the headline, its price, the saved machine. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { QEMU_CASES } from '../../src/engine/qemu/index.ts';
import { p2pdma, ROOT, type Run } from '../cli/run.ts';
import { missingQemu } from '../contract/missing-qemu.ts';

const missing = missingQemu();
const qemuTest = missing === null ? test : test.skip;
const reason = missing === null ? '' : ` (${missing})`;
const HEADLINE = `${ROOT}examples/ram-and-peer-one-iova.yaml`;
const CBA = `${ROOT}examples/cmb-base-in-the-way.yaml`;
const folder = mkdtempSync(join(tmpdir(), 'p2pdma-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

const RESULT =
  '16 pages, 2 memories, 1 IOVA, 1 SGL descriptor, 65536 of 65536 bytes equal; after unmap: fault recorded, requester 0000:03:00.0';

/** The headline on QEMU, run once: the machine is saved on the way. */
const SAVED = join(folder, 'machine.tar.gz');
let ran: Run | null = null;
function headline(): Run {
  ran ??= p2pdma(['run', HEADLINE, '--engine', 'qemu', '--save-machine', SAVED]);
  return ran;
}

/** The line before the last line break, blank lines left out. */
function lastLine(text: string): string | undefined {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .at(-1);
}

qemuTest(`the headline on QEMU ends with what came of it, the fault after unmap included${reason}`, () => {
  const { status, stdout } = headline();
  expect(lastLine(stdout)).toBe(RESULT);
  expect(status).toBe(0);
  // One record of VT-d: the page and the reason, read after the second attempt.
  expect(stdout).toMatch(/IOMMU fault after unmap: requester 0000:03:00\.0, write of 0x[0-9a-f]+000: notMapped/);
});

qemuTest(`both engines agree on the headline, and each ends its report with the same line${reason}`, () => {
  const { status, stdout, stderr } = p2pdma(['run', HEADLINE, '--engine', 'both']);
  expect(stderr).toBe('');
  expect(stdout.split('\n').filter((line) => line === RESULT).length).toBe(2);
  expect(lastLine(stdout)).toMatch(/^sim and qemu [\d.]+ agree: segments, statuses, bytes$/);
  expect(status).toBe(0);
});

qemuTest(`the report has a row for each case, a column for each setting, and each gap with its reason${reason}`, () => {
  const { stdout } = headline();
  const head = /^ +VT-d off +VT-d on \(this run\) +pass-through$/m.exec(stdout);
  expect(head).not.toBeNull();
  for (const name of ['a', 'b1', 'b2', 'c']) {
    const row = new RegExp(`^  \\(${name}\\) .*$`, 'm').exec(stdout)?.[0] ?? '';
    for (const { seen } of QEMU_CASES.filter((cell) => cell.case === name)) expect(row).toContain(seen);
  }
  const flat = stdout.replace(/\s+/g, ' ');
  for (const { notProvable } of QEMU_CASES) {
    if (notProvable !== null) expect(flat).toContain(`not provable here: ${notProvable}`);
  }
  const { cases } = JSON.parse(p2pdma(['run', HEADLINE, '--engine', 'qemu', '--json']).stdout) as { cases: unknown };
  expect(cases).toEqual(QEMU_CASES);
});

qemuTest(`what QEMU cannot show is not claimed: no road, no count of TLPs; notes name the functions${reason}`, () => {
  const { stdout } = headline();
  expect(stdout).toContain('road unseen');
  expect(stdout).not.toContain('TLP');
  expect(stdout.replace(/\s+/g, ' ')).toMatch(/left out: functions of the board; .*: 0000:00:00\.0/);
});

for (const engine of missing === null ? ['sim', 'qemu', 'both'] : ['sim']) {
  test(`a CMB base address equal to a live IOVA swallows 1 MiB meant for RAM with status 0, reserved it does not: --engine ${engine}`, () => {
    const { status, stdout, stderr } = p2pdma(['run', CBA, '--engine', engine]);
    expect(stderr).toBe('');
    const reports = engine === 'both' ? 2 : 1;
    const swallowed = stdout.split('\n').filter((line) => line.includes('swallowed with status 0'));
    expect(swallowed).toEqual(
      Array.from(
        { length: reports },
        () =>
          '  swallowed with status 0: 1048576 bytes are in the CMB of careless, whose CBA covers what they were mapped at',
      ),
    );
    expect(stdout.split('1048576 of 1048576 bytes equal\n').length - 1).toBe(2 * reports);
    expect(stdout).toContain('6 of 6 transfers as expected');
    expect(status).toBe(0);
  });
}

qemuTest(`a fault that a machine without ACS cannot have is refused, and said${reason}`, () => {
  const { status, stdout } = p2pdma(['run', 'examples/hazards.yaml', '--engine', 'both', '--json']);
  // QEMU's switch ports have no ACS, so on its machine nobody can set it.
  expect(status).toBe(3);
  expect(JSON.parse(stdout).error.message).toMatch(/cannot do this: ACS of dn0 became RR/);
});

qemuTest(
  `what QEMU cannot show is no failure without a name: (b2) with VT-d on is said at the vectors that met it${reason}`,
  () => {
    const { status, stdout } = p2pdma(['run', 'examples/the-mail.yaml', '--engine', 'qemu']);
    const flat = stdout.replace(/\s+/g, ' ');
    expect(flat).toMatch(/vectors 1, 2: \(b2\) with VT-d on is not provable here \(bus address faults\): VT-d of QEMU/);
    expect(lastLine(stdout)).toMatch(/^0 of 2 transfers as expected; both met what qemu [\d.]+ cannot show$/);
    // The data did not match, whoever is to blame.
    expect(status).toBe(5);
    const both = p2pdma(['run', 'examples/the-mail.yaml', '--engine', 'both']);
    expect(both.stdout).toMatch(/the engines part:\n.*\n.*bytes equal +all 20480 +damaged\n/);
    expect(both.status).toBe(5);
  },
);

qemuTest(`no hops are shown on QEMU, which is said where they were asked for${reason}`, () => {
  const file = join(folder, 'trace.json');
  const alone = p2pdma(['run', HEADLINE, '--engine', 'qemu', '--trace', file]);
  expect(alone.stderr).toMatch(/^qemu [\d.]+ shows no hops: --trace and --step have none of its run\n$/);
  expect(existsSync(file)).toBe(false);
  const both = p2pdma(['run', HEADLINE, '--engine', 'both', '--trace', file]);
  expect(both.stderr).toBe(alone.stderr);
  expect(JSON.parse(readFileSync(file, 'utf8')).traceEvents.length).toBeGreaterThan(1000);
});

qemuTest(
  `a target switched off or unplugged after mapping: both engines lose the bytes, and both tell${reason}`,
  () => {
    const scenario = join(folder, 'gone.yaml');
    const machine = readFileSync(HEADLINE, 'utf8').split('transfers:')[0] as string;
    const transfer = (name: string, fault: string): string =>
      `  - { name: ${name}, device: mapper, direction: fromDevice, vectors: [{ memory: peer, length: 64KiB }], ${fault} }\n`;
    const text =
      transfer('off', 'faults: [{ at: afterMap, memorySpaceOff: peer }], expect: damaged') +
      transfer('unplugged', 'faults: [{ at: afterMap, unplug: peer }], expect: damaged');
    writeFileSync(scenario, `${machine}transfers:\n${text}`);
    const { status, stdout, stderr } = p2pdma(['run', scenario, '--engine', 'both']);
    expect(stderr).toBe('');
    expect(stdout.split('injected: Memory Space Enable of peer went off').length - 1).toBe(2);
    expect(stdout.split('injected: peer was unplugged').length - 1).toBe(2);
    expect(stdout.split('; expected damaged, as it came').length - 1).toBe(4);
    expect(lastLine(stdout)).toMatch(/^sim and qemu [\d.]+ agree/);
    expect(status).toBe(0);
  },
);

qemuTest(
  `what is outside the envelope is refused by the driver, transfer by transfer, and the others run${reason}`,
  () => {
    const scenario = join(folder, 'envelope.yaml');
    const machine = (readFileSync(HEADLINE, 'utf8').split('iommu:')[0] as string).replace(
      'nvme: peer,',
      'nvme: peer, relativeSgl: true,',
    );
    const transfers = [
      'name: odd pieces, device: mapper, vectors: [{ memory: peer, length: 1000 }, { memory: ram, length: 24 }]',
      'name: relative, device: peer, relativeSgl: true, vectors: [{ memory: self, length: 4KiB }]',
      'name: whole blocks, device: mapper, vectors: [{ memory: peer, length: 1024 }, { memory: ram, length: 512 }]',
    ].map((fields) => `  - { direction: fromDevice, ${fields} }\n`);
    writeFileSync(scenario, `${machine}transfers:\n${transfers.join('')}`);
    const { status, stdout } = p2pdma(['run', scenario, '--engine', 'both', '--json']);
    const { reports, differences } = JSON.parse(stdout) as {
      reports: { transfers: { refusal: { code: string } | null; asExpected: boolean }[] }[];
      differences: object[];
    };
    const codes = reports.map((report) => report.transfers.map(({ refusal }) => refusal?.code ?? 'moved'));
    expect(codes).toEqual([
      ['moved', 'moved', 'moved'],
      ['NVME_PIECE_GRANULE', 'NVME_RELATIVE_NOT_OFFERED', 'moved'],
    ]);
    expect(reports[1]?.transfers.map(({ asExpected }) => asExpected)).toEqual([false, false, true]);
    expect(differences).toContainEqual({
      transfer: 'odd pieces',
      what: 'refusal',
      first: 'none',
      second: 'NVME_PIECE_GRANULE',
    });
    expect(status).toBe(5);
  },
);

qemuTest(`what a file asks for and QEMU has otherwise is said, under the names of the file${reason}`, () => {
  const scenario = join(folder, 'otherwise.yaml');
  writeFileSync(
    scenario,
    `machine:
  ram: [{ start: 4GiB, size: 64MiB }]
  hostBridges:
    - busOffset: -4294967296
      rootPorts:
        - port: rp0
          below:
            - switch: sw0
              ports:
                - { port: dn0, acs: [RR], below: [{ nvme: a, cmb: 4MiB, cdpmls: true, relativeSgl: true }] }
                - { port: dn1, acs: clear, below: [{ nvme: b, cmb: 4KiB }] }
                - { port: dn2, acs: clear, below: [{ device: gpu, memory: 16GiB }] }
rootComplex: drop
prepare: false
transfers:
  - { name: it, device: a, direction: fromDevice, vectors: [{ memory: ram, length: 8KiB }] }
`,
  );
  const { status, stdout } = p2pdma(['run', scenario, '--engine', 'qemu', '--json']);
  expect(status).toBe(0);
  const { notes } = JSON.parse(stdout) as { notes: string[] };
  for (const note of [
    /without ACS: .*: dn0, dn1 and dn2$/,
    /without a controller memory buffer: .*: b$/,
    /with smaller memory: .*: gpu$/,
    /no offset: /,
    /^with 239 MiB of RAM, from 0x100000 on/,
    /^with a root complex that forwards: 'drop' cannot be had$/,
    /^with Memory Space and Bus Master Enable set everywhere/,
    /\(cdpmls\), so they are split: a$/,
    /^without the relative SGL, .*: a$/,
    /^lost without a word: a write to an address that nobody decodes/,
  ]) {
    expect(notes).toContainEqual(expect.stringMatching(note));
  }
});

interface Topo {
  readonly machine: { readonly functions: number; readonly cpu: string; readonly kernel: string };
  readonly functions: readonly { readonly name: string; readonly parent: string | null; readonly portType: string }[];
}

qemuTest(`--save-machine writes the machine that QEMU enumerated, and topo and matrix read it${reason}`, () => {
  const { status, stderr } = headline();
  expect(status).toBe(0);
  expect(stderr).toBe(`${SAVED}: the machine that QEMU enumerated, 9 functions\n`);
  expect(readFileSync(SAVED).subarray(0, 2).toString('hex')).toBe('1f8b');

  const topo = JSON.parse(p2pdma(['topo', SAVED, '--json']).stdout) as Topo;
  expect(topo.machine).toMatchObject({ functions: 9, cpu: 'AuthenticAMD:23', kernel: '6.12.0' });
  // The tree of the scenario: mapper below a switch below rp0, peer below rp1, beside what the board has.
  expect(topo.functions.map(({ name, parent, portType }) => `${name} ${parent} ${portType}`)).toEqual([
    '0000:00:00.0 null conventional',
    '0000:00:01.0 null rootPort',
    '0000:00:02.0 null rootPort',
    '0000:00:1f.0 null conventional',
    '0000:01:00.0 0000:00:01.0 upstreamPort',
    '0000:02:00.0 0000:01:00.0 downstreamPort',
    '0000:02:01.0 0000:01:00.0 downstreamPort',
    '0000:03:00.0 0000:02:00.0 endpoint',
    '0000:05:00.0 0000:00:02.0 endpoint',
  ]);
  const pair = ['--providers', '0000:05:00.0', '--clients', '0000:03:00.0'];
  const matrix = JSON.parse(p2pdma(['matrix', SAVED, '--json', ...pair]).stdout) as {
    policy: string;
    pairs: { case: string }[];
  };
  expect([matrix.policy, ...matrix.pairs.map((one) => one.case)]).toEqual(['linux-6.12', 'b1']);
});

qemuTest(`a machine saved with pass-through is read back as one: its groups are identity${reason}`, () => {
  const file = join(folder, 'pt.tar');
  const scenario = join(folder, 'pt.yaml');
  writeFileSync(
    scenario,
    readFileSync(HEADLINE, 'utf8').replace('iommu: on', 'iommu: passthrough').replace('stopped', 'moved'),
  );
  const { status, stdout } = p2pdma(['run', scenario, '--engine', 'qemu', '--save-machine', file]);
  expect(stdout).toContain('after unmap: no fault recorded, 65536 bytes arrived again');
  expect(status).toBe(0);
  const topo = JSON.parse(p2pdma(['topo', file, '--json']).stdout) as { functions: { iommuGroupType: string }[] };
  expect(new Set(topo.functions.map(({ iommuGroupType }) => iommuGroupType))).toEqual(new Set(['identity']));
});

test('--save-machine is refused where there is nothing to save, and for a file that is no archive', () => {
  const onSim = p2pdma(['run', HEADLINE, '--save-machine', join(folder, 'x.tar')]);
  expect([onSim.status, onSim.stderr]).toEqual([
    2,
    expect.stringMatching(/--save-machine: the simulator enumerates no machine/),
  ]);
  const noArchive = p2pdma(['run', HEADLINE, '--engine', 'qemu', '--save-machine', join(folder, 'x.zip')]);
  expect([noArchive.status, noArchive.stderr]).toEqual([2, expect.stringMatching(/does not end in \.tar\.gz/)]);
});

qemuTest(`a place that cannot be written is said, and QEMU is gone${reason}`, () => {
  const { status, stderr } = p2pdma(['run', HEADLINE, '--engine', 'qemu', '--save-machine', '/nowhere/x.tar']);
  expect(stderr).toMatch(/^\/nowhere\/x\.tar: could not be written: ENOENT\nhint: /);
  expect(status).toBe(3);
});
