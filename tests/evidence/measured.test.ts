/** Outputs of measuring tools on real machines: each is recognised, and as many values are read as a count of its cells says. */

import { expect, test } from 'vitest';
import { recognise, type SourceBlock, type SourceKind } from '../../src/evidence/index.ts';
import { sharedFolder } from './shared-folder.ts';

const MEASURED = sharedFolder('P2PDMA_MEASURED', 'measured');

interface Expected {
  /** What the name of a file ends with. */
  readonly end: string;
  readonly kind: SourceKind;
  /** Counts the cells, in its own way. */
  readonly cells?: (text: string) => number;
}

/** Words that a pattern finds. */
const found =
  (pattern: RegExp) =>
  (text: string): number =>
    [...text.matchAll(pattern)].length;
/** Numbers in lines that a pattern keeps, without the first of each line. */
const numbersIn =
  (line: RegExp) =>
  (text: string): number =>
    text
      .split('\n')
      .filter((row) => line.test(row))
      .reduce((sum, row) => sum + row.trim().split(/\s+/).length - 1, 0);

const EXPECTED: readonly Expected[] = [
  { end: 'nvidia-smi-topo-m.txt', kind: 'nvidia-smi-topo', cells: found(/(?<=\s)(?:X|NODE|SYS|PIX)(?=\s)(?! *=)/g) },
  { end: 'topo-m.tabs.2gpu-4nic.txt', kind: 'nvidia-smi-topo', cells: found(/(?<=\t) ?(?:X|PHB|SYS|PIX) ?(?=\t)/g) },
  { end: 'topo-p2p-matrices.txt', kind: 'nvidia-smi-p2p', cells: () => 3 * 4 },
  { end: 'nvidia-smi.txt', kind: 'nvidia-smi', cells: found(/0000:[0-9A-F]{2}:00\.0/g) },
  {
    end: 'p2pBandwidthLatencyTest.txt',
    kind: 'p2p-bandwidth',
    // A header has a backslash or a word before its numbers.
    cells: (text) => numbersIn(/^\s+\d+\s+\d/)(text) + found(/ CAN| CANNOT/g)(text),
  },
  { end: 'omniverse-p2p.txt', kind: 'p2p-bandwidth', cells: numbersIn(/^\s+\d+\s+\d+\.\d/) },
  { end: 'nccl-topo-dump.h200-vm.xml', kind: 'nccl-topology', cells: found(/<pci |<nvlink /g) },
  { end: 'hwloc.cts1-pascal.xml', kind: 'hwloc', cells: found(/pci_busid=/g) },
  { end: 'nvbandwidth_results.log', kind: 'nvbandwidth', cells: numbersIn(/^ \d {4,}\d+\.\d/) },
  { end: 'amd-smi-topology.2x-pcie.txt', kind: 'amd-smi-topo', cells: numbersIn(/^0000:\S+ +\w/) },
  { end: 'rocm-smi-showtopo.txt', kind: 'rocm-topo', cells: numbersIn(/^GPU\d /) },
  {
    end: '7900xtx.txt',
    kind: 'rocm-bandwidth',
    cells: numbersIn(/^ {6,}\d {6,}\S/),
  },
  // Of the four columns two are rates.
  { end: 'h2d-sweep-gen4x16.txt', kind: 'rocm-bandwidth', cells: (text) => 2 * found(/^\d+ [KM]B /gm)(text) },
  { end: '_bw.log', kind: 'rocm-bandwidth', cells: found(/_Bandwidth_/g) },
  { end: 'gdsio.txt', kind: 'gdsio', cells: found(/Throughput: \S+ |Avg_Latency: \S+/g) },
  { end: 'gdscheck-and-gdsio.txt', kind: 'gdsio', cells: found(/Throughput: \S+ |Avg_Latency: \S+/g) },
  { end: 'bandwidthTest.txt', kind: 'cuda-bandwidth', cells: found(/^ {3}32000000 /gm) },
  { end: 'perftest-use-cuda.a30-sys.txt', kind: 'perftest', cells: found(/PCIe address is|device name = /g) },
  // Both ends print the last row; each row has a peak and an average.
  { end: 'ib_loopback_all_sizes.log', kind: 'perftest', cells: (text) => 2 * (found(/^\d+ +2000 /gm)(text) - 1) },
  // Eight ranks have no values; each row has two halves.
  { end: 'nccl_allreduce.log', kind: 'nccl-tests', cells: (text) => 2 * found(/ float +sum /g)(text) },
  { end: 'ibv_devinfo.txt', kind: 'rdma-topo', cells: found(/hca_id:/g) },
];

const CELLS: ReadonlySet<string> = new Set(['measurement', 'pair', 'collective', 'function']);

/** Values of blocks: one for each measurement, word of a pair or function, or device of a table of devices. */
function values(blocks: readonly SourceBlock[], kind: SourceKind): number {
  const items = blocks.filter((block) => block.kind === kind).flatMap(({ items }) => items);
  const what = items.flatMap((item) => ('what' in item ? item.what : []));
  const cells = what.filter((word) => CELLS.has(word)).length;
  return cells > 0 ? cells : what.filter((word) => word === 'device').length;
}

for (const { end, kind, cells } of EXPECTED) {
  const names = MEASURED.names.filter((name) => name.endsWith(end));
  test.skipIf(names.length === 0)(
    `measured: ${end} is ${kind}, and every value of it is read${MEASURED.skipped}`,
    () => {
      for (const name of names) {
        const bytes = MEASURED.bytes(name);
        const { blocks } = recognise(bytes, name);
        expect(blocks.map((block) => block.kind)).toContain(kind);
        if (cells !== undefined) expect(values(blocks, kind), name).toBe(cells(new TextDecoder().decode(bytes)));
      }
    },
  );
}
