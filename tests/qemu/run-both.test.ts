/** `p2pdma run` on both engines: the same file, the same driver, and where they part. */

import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { missingQemu } from '../contract/missing-qemu.ts';

const missing = missingQemu();
const qemuTest = missing === null ? test : test.skip;
const reason = missing === null ? '' : ` (${missing})`;
const ROOT = new URL('../../', import.meta.url).pathname;

function run(file: string, ...options: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/p2pdma.js', 'run', file, ...options], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

qemuTest(
  `RAM and a peer in one IOVA, by one SGL descriptor: both engines agree, and QEMU records the fault after unmap${reason}`,
  () => {
    const { status, stdout, stderr } = run('examples/ram-and-peer-one-iova.yaml', '--engine', 'both');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/16 pages, 2 memories, 1 IOVA, 1 SGL descriptor, 65536 of 65536 bytes equal/);
    expect(stdout).toMatch(/IOMMU fault: requester 0000:0[0-9a-f]:00\.0, write of 0x[0-9a-f]+: notMapped/);
    expect(stdout).toMatch(/sim and qemu [\d.]+ agree: segments, statuses, bytes/);
    expect(status).toBe(0);
  },
);

qemuTest(`a fault that a machine without ACS cannot have is refused, and said${reason}`, () => {
  const { status, stdout } = run('examples/hazards.yaml', '--engine', 'both', '--json');
  // QEMU's switch ports have no ACS, so on its machine nobody can set it.
  expect(status).toBe(3);
  expect(JSON.parse(stdout).error.message).toMatch(/cannot do this: ACS of dn0 became RR/);
});
