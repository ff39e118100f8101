/**
 * What nvbandwidth's tests measure, by their names: `host_to_device_memcpy_ce`, `device_to_device_bidirectional_memcpy_write_sm`,
 * `all_to_one_write_ce`. One rule for its text and its JSON.
 */

import { type DeviceLabel, deviceLabel } from '../measured/device-label.ts';
import type { MeasurementItem } from '../measured/items.ts';
import { measurement } from '../measured/measurement.ts';
import { numberOf } from '../measured/units.ts';

export interface TestName {
  readonly name: string;
  readonly source: TestEnd;
  readonly target: TestEnd;
  /** Of tests between devices. */
  readonly operation: 'write' | 'read' | null;
  readonly direction: 'uni' | 'bi';
  /** Of two directions at once: which of the two copies, or both together; null where the name does not say. */
  readonly part: 'first' | 'second' | 'total' | null;
  readonly engine: 'copy-engine' | 'kernel';
  readonly load: 'alone' | 'together';
  readonly quantity: 'bandwidth' | 'latency';
}

type TestEnd = 'host' | 'device' | 'all' | 'one' | 'itself';

const NAME =
  /^(host|device|all|one)(?:_to)?_(host|device|all|one)(_bidirectional)?(?:_(memcpy|latency))?(?:_(read|write))?(?:_(ce|sm))?(?:_(read1|read2|write1|write2|total))?$/;
const LOCAL = /^device_local_copy(?:_(ce|sm))?$/;

/** What a test measures; null where the name is none of these. */
export function testOf(name: string): TestName | null {
  const local = LOCAL.exec(name);
  const match = NAME.exec(name);
  const [, source, target, both, what, operation, engine, part] = (match ?? []) as unknown as [
    string,
    TestEnd?,
    TestEnd?,
    string?,
    string?,
    string?,
    string?,
    string?,
  ];
  if (local === null && (source === undefined || target === undefined)) return null;
  const isTogether = [source, target].some((end) => end === 'all' || end === 'one');
  return {
    name,
    source: source ?? 'itself',
    target: target ?? 'itself',
    operation: operation === 'read' || operation === 'write' ? operation : null,
    direction: both === undefined ? 'uni' : 'bi',
    part: partOf(part),
    engine: (engine ?? local?.[1]) === 'sm' ? 'kernel' : 'copy-engine',
    load: isTogether ? 'together' : 'alone',
    quantity: what === 'latency' ? 'latency' : 'bandwidth',
  };
}

function partOf(word: string | undefined): TestName['part'] {
  if (word === undefined) return null;
  return word === 'total' ? 'total' : word.endsWith('1') ? 'first' : 'second';
}

/** A cell of a matrix. */
export interface Cell {
  readonly row: number;
  readonly column: number;
  readonly raw: string;
  readonly line: number;
  readonly file: string;
  /** Null where the test's name was not pasted. */
  readonly test: TestName | null;
  /** The line above the matrix. */
  readonly title: string;
  readonly devices: ReadonlyMap<number, DeviceLabel>;
}

/** The value of a cell. */
export function bandwidthCell({ row, column, raw, line, file, test, title, devices }: Cell): MeasurementItem & {
  readonly kind: 'nvbandwidth';
} {
  const isLatency = test?.quantity === 'latency' || / \(ns\)$/.test(title);
  const number = numberOf(raw);
  const gpu = (index: number): DeviceLabel =>
    devices.get(index) ?? deviceLabel(String(index), 'gpu', { index, numbering: 'cuda' });
  const hasHost = test === null ? /\bCPU\(/.test(title) : test.source === 'host' || test.target === 'host';
  const direction = test?.direction ?? (/<->/.test(title) ? 'bi' : 'uni');
  const part = test?.part ?? partOf(/\b(?:Read|Write)[12]\b|\bTotal\b/.exec(title)?.[0].toLowerCase());
  return measurement({
    kind: 'nvbandwidth',
    file,
    line,
    quantity: isLatency ? 'latency' : 'bandwidth',
    ...(hasHost ? hostEnds(test, title, row, gpu(column)) : deviceEnds(test, part, gpu(row), gpu(column))),
    direction,
    // Before v0.6 a test of both directions showed one of them, and tests with hosts always do.
    counts: part === 'total' ? 'both' : 'one',
    value: number === null ? null : isLatency ? number / 1000 : number,
    unit: isLatency ? 'us' : 'GB/s',
    raw: number === null ? raw : `${raw} ${isLatency ? 'ns' : 'GB/s'}`,
    peerEnabled: hasHost || test?.source === 'itself' ? null : true,
    engine: test?.engine ?? (/\bSM\b/.test(title) ? 'kernel' : 'copy-engine'),
    load: test?.load ?? 'alone',
    test: test?.name ?? title,
  });
}

type Ends = Pick<MeasurementItem, 'from' | 'to' | 'operation'>;

/** A host moves nothing: the GPU reads from it or writes to it. Of hosts the arrows are right. */
function hostEnds(test: TestName | null, title: string, row: number, gpu: DeviceLabel): Ends {
  const host = deviceLabel(`CPU ${row}`, 'cpu', { index: row, numbering: 'numa' });
  const isToDevice = test === null ? !/\bCPU\(\w+\) <- /.test(title) : test.source === 'host';
  return isToDevice ? { from: host, to: gpu, operation: 'read' } : { from: gpu, to: host, operation: 'write' };
}

/**
 * Between devices the test's name says the direction, never the arrow. One direction: the row issues the copy. Both: the first copy goes to the
 * row and the second from it; the reader or the writer issues it, as the test is named. Of `all` and `one` the column is the one.
 */
function deviceEnds(test: TestName | null, part: TestName['part'], row: DeviceLabel, column: DeviceLabel): Ends {
  const operation = test?.operation ?? (test?.quantity === 'latency' ? 'read' : 'copy');
  const others = deviceLabel('all others', 'gpu');
  if (test?.source === 'itself') return { from: column, to: column, operation: 'copy' };
  if (test?.source === 'all') return { from: others, to: column, operation };
  if (test?.source === 'one') return { from: column, to: others, operation };
  const isToRow = part === null || part === 'total' ? operation === 'read' : part === 'first';
  return isToRow ? { from: column, to: row, operation } : { from: row, to: column, operation };
}
