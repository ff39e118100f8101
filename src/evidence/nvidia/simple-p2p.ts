/**
 * Lines of simpleP2P, a CUDA sample that copies back and forth between two GPUs and checks the data.
 *
 *   > Peer access from NVIDIA A40 (GPU0) -> NVIDIA A40 (GPU1) : Yes
 *   cudaMemcpyPeer / cudaMemcpy between GPU0 and GPU1: 25.05GB/s
 *   Verification error @ element 0: val = nan, ref = 0.000000
 *
 * Its GB are GiB: it divides by 1024 three times. A buffer has 64 MiB.
 */

import { type DeviceLabel, deviceLabel } from '../measured/device-label.ts';
import type { MeasurementItem, PairItem, StatementItem } from '../measured/items.ts';
import { measurement } from '../measured/measurement.ts';
import { gigabytes } from '../measured/units.ts';

const PEERS = /Peer access from .{1,100}\(GPU(\d{1,3})\) -> .{1,100}\(GPU(\d{1,3})\) ?: (Yes|No)/;
const RATE = /cudaMemcpyPeer \/ cudaMemcpy between GPU(\d{1,3}) and GPU(\d{1,3}): ?([\d.]{1,12}) ?GB\/s/;
const OTHER =
  /\[\S{0,60}simpleP2P\] - Starting|^\s*Checking GPU\(s\) for support of peer|^\s*(?:Enabling|Disabling) peer access between GPU|^\s*CUDA-capable device count|^\s*Checking for multiple GPUs|^\s*Allocating buffers \(\d|^\s*Creating event handles|^\s*Preparing host buffer and memcpy|^\s*Run kernel on GPU\d|^\s*Copy data back to host from GPU/;

interface Said {
  readonly pattern: RegExp;
  readonly says: StatementItem['says'];
}

const SENTENCES: readonly Said[] = [
  { pattern: /^\s*Verification error @ element/, says: 'data-wrong' },
  {
    pattern: /(?:Two or more GPUs with .{0,60}Peer-to-Peer|Peer to Peer access is not available amongst GPUs)/,
    says: 'not-run',
  },
];

/** Whether a line is one of these. */
export function simpleP2pLine(text: string): boolean {
  return PEERS.test(text) || RATE.test(text) || OTHER.test(text) || SENTENCES.some(({ pattern }) => pattern.test(text));
}

type Item = (MeasurementItem | PairItem | StatementItem) & { readonly kind: 'p2p-bandwidth' };

/** What such a line says. */
export function simpleP2pItems(
  text: string,
  place: { readonly kind: 'p2p-bandwidth'; readonly file: string; readonly line: number },
): Item[] {
  const peers = PEERS.exec(text);
  if (peers !== null) {
    const [, from, to, raw] = peers as unknown as [string, string, string, string];
    const value = raw === 'Yes' ? 'yes' : 'no';
    return [{ ...place, what: 'pair', relation: 'access', from: gpu(from), to: gpu(to), value, raw, asked: null }];
  }
  const rate = RATE.exec(text);
  if (rate !== null) {
    const [, from, to, value] = rate as unknown as [string, string, string, string];
    const item = measurement({
      ...place,
      quantity: 'bandwidth',
      from: gpu(from),
      to: gpu(to),
      // The copies go back and forth in turn.
      operation: 'copy',
      value: gigabytes(Number(value), 'GiB/s'),
      unit: 'GB/s',
      raw: `${value} GB/s`,
      size: 64 * 1024 ** 2,
      peerEnabled: true,
      engine: 'copy-engine',
      test: 'simpleP2P',
    });
    return [item];
  }
  const said = SENTENCES.find(({ pattern }) => pattern.test(text));
  return said === undefined ? [] : [{ ...place, what: 'statement', says: said.says, text: text.trim(), about: [] }];
}

const gpu = (index: string): DeviceLabel =>
  deviceLabel(`GPU${index}`, 'gpu', { index: Number(index), numbering: 'cuda' });
