/** A refusal names the address as the bio has it. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MapError } from '../../src/dma/errors.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { policyForKernel } from '../../src/p2p/policy.ts';
import { readBioFile } from '../../src/scenario/bio-file.ts';
import { BioMapper } from '../../src/scenario/map-bio.ts';

const CAPTURE = new URL('../truth/syn-four-off-pos.tar.gz', import.meta.url);

test('a bus address that nobody owns is named as it was given, with the CPU address that it stands for', async () => {
  const machine = await readMachine(readFileSync(CAPTURE), 'capture');
  const settings = { classify: null, trust: false, iommu: null, noMerge: false, ram: [] };
  const vectors = [{ address: '0x2000000000', length: 4096, flags: ['MAP_BUS_ADDR'] }];
  const bio = readBioFile(JSON.stringify({ device: '0001:03:00.0', direction: 'fromDevice', vectors }), 'bio.json');
  let refusal: unknown;
  try {
    new BioMapper(machine, policyForKernel(machine.kernel), settings).map(bio);
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(MapError);
  expect(refusal).toMatchObject({
    code: 'UNOWNED_ADDRESS',
    path: 'vectors[0]',
    message:
      'bus address 0x2000000000 + 4096 below the host bridge of 0001:03:00.0 is CPU physical 0x3f00000000, in no RAM and no memory BAR of this machine',
  });
});
