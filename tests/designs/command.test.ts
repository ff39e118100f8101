/** The five designs as a user chooses them: `p2pdma map --classify`, and `classify` in a scenario. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DESIGNS } from '../../claims/designs.ts';
import { jsonOf, p2pdma, ROOT } from '../cli/run.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'p2pdma-designs-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

interface Mapped {
  readonly classify: string;
  readonly lookups: number;
  readonly vectors: { case: string }[];
  readonly segments: unknown;
}

test('DESIGN5: p2pdma map takes all five designs, and gives one answer', () => {
  const machine = `${ROOT}tests/truth/iommu-lazy-switch4-acs-off2.tar.gz`;
  const places = [
    ['0x940000', null],
    ['0xfc010000', 'BVEC_MAP_BUS_ADDR'],
    ['0xfb000000', 'BVEC_MAP_RESOURCE'],
    ['0xfcc10000', 'BVEC_MAP_BUS_ADDR'],
  ] as const;
  const bio = (isFlagged: boolean): string =>
    JSON.stringify({
      device: '0000:03:00.0',
      direction: 'fromDevice',
      vectors: places.map(([address, flag]) => ({
        address,
        length: 4096,
        flags: isFlagged && flag !== null ? [flag] : [],
      })),
    });
  const flagged = write('flagged.json', bio(true));
  const plain = write('plain.json', bio(false));
  const documents = DESIGNS.map(({ name }) => {
    const file = name === 'flags' ? flagged : plain;
    const run = p2pdma(['map', machine, '--bio', file, '--classify', name, '--json']);
    expect(run.stderr).toBe('');
    return jsonOf(run) as unknown as Mapped;
  });
  expect(documents.map(({ classify, lookups }) => [classify, lookups])).toEqual([
    ['flags', 0],
    ['lookup', 4],
    ['page', 0],
    ['premapped', 4],
    ['certified', 0],
  ]);
  expect(documents[0]?.vectors.map((vector) => vector.case)).toEqual(['a', 'b2', 'b1', 'c']);
  for (const { vectors, segments } of documents) {
    expect(vectors).toEqual(documents[0]?.vectors);
    expect(segments).toEqual(documents[0]?.segments);
  }
  // What an address needs is no flag, but for the design of flags.
  for (const name of ['lookup', 'page', 'premapped', 'certified']) {
    const run = p2pdma(['map', machine, '--bio', flagged, '--classify', name, '--json']);
    expect(jsonOf(run)['error']).toMatchObject({ code: 'FLAG_NOT_USED', path: 'vectors[1]' });
  }
});

interface Reported {
  readonly transfers: {
    name: string;
    bytesEqual: number;
    lookups: number;
    asExpected: boolean;
    segments: { space: string }[];
  }[];
}

const MACHINE = `
machine:
  cpu: AuthenticAMD:23
  kernel: 6.12.0
  hostBridges:
    - rootPorts:
        - port: rp0
          below:
            - switch: sw0
              ports:
                - { port: dn0, acs: clear, below: [{ nvme: nvme0, cmb: 4MiB }] }
                - { port: dn1, acs: clear, below: [{ nvme: nvme1, cmb: 4MiB }] }
                - { port: dn2, acs: [RR, CR], below: [{ nvme: nvme2, cmb: 4MiB }] }
iommu: on
transfers:
`;

test('DESIGN6: a scenario takes all five designs; on a stacked queue flags and what was mapped before lose the bytes', () => {
  const transfers = DESIGNS.flatMap(({ name }) =>
    ['', 'askedFor: nvme0, '].map((asked) => {
      const isLost = asked !== '' && (name === 'flags' || name === 'premapped');
      const device = asked === '' ? 'nvme0' : 'nvme2';
      const trust = name === 'flags' ? 'trust: true, ' : '';
      return `  - { name: ${asked === '' ? '' : 'stacked '}${name}, device: ${device}, ${asked}direction: fromDevice, classify: ${name}, ${trust}expect: ${isLost ? 'damaged' : 'equal'}, vectors: [{ memory: ram, length: 8KiB }, { memory: nvme1, length: 4KiB }] }`;
    }),
  );
  const run = p2pdma(['run', write('five.yaml', MACHINE + transfers.join('\n')), '--json']);
  expect(run.status).toBe(0);
  const report = jsonOf(run) as unknown as Reported;
  expect(report.transfers.filter(({ asExpected }) => !asExpected)).toEqual([]);
  // Mapping first is a lookup at the submitter; at the device none is left.
  expect(report.transfers.map(({ name, bytesEqual, lookups }) => [name, bytesEqual, lookups])).toEqual([
    ['flags', 12288, 0],
    ['stacked flags', 8192, 0],
    ['lookup', 12288, 2],
    ['stacked lookup', 12288, 2],
    ['page', 12288, 0],
    ['stacked page', 12288, 0],
    ['premapped', 12288, 2],
    ['stacked premapped', 0, 2],
    ['certified', 12288, 0],
    ['stacked certified', 12288, 2],
  ]);
  // A DMA address does not say what it is; the report says what its submitter mapped.
  const premapped = report.transfers.find(({ name }) => name === 'premapped');
  expect(premapped?.segments.map(({ space }) => space)).toEqual(['iova', 'bus']);
});

test('DESIGN6: mapping first is refused where the pair is not supported, as lookup is, and the next transfer is none the worse', () => {
  const unlisted = MACHINE.replace('AuthenticAMD:23', 'AuthenticAMD:16').replace(
    '- rootPorts:',
    '- id: null\n      rootPorts:',
  );
  const refused = (classify: string): string =>
    `  - { name: ${classify}, device: nvme2, direction: fromDevice, classify: ${classify}, expect: refused, vectors: [{ memory: ram, length: 4KiB }, { memory: nvme1, length: 4KiB, flags: [BVEC_MAP_RESOURCE] }] }`;
  const after =
    '  - { name: after, device: nvme2, direction: fromDevice, classify: premapped, vectors: [{ memory: ram, length: 4KiB }] }';
  const lines = ['lookup', 'premapped', 'certified', 'page'].map(refused);
  const run = p2pdma(['run', write('refused.yaml', unlisted + [...lines, after].join('\n')), '--json']);
  expect(run.status).toBe(0);
  const { transfers } = jsonOf(run) as unknown as { transfers: { refusal: { code: string } | null }[] };
  expect(transfers.map(({ refusal }) => refusal?.code ?? null)).toEqual([
    'PAIR_NOT_SUPPORTED',
    'PAIR_NOT_SUPPORTED',
    'PAIR_NOT_SUPPORTED',
    'PAIR_NOT_SUPPORTED',
    null,
  ]);
});
