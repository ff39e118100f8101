/** `--ram` is often given generously: what it declares never hides a BAR. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { policyForKernel } from '../../src/p2p/policy.ts';
import { readBioFile } from '../../src/scenario/bio-file.ts';
import { BioMapper } from '../../src/scenario/map-bio.ts';

const CAPTURE = new URL('../truth/iommu-lazy-switch4-acs-off2.tar.gz', import.meta.url);

async function casesWith(ram: readonly { start: number; end: number }[], addresses: readonly string[]) {
  const machine = await readMachine(readFileSync(CAPTURE), 'capture');
  const settings = { classify: null, trust: false, iommu: null, noMerge: false, ram };
  const vectors = addresses.map((address) => ({ address, length: 4096 }));
  const bio = readBioFile(JSON.stringify({ device: '03:00.0', direction: 'fromDevice', vectors }), 'bio.json');
  return new BioMapper(machine, policyForKernel(machine.kernel), settings)
    .map(bio)
    .vectors.map((vector) => [vector.case, vector.owner]);
}

test('an address in a BAR belongs to its function, also where --ram covers the BAR', async () => {
  const everything = [{ start: 0, end: 2 ** 32 }];
  expect(await casesWith(everything, ['0xfc000000', '0xfb000000', '0xfcc00000', '0x20000000'])).toEqual([
    ['b2', '0000:06:00.0'],
    ['b1', '0000:05:00.0'],
    ['c', '0000:03:00.0'],
    ['a', null],
  ]);
});

test('RAM that is declared around, before and behind a BAR stays RAM', async () => {
  const around = [{ start: 0xfc7ff000, end: 0xfcc01000 }];
  expect(await casesWith(around, ['0xfc7ff000', '0xfcc00000'])).toEqual([
    ['b2', '0000:06:00.0'],
    ['c', '0000:03:00.0'],
  ]);
  expect(await casesWith([{ start: 0xfafff000, end: 0xfb001000 }], ['0xfafff000', '0xfb000000'])).toEqual([
    ['a', null],
    ['b1', '0000:05:00.0'],
  ]);
});
