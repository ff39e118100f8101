/** QEMU missing, unfit, killed, stuck, out of room; this program killed: each a clear error, and nothing left behind. */

import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { P2pError, type PhysAddr, physAddr } from '../../src/core/index.ts';
import { findCommand } from '../../src/engine/qemu/binary.ts';
import {
  findQemu,
  probeQemu,
  QemuEngine,
  type QemuEngineOptions,
  QemuError,
  type QemuMachineDescription,
} from '../../src/engine/qemu/index.ts';
import { MIB } from '../contract/bed.ts';
import { missingQemu } from '../contract/missing-qemu.ts';
import { eventually, isRunning, leftoverFiles, qemuChildren } from './flow.ts';

const MISSING = missingQemu();
const SMALL: QemuMachineDescription = {
  ramBytes: 64 * MIB,
  rootBuses: [{ bus: 0, children: [{ kind: 'rootPort', below: [{ kind: 'memory', name: 'm', bytes: MIB }] }] }],
};
const ENGINE = new URL('../../dist/engine/qemu/index.js', import.meta.url).href;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'p2pdma-test-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  expect(qemuChildren()).toEqual([]);
  expect(leftoverFiles()).toEqual([]);
});

/** A program in `folder` that plays QEMU: sh, with qtest on descriptor 3 and QMP on 4. */
function fakeQemu(script: string): string {
  const path = join(folder, 'qemu-system-x86_64');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

async function refusal(options: Partial<QemuEngineOptions> & { machine?: QemuMachineDescription }): Promise<QemuError> {
  try {
    const engine = await QemuEngine.start({ machine: SMALL, ...options });
    await engine.close();
  } catch (error) {
    if (error instanceof QemuError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

async function withPath<T>(path: string, body: () => Promise<T> | T): Promise<T> {
  const before = process.env['PATH'];
  process.env['PATH'] = path;
  try {
    return await body();
  } finally {
    process.env['PATH'] = before;
  }
}

describe('QEMU that is not there, or not fit', () => {
  test('missing: the error says how to install it', async () => {
    const error = await withPath(folder, () => refusal({}));
    expect(error).toMatchObject({ code: 'QEMU_NOT_FOUND', path: 'qemu-system-x86_64' });
    expect(error.hint).toContain('apt-get install -y --no-install-recommends qemu-system-x86');
    expect(error).toBeInstanceOf(P2pError);
    const named = await refusal({ binary: join(folder, 'nothing') });
    expect(named).toMatchObject({ code: 'QEMU_NOT_FOUND', path: join(folder, 'nothing') });
  });

  test('a file that cannot be run, or a folder of that name, is passed over', async () => {
    writeFileSync(join(folder, 'qemu-system-x86_64'), 'no program');
    expect((await withPath(folder, () => refusal({}))).code).toBe('QEMU_NOT_FOUND');
    rmSync(join(folder, 'qemu-system-x86_64'));
    mkdirSync(join(folder, 'qemu-system-x86_64'));
    expect((await withPath(folder, () => refusal({}))).code).toBe('QEMU_NOT_FOUND');
  });

  test('without setpriv nothing is started, since nothing would end it with this program', async () => {
    fakeQemu('exit 0');
    const error = await withPath(folder, () => refusal({}));
    expect(error).toMatchObject({ code: 'QEMU_TOOL_MISSING', path: 'setpriv' });
    expect(error.hint).toContain('util-linux');
  });

  test('a version that is too old is refused by number', async () => {
    const greeting = '{"QMP": {"version": {"qemu": {"micro": 1, "minor": 2, "major": 4}, "package": ""}}}';
    const binary = fakeQemu(`echo '${greeting}' >&4; read line <&3; echo 'OK little' >&3; exec sleep 60`);
    const error = await refusal({ binary });
    expect(error.code).toBe('QEMU_VERSION');
    expect(error.message).toContain('4.2.1');
    expect(error.hint).toContain('7.2.22');
  });

  test('a probe tells path and version, and refuses what names none', async () => {
    expect(probeQemu(fakeQemu("echo 'QEMU emulator version 9.1.3 (Debian)'")).version).toEqual({
      major: 9,
      minor: 1,
      micro: 3,
    });
    expect(() => probeQemu(fakeQemu("echo 'something else'"))).toThrow(QemuError);
  });

  test('one that ends at once: the error has what it said', async () => {
    const binary = fakeQemu("echo 'qemu: warning: never mind' >&2; echo 'qemu: no such machine' >&2; exit 1");
    const error = await refusal({ binary });
    expect(error.code).toBe('QEMU_START_FAILED');
    expect(error.message).toBe('QEMU ended with code 1 before it answered: qemu: no such machine');
  });

  test('one that never answers is killed after its time', async () => {
    const binary = fakeQemu('echo $$ > "$(dirname "$0")/pid"; exec sleep 60');
    const error = await refusal({ binary, timeoutMs: 200 });
    expect(error.code).toBe('QEMU_TIMEOUT');
    expect(error.message).toContain("no answer to 'endianness' for 0.2 s");
  });

  test('answers that are none are told as they came', async () => {
    const greeting = '{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}, "package": ""}}}';
    const start = `echo '${greeting}' >&4; read line <&3`;
    const failed = await refusal({ binary: fakeQemu(`${start}; echo 'FAIL Unknown command' >&3; exec sleep 60`) });
    expect(failed).toMatchObject({
      code: 'QEMU_PROTOCOL',
      message: "'endianness' was answered 'FAIL Unknown command'",
    });
    const early = await refusal({ binary: fakeQemu(`echo 'OK' >&3; echo 'OK' >&3; ${start}; exec sleep 60`) });
    expect(early.code).toBe('QEMU_PROTOCOL');
    const other = await refusal({
      binary: fakeQemu(`${start}; echo 'OK' >&3; while read line <&3; do echo 'OK 0x1' >&3; done`),
    });
    expect(other.code).toBe('QEMU_SELF_TEST');
    expect(other.message).toContain('host bridge');
  });
});

describe('room for the machine', () => {
  test('more memory and media than any folder has room for', async () => {
    const error = await refusal({
      binary: fakeQemu('exit 0'),
      machine: { rootBuses: [{ bus: 0, children: [{ kind: 'nvme', namespaceBytes: 2 ** 50 }] }] },
    });
    expect(error).toMatchObject({ code: 'QEMU_DISK_FULL', errno: 'ENOSPC' });
    expect(error.message).toMatch(/may take \d+ MiB, and there are \d+ MiB in \/dev\/shm and \d+ MiB in /);
  });

  test('a folder that is not there, or whose name is longer than names may be', async () => {
    const binary = fakeQemu('exit 0');
    const gone = await refusal({ binary, folder: join(folder, 'gone') });
    expect(gone).toMatchObject({ code: 'QEMU_FOLDER', errno: 'ENOENT' });
    const long = await refusal({ binary, folder: join(folder, 'x'.repeat(5000)) });
    expect(long).toMatchObject({ code: 'QEMU_FOLDER', errno: 'ENAMETOOLONG' });
    expect(long.path.length).toBeLessThan(130);
  });
});

describe.skipIf(MISSING !== null)(`a QEMU that runs${MISSING === null ? '' : ` (${MISSING})`}`, () => {
  test('a folder with a path longer than any socket may have is no hindrance: sockets have no path here', async () => {
    const deep = join(folder, 'd'.repeat(200), 'e'.repeat(200));
    mkdirSync(deep, { recursive: true });
    const engine = await QemuEngine.start({ machine: SMALL, folder: deep });
    expect(await engine.readConfig(engine.locate('m'), 0, 4)).toBe(0x11101af4);
    await engine.close();
  });

  test('a machine that QEMU refuses: the error has QEMU’s own words', async () => {
    // Two functions where QEMU is told that there is one: the description cannot say it, so QEMU is lied to by a wrapper.
    const binary = fakeQemu(`exec ${findQemu()} "$@" -device no-such-device`);
    const error = await refusal({ binary });
    expect(error.code).toBe('QEMU_START_FAILED');
    expect(error.message).toContain("'no-such-device' is not a valid device model name");
  });

  test('killed in mid-command: that call and every later one say so, and close still works', async () => {
    const engine = await QemuEngine.start({ machine: SMALL });
    const m = engine.locate('m');
    const calls = Array.from({ length: 200 }, () => engine.readConfig(m, 0, 4));
    process.kill(engine.pid, 'SIGKILL');
    const outcomes = await Promise.allSettled([...calls, engine.writeMemory(physAddr(0xc0000000), new Uint8Array(8))]);
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(failed.length).toBeGreaterThan(0);
    for (const { reason } of failed) {
      expect(reason).toBeInstanceOf(QemuError);
      expect(reason).toMatchObject({ code: 'QEMU_GONE' });
      expect(reason.message).toContain('was ended by SIGKILL');
    }
    await expect(engine.readConfig(m, 0, 4)).rejects.toMatchObject({ code: 'QEMU_GONE' });
    await expect(engine.machine()).rejects.toMatchObject({ code: 'QEMU_GONE' });
    await expect(engine.crossCheck()).rejects.toMatchObject({ code: 'QEMU_GONE' });
    await engine.close();
  });

  test('killed while it starts, at whatever step: the start is refused, and nothing is left waiting', async () => {
    const codes = new Set<string>();
    for (let round = 0; round < 12; round++) {
      const delay = 0.02 + 0.02 * round;
      const binary = fakeQemu(`(sleep ${delay.toFixed(2)}; kill -9 $$) & exec ${findQemu()} "$@"`);
      try {
        const engine = await QemuEngine.start({ machine: { ...SMALL, iommuLevels: 4 }, binary });
        // It was faster than its killer.
        await expect(engine.readConfig(engine.locate('m'), 0, 4).then(() => untilGone(engine))).rejects.toThrow(
          QemuError,
        );
        await engine.close();
        codes.add('later');
      } catch (error) {
        expect(error).toBeInstanceOf(QemuError);
        codes.add((error as QemuError).code);
      }
    }
    expect([...codes].filter((code) => code !== 'later')).toEqual(['QEMU_GONE']);
  });

  test('stuck: a command that is not answered in time ends the machine', async () => {
    const engine = await QemuEngine.start({ machine: SMALL, timeoutMs: 1500 });
    const { pid } = engine;
    process.kill(pid, 'SIGSTOP');
    await expect(engine.readConfig(engine.locate('m'), 0, 4)).rejects.toMatchObject({ code: 'QEMU_TIMEOUT' });
    expect(await eventually(() => !isRunning(pid), 2000)).toBe(true);
    await engine.close();
  });

  test('after close nothing answers, and closing again does nothing', async () => {
    const engine = await QemuEngine.start({ machine: SMALL });
    const m = engine.locate('m');
    await engine.close();
    await engine.close();
    expect(isRunning(engine.pid)).toBe(false);
    await expect(engine.readConfig(m, 0, 4)).rejects.toMatchObject({ code: 'QEMU_CLOSED' });
  });

  test('a name that the description has not is refused with those that it has', async () => {
    const engine = await QemuEngine.start({ machine: SMALL });
    expect(() => engine.locate('n')).toThrow(expect.objectContaining({ code: 'QEMU_NAME', hint: 'names are: m' }));
    await engine.close();
  });

  const endings: readonly [how: string, script: string][] = [
    ['SIGKILL', 'setInterval(() => {}, 1000)'],
    ['SIGTERM', 'setInterval(() => {}, 1000)'],
    ['process.exit', 'process.exit(0)'],
    ['an uncaught error', "setTimeout(() => { throw new Error('on purpose') }, 1)"],
  ];
  test.each(endings)('this program ended by %s takes QEMU with it', async (how, script) => {
    expect(existsSync(new URL(ENGINE)), 'npm run build comes first').toBe(true);
    const code = `
      import { QemuEngine } from ${JSON.stringify(ENGINE)};
      const engine = await QemuEngine.start({ machine: ${JSON.stringify(SMALL)} });
      process.stdout.write(engine.pid + '\\n');
      ${script};`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'ignore'] });
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    expect(await eventually(() => said.includes('\n'), 20_000)).toBe(true);
    const pid = Number(said);
    if (how === 'SIGKILL' || how === 'SIGTERM') {
      expect(isRunning(pid)).toBe(true);
      child.kill(how);
    }
    expect(await eventually(() => !isRunning(pid), 5000)).toBe(true);
    child.kill('SIGKILL');
  });

  const tmpfs = mountable();
  test.skipIf(tmpfs !== null)(
    `disk full while it runs: our write says so, and so does QEMU’s end${tmpfs ?? ''}`,
    async () => {
      const disk = join(folder, 'disk');
      mkdirSync(disk);
      expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=96m', 'tmpfs', disk]).status).toBe(0);
      try {
        const tooLarge = await refusal({ folder: disk, machine: { ...SMALL, ramBytes: 128 * MIB } });
        expect(tooLarge).toMatchObject({ code: 'QEMU_DISK_FULL', errno: 'ENOSPC' });

        const engine = await QemuEngine.start({ machine: SMALL, folder: disk });
        spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=1M'], { stdio: 'ignore' });
        const fill = (): void => void engine.writeMemory(physAddr(8 * MIB), new Uint8Array(MIB).fill(1));
        expect(fill).toThrow(expect.objectContaining({ code: 'QEMU_DISK_FULL' }));
        // QEMU itself touches a page that has no room: the kernel ends it.
        const bar = (await engine.machine()).hierarchy.at(engine.locate('m'))?.bars.find(({ index }) => index === 2);
        const touched = engine.writeMemory(bar?.cpuAddress as PhysAddr, new Uint8Array(64 * 1024).fill(1));
        await expect(touched).rejects.toMatchObject({ code: 'QEMU_DISK_FULL' });
        await engine.close();
      } finally {
        spawnSync('umount', ['-l', disk]);
      }
    },
  );
});

/** Asks until there is no answer. */
async function untilGone(engine: QemuEngine): Promise<never> {
  for (;;) await engine.readConfig(engine.locate('m'), 0, 4);
}

/** Null where a small file system can be mounted, else why not. */
function mountable(): string | null {
  if (process.getuid?.() !== 0 || findCommand('mount') === null) return ' (needs root, to mount a small file system)';
  const probe = mkdtempSync(join(tmpdir(), 'p2pdma-test-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', probe]).status === 0;
  if (mounted) spawnSync('umount', [probe]);
  rmSync(probe, { recursive: true, force: true });
  return mounted ? null : ' (mounting a small file system is not allowed here)';
}
