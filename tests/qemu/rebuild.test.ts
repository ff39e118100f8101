/** Any machine becomes a QEMU command line of its shape, and what had to be left out is said. */

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  commandLine,
  QemuEngine,
  type RebuildNoteCode,
  type RebuiltMachine,
  rebuildMachine,
  rebuildText,
  STANDALONE,
} from '../../src/engine/qemu/index.ts';
import { type Machine, readMachine } from '../../src/machine/index.ts';
import type { TreeDescription } from '../../src/pcie/index.ts';
import { builtMachine, MIB, memory, nvme, switchTree } from '../contract/bed.ts';
import { missingQemu } from '../contract/missing-qemu.ts';
import { bytesOfDump, CORPUS, dumpNames, SKIPPED } from '../corpus/corpus.ts';
import { bundledMachines } from './bundled.ts';
import { othersDisagree } from './two-others.ts';

const MISSING = missingQemu();
const BIN = new URL('../../bin/p2pdma.js', import.meta.url).pathname;

function noted(rebuilt: RebuiltMachine, code: RebuildNoteCode): readonly string[] {
  return rebuilt.notes.find((note) => note.code === code)?.functions ?? [];
}

function rebuilt(tree: TreeDescription): RebuiltMachine {
  return rebuildMachine(builtMachine(tree).machine);
}

/** Every function is a part of the description, or is left out: one of both, and once. */
function expectAccountedFor(machine: Machine, result: RebuiltMachine): void {
  const names: string[] = [];
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(collect);
    else if (typeof value === 'object' && value !== null) {
      const { name } = value as { name?: string };
      if (name !== undefined) names.push(name);
      Object.values(value).forEach(collect);
    }
  };
  collect(result.description.rootBuses);
  const expected = machine.hierarchy.functions.map(({ name }) => name).sort();
  expect([...names, ...result.leftOut].sort(), machine.source).toEqual(expected);
}

describe('the shape of a machine for QEMU', () => {
  test('a switch with controllers and memories is rebuilt part by part, under the names of the functions', () => {
    const { description, leftOut } = rebuilt(switchTree());
    expect(leftOut).toEqual(['0000:00:00.0']);
    expect(description.rootBuses[0]?.children).toMatchObject([
      {
        kind: 'rootPort',
        acs: false,
        below: [
          {
            kind: 'switch',
            ports: [
              { below: [{ kind: 'nvme', name: '0000:03:00.0', cmbBytes: 0 }] },
              { below: [{ kind: 'nvme', name: '0000:04:00.0', cmbBytes: 16 * MIB }] },
              { below: [{ kind: 'memory', bytes: 16 * MIB }] },
            ],
          },
        ],
      },
      { kind: 'rootPort', below: [{ kind: 'memory' }] },
    ]);
  });

  test('ACS of root ports is kept; of switch ports and endpoints it is left out with a note', () => {
    const result = rebuilt(switchTree(['RR', 'CR', 'UF']));
    expect(result.description.rootBuses[0]?.children[0]).toMatchObject({ acs: 0x1c });
    expect(noted(result, 'SWITCH_ACS')).toEqual(['0000:02:00.0', '0000:02:01.0', '0000:02:02.0']);
    const endpoint = rebuilt({
      rootBuses: [
        {
          children: [
            {
              kind: 'rootPort',
              below: [{ kind: 'endpoint', functions: [{ acs: ['RR'], bars: [{ size: MIB }] }] }],
            },
          ],
        },
      ],
    });
    expect(noted(endpoint, 'ENDPOINT_ACS')).toEqual(['0000:01:00.0']);
  });

  test('what a q35 cannot have is noted: offsets, domains, integrated devices beyond bus 0, large memories, other CPUs', () => {
    const { machine } = builtMachine({
      rootBuses: [
        { busOffset: MIB, children: [{ kind: 'rootPort', below: [memory('large', 2 ** 34)] }] },
        { bus: 64, children: [nvme('integrated'), { kind: 'rootPort', below: [nvme('far')] }] },
        { domain: 1, children: [{ kind: 'rootPort', below: [nvme('other')] }] },
      ],
    });
    const result = rebuildMachine({ ...machine, cpu: { vendor: 'GenuineIntel', family: 99 } });
    expect(noted(result, 'BUS_OFFSET').length).toBeGreaterThan(0);
    expect(noted(result, 'MEMORY_SIZE')).toEqual(['0000:01:00.0']);
    expect(noted(result, 'PXB_ENDPOINT')).toEqual(['0000:40:01.0']);
    expect(noted(result, 'DOMAIN').length).toBeGreaterThan(0);
    expect(result.leftOut).not.toContain('0000:40:01.0');
    expect(result.description.rootBuses[1]?.children).toMatchObject([
      { below: [{ name: '0000:41:00.0' }] },
      { kind: 'rootPort', acs: false, below: [{ name: '0000:40:01.0' }] },
    ]);
    expect(result.description.cpu).toBe('Skylake-Server');
    expect(noted(result, 'CPU')).toEqual([]);
    expect(result.notes.some(({ code, message }) => code === 'CPU' && message.includes('family 99'))).toBe(true);
    expect(result.description.rootBuses.map(({ bus }) => bus)).toEqual([0, 64, 67]);
  });

  test('Virtual Functions, and functions without memory, are left out or stood for', () => {
    const result = rebuilt({
      rootBuses: [
        {
          children: [
            {
              kind: 'rootPort',
              below: [
                {
                  kind: 'endpoint',
                  functions: [
                    { bars: [{ size: MIB }], sriov: { vfs: 2, bars: [{ size: 65536 }] } },
                    { classCode: 0x020000, bars: [{ size: 256 }] },
                  ],
                },
              ],
            },
          ],
        },
      ],
    });
    expect(noted(result, 'VIRTUAL_FUNCTION').length).toBe(2);
    expect(noted(result, 'PLACEHOLDER')).toEqual(['0000:01:00.1']);
  });

  test('more buses than there are: the rest is left out with a note, and every name is accounted for', () => {
    const children = Array.from({ length: 30 }, () => ({
      kind: 'rootPort' as const,
      below: [{ kind: 'switch' as const, ports: Array.from({ length: 6 }, () => ({})) }],
    }));
    const { machine } = builtMachine({ rootBuses: [{ children }, { domain: 1, children }] });
    const result = rebuildMachine(machine);
    expect(noted(result, 'BUSES').length).toBeGreaterThan(0);
    expectAccountedFor(machine, result);
  });

  test('more devices on bus 0 than numbers beside the board’s own and one for each root bus: the rest is left out', () => {
    const { machine } = builtMachine({
      rootBuses: [
        { children: Array.from({ length: 31 }, (_, index) => memory(`m${index}`, MIB)) },
        { bus: 64, children: [{ kind: 'rootPort' }] },
        { bus: 80, children: [{ kind: 'rootPort' }] },
      ],
    });
    const result = rebuildMachine(machine);
    expect(noted(result, 'SLOTS').length).toBe(31 - (32 - 2 - 2));
    expectAccountedFor(machine, result);
    expect(() => commandLine(result.description, STANDALONE)).not.toThrow();
  });

  test('every function of every bundled machine has a part of its name, or is left out', async () => {
    for (const machine of await bundledMachines()) expectAccountedFor(machine, rebuildMachine(machine));
  });

  test('a listing without sizes: memories of 1 MiB, with a note', async () => {
    const text =
      '01:00.0 Memory controller [0580]: X [1234:5678]\n\tRegion 0: Memory at c0000000 (64-bit, prefetchable)\n';
    const result = rebuildMachine(await readMachine(Buffer.from(text), 'listing'));
    expect(noted(result, 'MEMORY_UNKNOWN')).toEqual(['0000:01:00.0']);
    expect(noted(result, 'PXB_ENDPOINT')).toEqual(['0000:01:00.0']);
    expect(result.leftOut).toEqual([]);
  });

  test('comments cannot be broken out of by the name of the input', () => {
    const { machine } = builtMachine(switchTree());
    const { text } = rebuildText({ ...machine, source: 'x\nrm -rf /' });
    for (const line of text.split('\n').slice(0, 3)) expect(line.startsWith('#')).toBe(true);
  });

  test('comments name every function: the part that stands for it, or that it was left out, however many there are', async () => {
    let leftOut = 0;
    for (const machine of await bundledMachines()) {
      const { text, rebuilt: result } = rebuildText(machine);
      const words = text
        .split('\n')
        .filter((line) => line.startsWith('#'))
        .flatMap((line) => line.split(/[\s,]+/));
      for (const { name } of machine.hierarchy.functions) {
        const stands = words.some((word) => /^p\d+=/.test(word) && word.replace(/\.$/, '').endsWith(`=${name}`));
        expect([machine.source, name, stands]).toEqual([machine.source, name, !result.leftOut.includes(name)]);
      }
      leftOut += result.leftOut.length;
      for (const { message, functions } of result.notes) {
        if (message.startsWith('left out')) for (const name of functions) expect(words).toContain(name);
      }
    }
    expect(leftOut).toBeGreaterThan(20);
  });

  test('p2pdma qemu prints a script: comments, then one command; as JSON the arguments, what was left out, and why', () => {
    const script = execFileSync(process.execPath, [BIN, 'qemu', 'example:one-switch'], { encoding: 'utf8' });
    const lines = script.trimEnd().split('\n');
    const first = lines.findIndex((line) => !line.startsWith('#'));
    expect(lines[first]).toBe('qemu-system-x86_64 \\');
    expect(lines.slice(first + 1, -1).every((line) => /^ {2}-\S.* \\$/.test(line))).toBe(true);
    expect(script).toContain('without ACS: QEMU’s switch ports have none');
    const json = JSON.parse(
      execFileSync(process.execPath, [BIN, 'qemu', 'example:one-switch', '--json'], { encoding: 'utf8' }),
    );
    expect(json).toMatchObject({ schemaVersion: 1, command: 'qemu', source: 'example:one-switch' });
    expect(json.arguments).toContain('-machine');
    expect(json.parts).toContainEqual({ id: expect.stringMatching(/^p\d+$/), function: '0000:03:00.0' });
    expect(json.notes.map(({ code }: { code: string }) => code)).toContain('SWITCH_ACS');
  });
});

describe.skipIf(MISSING !== null)(`rebuilt machines run${MISSING === null ? '' : ` (${MISSING})`}`, () => {
  test('every bundled machine: the same tree, part by part, as far as it was not left out', async () => {
    let functions = 0;
    for (const machine of await bundledMachines()) {
      const { description, leftOut } = rebuildMachine(machine);
      const engine = await QemuEngine.start({ machine: description });
      try {
        const built = await engine.machine();
        expect(await othersDisagree(engine, built), machine.source).toEqual([]);
        const { hierarchy } = machine;
        hierarchy.functions.forEach((fn, index) => {
          if (leftOut.includes(fn.name)) return;
          const at = built.hierarchy.indexOf(engine.locate(fn.name));
          const above = hierarchy.functions[hierarchy.parent[index] as number];
          const expected = above === undefined ? -1 : built.hierarchy.indexOf(engine.locate(above.name));
          expect(built.hierarchy.parent[at], `${machine.source}: ${fn.name}`).toBe(expected);
          if (fn.isBridge) expect(built.hierarchy.functions[at]?.isBridge).toBe(true);
          functions++;
        });
      } finally {
        await engine.close();
      }
    }
    console.log(`${functions} functions of bundled machines stand in QEMU as they stood`);
    expect(functions).toBeGreaterThan(200);
  });

  test.skipIf(CORPUS === null)(
    `corpus, qemu: every dump of up to 100 functions becomes a machine that QEMU accepts and shows alike${SKIPPED}`,
    async () => {
      let machines = 0;
      for (const name of dumpNames()) {
        const machine = await readMachine(bytesOfDump(name), name);
        const result = rebuildMachine(machine, { memoryLimit: MIB, namespaceBytes: MIB });
        expectAccountedFor(machine, result);
        if (machine.hierarchy.functions.length > 100) continue;
        const engine = await QemuEngine.start({ machine: result.description });
        expect(await othersDisagree(engine, await engine.machine()), name).toEqual([]);
        await engine.close();
        machines++;
      }
      console.log(`${machines} dumps of real machines stand in QEMU`);
      expect(machines).toBeGreaterThan(0);
    },
  );

  test('the printed script starts, as it is', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'p2pdma-test-'));
    try {
      for (const name of ['one-switch', 'two-host-bridges', 'conventional-bridge', 'multi-function']) {
        const script = join(folder, `${name}.sh`);
        const text = execFileSync(process.execPath, [BIN, 'qemu', `example:${name}`], { encoding: 'utf8' });
        // Stopped and told to end at once: what it is made of is accepted, or it says why not.
        writeFileSync(script, `${text.trimEnd()} \\\n  -S -monitor stdio -serial none\n`);
        const ended = await runScript(script);
        expect(ended, name).toEqual({ code: 0, said: '' });
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

function runScript(script: string): Promise<{ code: number | null; said: string }> {
  const child = spawn('sh', [script], { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  child.stdin.write('quit\n');
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, said })));
}

test('the shell agrees that the script is one', () => {
  const { machine } = builtMachine(switchTree());
  const { text } = rebuildText(machine);
  expect(spawnSync('sh', ['-n'], { input: text }).status).toBe(0);
});
