/** One way into a queue: `map` and `run` refuse the same bios with the same words, those of the block layer. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createBio } from '../../src/block/bio.ts';
import { BVEC_MAP_BUS_ADDR, BvecList } from '../../src/block/bio-vec.ts';
import { BlockError } from '../../src/block/errors.ts';
import { queueLimits } from '../../src/block/queue-limits.ts';
import { submitBio } from '../../src/block/submit.ts';
import { CLASSIFY_MODES } from '../../src/dma/classifier-for.ts';
import { POLICIES } from '../../src/p2p/policy.ts';
import { readBioFile } from '../../src/scenario/bio-file.ts';
import { BioMapper } from '../../src/scenario/map-bio.ts';
import { ROOT } from '../cli/run.ts';
import { World } from '../map/world.ts';
import { machineText, runTransfers } from './bed.ts';

const MACHINE = machineText();
const PEER = 'device: a, direction: fromDevice, vectors: [{ memory: ram, length: 4KiB }, { memory: b, length: 4KiB }]';

function refusalOf(action: () => unknown): BlockError {
  try {
    action();
  } catch (error) {
    if (error instanceof BlockError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

test('QUEUE_WITHOUT_P2P: map and the library refuse with one errno, EREMOTEIO, and one hint', () => {
  const world = new World();
  const near = world.bar('near');
  const settings = { classify: null, trust: false, iommu: 'off', noMerge: false, ram: [] } as const;
  const mapper = new BioMapper(world.machine, POLICIES['linux-6.12'], settings);
  const bio = {
    device: world.fn('client').name,
    direction: 'fromDevice',
    queue: { p2p: false },
    vectors: [{ address: near.bus, length: 4096, flags: ['BVEC_MAP_BUS_ADDR'] }],
  };
  const mapped = refusalOf(() => mapper.map(readBioFile(JSON.stringify(bio), 'bio.json')));
  const vectors = new BvecList();
  vectors.push(near.bus, 4096, BVEC_MAP_BUS_ADDR);
  const queue = { limits: queueLimits(), features: { p2p: false } };
  const submitted = refusalOf(() => submitBio(createBio({ vectors, operation: 'read' }), queue));
  expect(mapped).toMatchObject({ code: 'QUEUE_WITHOUT_P2P', errno: 'EREMOTEIO', path: 'queue.p2p' });
  expect([mapped.message, mapped.hint]).toEqual([submitted.message, submitted.hint]);
});

test.each(CLASSIFY_MODES)(
  '%s: a transfer into a queue that cannot map P2P is refused, and one of RAM is not',
  async (design) => {
    const queue = `classify: ${design}, queue: { p2p: false }`;
    const [peer, ram] = await runTransfers(
      MACHINE,
      `${PEER}, ${queue}, expect: refused`,
      `device: a, direction: fromDevice, vectors: [{ memory: ram, length: 4KiB }], ${queue}`,
    );
    expect(peer).toMatchObject({ asExpected: true, refusal: { code: 'QUEUE_WITHOUT_P2P' }, segments: [] });
    expect(ram).toMatchObject({ asExpected: true, refusal: null, bytesEqual: 4096 });
  },
);

test('a transfer of P2P memory whose bio announces none is refused, the vector named', async () => {
  const [one] = await runTransfers(MACHINE, `${PEER}, mayContainP2p: false, expect: refused`);
  expect(one?.refusal).toMatchObject({ code: 'P2P_NOT_ANNOUNCED', message: expect.stringMatching(/^vectors\[1\]: /) });
});

test('what the submitter mapped first is unmapped when the queue refuses it', async () => {
  const on = machineText({ top: 'iommu: on' });
  const premapped = `${PEER}, classify: premapped`;
  const [refused, after] = await runTransfers(on, `${premapped}, queue: { p2p: false }, expect: refused`, premapped);
  const [alone] = await runTransfers(on, premapped);
  expect(refused?.refusal?.code).toBe('QUEUE_WITHOUT_P2P');
  // The same addresses as where nothing was mapped before.
  expect(after?.iova).toEqual(alone?.iova);
});

test('no file outside the block layer makes a refusal of the queue', () => {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .filter((name) => /'(?:QUEUE_WITHOUT_P2P|P2P_NOT_ANNOUNCED)'/.test(readFileSync(join(ROOT, 'src', name), 'utf8')));
  expect(files.sort()).toEqual([join('block', 'errors.ts'), join('block', 'submit.ts')]);
});
