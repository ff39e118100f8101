/** Single lines of NCCL's and RCCL's log that say something about peers, as a table. */

import { type DeviceLabel, deviceLabel, ncclAddress, printedAddress } from '../measured/device-label.ts';
import type { DeviceItem, GraphItem, PairItem, SettingItem, Statement, StatementItem } from '../measured/items.ts';
import type { NcclPlace } from './nccl-graph.ts';

export type NcclSentence = (DeviceItem | GraphItem | PairItem | SettingItem | StatementItem) & {
  readonly kind: 'nccl-log';
};

interface Sentence {
  readonly pattern: RegExp;
  read(match: RegExpExecArray, place: NcclPlace): readonly NcclSentence[];
}

const setting = (name: string, value: string, place: NcclPlace): NcclSentence => ({
  ...place,
  what: 'setting',
  name,
  value: value.trim(),
});

/** A sentence that says one thing. `about` finds devices in the match. */
function says(pattern: RegExp, what: Statement, about?: (match: RegExpExecArray) => readonly DeviceLabel[]): Sentence {
  return {
    pattern,
    read: (match, place) => [
      { ...place, what: 'statement', says: what, text: match.input.trim(), about: about?.(match) ?? [] },
    ],
  };
}

const nvml = (index: string | undefined): DeviceLabel =>
  deviceLabel(`GPU ${index}`, 'gpu', { index: Number(index), numbering: 'nvml' });

const cuda = (index: string | undefined, bus: string | undefined): DeviceLabel =>
  deviceLabel(`dev ${index}`, 'gpu', { index: Number(index), numbering: 'cuda', ...ncclAddress(bus ?? '') });

/** The adapter that a sentence names: `HCA 0 'mlx5_0'`, `HCA 0 : mlx5_0`. */
function adapters({ input }: RegExpExecArray): readonly DeviceLabel[] {
  const name = /\bHCA \d{1,3} (?:'|: ?)([\w.-]{1,40})/.exec(input)?.[1];
  const gpu = /\bGPU ([0-9a-f]{4,16}) \/ HCA (\d{1,3})/i.exec(input);
  if (name !== undefined) return [deviceLabel(name, 'nic', { name })];
  if (gpu === null) return [];
  return [deviceLabel(`GPU ${gpu[1]}`, 'gpu', ncclAddress(gpu[1] as string)), deviceLabel(`HCA ${gpu[2]}`, 'nic')];
}

const TRANSPORT =
  /^\s*(?:Channel|Ring) \d{1,4}(?:\/\d{1,4})? : (\d{1,6})(?:\[([0-9a-f]{1,16})\])? -> (\d{1,6})(?:\[([0-9a-f]{1,16})\])? (?:\[(?:send|receive)\] )?via (\S.{0,80}?)(?: comm 0x[0-9a-f]{1,16}.{0,40})?$/i;

/** `0[18000]` has the address of rank 0, `0[1]` its device number: an address has four digits at least. */
function rank(index: string, bracket: string | undefined): DeviceLabel {
  const address = bracket !== undefined && bracket.length >= 4 ? ncclAddress(bracket) : {};
  return deviceLabel(`rank ${index}`, 'gpu', { index: Number(index), numbering: 'rank', ...address });
}

const SENTENCES: readonly Sentence[] = [
  {
    pattern: TRANSPORT,
    read: ([, from, fromBus, to, toBus, way], place) => {
      const raw = way as string;
      const value = raw === 'direct shared memory' ? 'SHM' : (raw.split('/', 1)[0] as string);
      return [
        {
          ...place,
          what: 'pair',
          relation: 'transport',
          from: rank(from as string, fromBus),
          to: rank(to as string, toBus),
          value,
          raw,
          asked: null,
        },
      ];
    },
  },
  {
    pattern: /\brank (\d{1,6}) n[rR]anks (\d{1,6}) cudaDev (\d{1,3})(?: nvmlDev (\d{1,3}))? busId ([0-9a-f]{1,16})\b/,
    read: ([, index, , device, nvmlDevice, bus], place) => [
      {
        ...place,
        what: 'device',
        device: deviceLabel(`rank ${index}`, 'gpu', {
          index: Number(index),
          numbering: 'rank',
          ...ncclAddress(bus as string),
        }),
        indices: {
          rank: Number(index),
          cuda: Number(device),
          ...(nvmlDevice === undefined ? {} : { nvml: Number(nvmlDevice) }),
        },
      },
    ],
  },
  {
    pattern:
      /^\s*Pattern (\d{1,2}), crossNic \d, nChannels (\d{1,4}), (?:bw|speed) ([\d.]{1,12})\/([\d.]{1,12}), (?:nvlink \d, )?type ([A-Z0-9]{2,4})(?:\/([A-Z0-9]{2,4}))?/,
    read: ([, pattern, channels, within, between, type, toNetwork], place) => [
      {
        ...place,
        what: 'graph',
        pattern: Number(pattern),
        channels: Number(channels),
        rateWithin: Number(within),
        rateBetween: Number(between),
        classWithin: type as string,
        classToNetwork: toNetwork ?? null,
      },
    ],
  },
  {
    pattern:
      /\bFilled ([\w.-]{1,40}) in topo with pciPath=\/sys\/devices\/(?:[\w.:-]{1,60}\/){1,40}([0-9a-f]{4,8}:[0-9a-f:.]{7})(?=\s|$)/,
    read: ([, name, address], place) => [
      {
        ...place,
        what: 'device',
        device: deviceLabel(name as string, 'nic', { name: name as string, ...printedAddress(address as string) }),
      },
    ],
  },
  says(/Missing "iommu=pt"/, 'iommu-pt-missing'),
  says(/NUMA auto balancing (?:is )?enabled/, 'numa-balancing'),
  says(/P2P is disabled between (?:NVLINK )?connected GPUs (\d{1,3}) and (\d{1,3})/, 'pair-refused', ([, a, b]) => [
    nvml(a),
    nvml(b),
  ]),
  says(
    /Could not enable P2P between dev (\d{1,3})\(=([0-9a-f]{1,16})\) and dev (\d{1,3})\(=([0-9a-f]{1,16})\)/,
    'pair-failed',
    ([, a, busOfA, b, busOfB]) => [cuda(a, busOfA), cuda(b, busOfB)],
  ),
  says(/peer access is not supported between these two devices/, 'pair-failed'),
  says(/\b(?:intraNodeP2pSupport|isAllDirectP2p) 0\b/, 'not-all-peers'),
  says(
    /GPU Direct RDMA (?:\([^()]{1,40}\) )?[Dd]isabled|[Nn]o (?:module present for|support for) GPU Direct RDMA/,
    'gdr-off',
    adapters,
  ),
  says(/GPU Direct RDMA (?:\([^()]{1,40}\) )?[Ee]nabled/, 'gdr-on', adapters),
  says(/DMA-BUF is available on GPU device (\d{1,3})|DMA_BUF Support Enabled/i, 'dmabuf-on'),
  says(
    /DMA-?_?BUF(?:_SUPPORT| support)? (?:failed|not (?:available|supported))|Dmabuf feature disabled/i,
    'dmabuf-off',
  ),
  says(/\bACS\b.{0,80}\b(?:enabled|redirect)/i, 'acs-on'),
  {
    pattern: /\b((?:NCCL|RCCL|HSA)_[A-Z0-9_]{1,60}) set (?:by environment )?to (.{1,200}?)\.?$/,
    read: (match, place) => {
      const [, name, value] = match as unknown as [string, string, string];
      const items = [setting(name, value, place)];
      if (name !== 'NCCL_P2P_DISABLE' || value === '0') return items;
      return [...items, { ...place, what: 'statement', says: 'peers-off', text: match.input.trim(), about: [] }];
    },
  },
  {
    pattern: /\b([NR]CCL version) ?:? ?(\d[\w.+:-]{0,60})/,
    read: ([, name, value], place) => [setting(name as string, value as string, place)],
  },
  {
    pattern: /^\s*(HIP version|ROCm version) {0,4}: {0,4}(\d[\w.+-]{0,60})$/,
    read: ([, name, value], place) => [setting(name as string, value as string, place)],
  },
  {
    pattern: /\bKernel version:? (\d[\w.+-]{0,60})/,
    read: ([, value], place) => [setting('kernel version', value as string, place)],
  },
  { pattern: /\bUsing network (\S.{0,60})$/, read: ([, value], place) => [setting('network', value as string, place)] },
];

/** What a line says, without its head; null where it is none of these. */
export function ncclSentence(text: string, place: NcclPlace): readonly NcclSentence[] | null {
  for (const { pattern, read } of SENTENCES) {
    const match = pattern.exec(text);
    if (match !== null) return read(match, place);
  }
  return null;
}
