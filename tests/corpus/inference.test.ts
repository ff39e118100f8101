/** What is concluded of machines that name no CPU: the processor by its own functions, ids by names, and so the verdicts. */

import { expect, test } from 'vitest';
import { checkMachine } from '../../src/doctor/check-machine.ts';
import { processorOf } from '../../src/machine/infer/processor.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { type Role, rolesOf } from '../../src/machine/roles.ts';
import { policyForKernel } from '../../src/p2p/policy.ts';
import { bytesOfDump, CORPUS, SKIPPED } from './corpus.ts';
import { bytesOfScrap, NO_SCRAPS, SCRAPS } from './scraps.ts';

const corpus = test.skipIf(CORPUS === null);
const scraps = test.skipIf(SCRAPS === null);

/** Each machine's processor as somebody who knows it says, and its families where it is AMD's. */
const PROCESSORS: readonly (readonly [file: string, isZen: boolean | null, families: readonly number[]])[] = [
  ['x570-aorus-master.lspci-nnDvvvxxxx.txt', true, [23, 25]],
  ['msi-b550-riser.lspci-nnDvvvxxxx.txt', true, [23, 25]],
  ['am4-b550-navi23.lspci-vvv.txt', true, [23, 25]],
  ['asus-pn51-amd.lspci-vvv.txt', true, [23]],
  ['ayaneo-kun-phoenix.lspci-v.txt', true, [25]],
  ['epyc-genoa-11nvme.lspci-vvv.txt', true, [25]],
  ['broadwell-ep-2s-gpu.lspci-vvv.txt', false, []],
  ['hpe-skylake-mlx-vf.lspci-vvv.txt', false, []],
  ['arrowlake-rtx50.lspci-nnDvvvxxxx.txt', false, []],
  ['power9-talos2.lspci-vvxxx.txt', false, []],
  ['rk3399-rockpro64-switch.lspci-vvvxxx.txt', false, []],
  ['ls1028a-rciep-acs.lspci-vvv.txt', false, []],
  ['qemu-q35-gpu-vm.lspci-nnDvvvxxxx.txt', null, []],
  ['aws-g2-xen.lspci-vvv.txt', null, []],
];

corpus(`corpus: the processor is told Zen, older or other by the listing alone${SKIPPED}`, async () => {
  for (const [file, isZen, families] of PROCESSORS) {
    const machine = await readMachine(bytesOfDump(file), file);
    const found = processorOf({ ...machine, cpu: null });
    expect([file, found.isZen, found.families]).toEqual([file, isZen, families]);
  }
});

/** Pairs that somebody may want, by type. */
const PAIRS: readonly (readonly [file: string, pairs: Readonly<Record<string, number>>])[] = [
  ['broadwell-ep-2s-gpu.lspci-vvv.txt', { notSupported: 10, unknown: 0 }],
  ['am4-b550-navi23.lspci-vvv.txt', { thruHostBridge: 1, unknown: 0 }],
  ['x570-aorus-master.lspci-nnDvvvxxxx.txt', { thruHostBridge: 1, unknown: 0 }],
];

corpus(`corpus: pairs of machines that name no CPU are decided as an expert decides them${SKIPPED}`, async () => {
  for (const [file, pairs] of PAIRS) {
    const machine = await readMachine(bytesOfDump(file), file);
    expect([file, checkMachine(machine, policyForKernel(machine.kernel)).pairs]).toMatchObject([file, pairs]);
  }
});

scraps(`scraps: no pair of an EPYC is open for its host bridge${NO_SCRAPS}`, async () => {
  const name = 'io-lspci-1-g292-z20.txt';
  const machine = await readMachine(bytesOfScrap(name), name);
  expect(processorOf(machine)).toMatchObject({ isZen: true });
  const { findings, pairs } = checkMachine(machine, policyForKernel(machine.kernel));
  expect(findings.filter(({ id }) => id === 'HB-NOT-LISTED')).toEqual([]);
  expect(pairs.unknown).toBe(0);
});

/** Devices that somebody may pair, by role, as somebody says who knows them. */
const ROLES: readonly (readonly [file: string, roles: Readonly<Partial<Record<Role, number>>>])[] = [
  ['io-lspci-1-g292-z20.txt', { gpu: 1, nvme: 1, memory: 0 }],
  ['made-sw.txt', { memory: 0, nvme: 1 }],
  ['made-m1.txt', { gpu: 1 }],
  ['made-m2.txt', { gpu: 1 }],
];

scraps(
  `scraps: a GPU is one whatever was printed of it, and a switch’s own function is no memory card${NO_SCRAPS}`,
  async () => {
    for (const [file, wanted] of ROLES) {
      const { hierarchy } = await readMachine(bytesOfScrap(file), file);
      const roles = rolesOf(hierarchy.functions);
      for (const [role, count] of Object.entries(wanted)) {
        expect([file, role, roles.filter((one) => one === role).length]).toEqual([file, role, count]);
      }
    }
  },
);
