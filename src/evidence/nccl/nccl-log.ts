/**
 * The log of NCCL and RCCL (NCCL_DEBUG=INFO or WARN): how ranks reach each other, which GPU each rank has, what is missing, and the graph.
 *
 *   host:402:461 [0] NCCL INFO Channel 00/0 : 0[0] -> 1[1] via P2P/CUMEM
 *   host:402:461 [0] NCCL INFO ncclCommInitRank comm 0x.. rank 0 nranks 2 cudaDev 0 nvmlDev 0 busId 18000 - Init COMPLETE
 *   host:402:402 [0] /src/init.cc:179 NCCL WARN Missing "iommu=pt" from kernel command line ...
 *
 * Lines are read with their heads and without, as people cut them. What every rank says again is kept once.
 */

import type { CleanLine } from '../clean/clean-line.ts';
import type { MeasuredItem } from '../measured/items.ts';
import { type BlockContext, LINE_ITEMS_MAX, type Reading, type Recogniser, type Taken } from '../recogniser.ts';
import { isGraphLine, NcclGraph, type NcclPlace } from './nccl-graph.ts';
import { ncclSentence } from './nccl-sentences.ts';

export type NcclLogItem = MeasuredItem & { readonly kind: 'nccl-log' };

/** Recognises NCCL's log. */
export const ncclLog: Recogniser<NcclLogItem> = {
  kind: 'nccl-log',
  manner: 'log',
  words: [
    'NCCL INFO',
    'NCCL WARN',
    'NCCL version',
    'RCCL version',
    'HIP version',
    'ROCm version',
    ' via P2P',
    ' via SHM',
    ' via NET',
    ' via direct',
    'busId ',
    'iommu=pt',
    'P2P is disabled',
    'Could not enable P2P',
    'GPU Direct RDMA',
    '_P2P_DISABLE',
    '=== System',
    'CPU/',
    ' PCI[',
    ' NVL[',
    ' NET[',
    ' SYS[',
    'GPU/',
    'Pattern ',
  ],
  open(line, context) {
    const reading = new LogReading(context);
    return reading.take(line) === 'taken' ? reading : null;
  },
};

const BARE = /^\s*NCCL (INFO|WARN) /;
/** Lines that are its own without any head. */
const OWN =
  /^\s*(?:Channel|Ring) \d{1,4}(?:\/\d{1,4})? : .{1,80} via |^\s*[NR]CCL version|^\s*Pattern \d{1,2}, crossNic/;
/** Lines that RCCL prints without a head below its version. */
const BELOW = /^\s*(?:HIP|ROCm) version {0,4}:/;

class LogReading implements Reading<NcclLogItem> {
  readonly #context: BlockContext;
  readonly #items: NcclLogItem[] = [];
  readonly #seen = new Set<string>();
  /** Graphs by process and device; each rank has one. */
  readonly #graphs = new Map<string, NcclGraph>();
  /** The first host of the log: addresses of another's are of another machine. */
  #host: string | null = null;
  #leftOut = 0;
  #taken = 0;

  constructor(context: BlockContext) {
    this.#context = context;
  }

  take(line: CleanLine): Taken {
    const { nccl, number } = line;
    const bare = nccl === null ? BARE.exec(line.text) : null;
    const text = bare === null ? line.text : line.text.slice(bare[0].length);
    const place: NcclPlace = { kind: 'nccl-log', file: this.#context.file, line: number };
    if (nccl === null && bare === null && !OWN.test(text) && !isGraphLine(text)) {
      if (this.#taken === 0 || !BELOW.test(text)) return 'passed';
    }
    this.#taken++;
    this.#host ??= nccl?.host ?? null;
    const isThisHost = nccl === null || nccl.host === this.#host;
    if (this.#graph(`${nccl?.pid} ${nccl?.device}`).take(text, place)) return 'taken';
    const said = ncclSentence(text, place);
    if (said !== null) {
      for (const item of said) if (item.what !== 'device' || isThisHost) this.#keep(item);
    } else if ((nccl?.level ?? bare?.[1]) === 'WARN') {
      this.#keep({ ...place, what: 'statement', says: 'warning', text: text.trim(), about: [] });
    }
    return 'taken';
  }

  close(): ReturnType<Reading<NcclLogItem>['close']> {
    for (const graph of this.#graphs.values()) for (const item of graph.close()) this.#keep(item);
    return { items: this.#items, leftOut: this.#leftOut };
  }

  /** The graph of a rank; those of other ranks say the same and are dropped, but their lines are known by them. */
  #graph(key: string): NcclGraph {
    const known = this.#graphs.get(key);
    if (known !== undefined) return known;
    const made = new NcclGraph();
    if (this.#graphs.size < GRAPHS_MAX) this.#graphs.set(key, made);
    return made;
  }

  #keep(item: NcclLogItem): void {
    const key = keyOf(item);
    if (this.#seen.has(key)) return;
    if (this.#items.length >= LINE_ITEMS_MAX) {
      this.#leftOut++;
      return;
    }
    this.#seen.add(key);
    this.#items.push(item);
  }
}

const GRAPHS_MAX = 64;

/** What an item says, without where: what is said again is not kept. */
function keyOf({ line: _line, file: _file, ...said }: NcclLogItem): string {
  return JSON.stringify(said);
}
