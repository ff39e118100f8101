/**
 * NVIDIA's driver on peers of its GPUs over PCIe, in the order in which it asks: NVSwitch, the two chips, the GPU itself, then where the two
 * stand. What it answers is what `nvidia-smi topo -p2p` prints: OK, GNS (GPU), CNS (chipset), TNS (topology), NS (not supported).
 */

import { sizeWords } from '../../core/words.ts';
import { hypervisorOf } from '../../machine/infer/hypervisor.ts';
import { processorOf } from '../../machine/infer/processor.ts';
import { hostEvidenceOf } from '../../machine/machine.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import type { Certainty } from '../finding.ts';
import { generationWord, type NvidiaChip, type NvidiaGeneration, nvidiaChip } from './nvidia-chip.ts';
import {
  type Answer,
  areGpusOf,
  type Opinion,
  type RulePair,
  type RuleSetting,
  VENDOR_INTEL,
  VENDOR_NVIDIA,
} from './opinion.ts';
import { type RuleId, sureOfRules } from './rules.ts';

interface Found {
  readonly answer: Answer;
  readonly words: string;
  readonly rules: readonly RuleId[];
  readonly settings?: readonly RuleSetting[];
  readonly sure?: Certainty;
}

/** The driver's rule for two of its GPUs; null for any other pair, and where a guest or a user program has one of them. */
export function nvidiaOpinion(pair: RulePair): Opinion | null {
  if (!areGpusOf(pair, VENDOR_NVIDIA) || !isNvidiaDriver(pair.owner) || !isNvidiaDriver(pair.master)) return null;
  const found = bySwitch(pair) ?? byChips(pair) ?? byPlace(pair);
  return {
    decider: 'nvidiaDriver',
    decides: 'peer access of CUDA between these GPUs',
    answer: found.answer,
    words: found.words,
    sure: found.sure ?? sureHere(pair, found.rules),
    ask: 'nvidia-smi topo -p2p rw',
    settings: found.settings ?? [],
    rules: ['nvidia-asks-nobody', ...found.rules],
    held: null,
  };
}

/** The driver's name is not known, or is NVIDIA's own. */
function isNvidiaDriver({ driver }: PciFunction): boolean {
  return driver === null || driver === 'nvidia';
}

/** Certain only where the driver is known to be NVIDIA's own: a patched one has the same name. */
function sureHere({ owner, master }: RulePair, rules: readonly RuleId[]): Certainty {
  const isKnown = owner.driver === 'nvidia' && master.driver === 'nvidia';
  return isKnown ? sureOfRules(rules) : 'likely';
}

/** 0680, "bridge": what NVSwitch is as a PCI function. */
const CLASS_NVSWITCH = 0x0680;

function bySwitch({ judge }: RulePair): Found | null {
  const found = judge.functions.find(
    ({ vendorId, classCode }) => vendorId === VENDOR_NVIDIA && classCode === CLASS_NVSWITCH,
  );
  if (found === undefined) return null;
  return {
    answer: 'yes',
    words: `NVSwitch (${found.name}) connects the GPUs: peers go over NVLink, and PCIe between them does not count.`,
    rules: ['nvidia-nvswitch'],
  };
}

const PATCHED: RuleSetting = {
  setting: 'a patched open kernel module',
  effect: 'gives cards of one chip peers by BAR1, if it shows all memory and the IOMMU does not translate',
};

/** Rows for GeForce cards, and what the driver prints of them. */
const GEFORCE: Partial<Readonly<Record<NvidiaGeneration, readonly [rule: RuleId, status: string]>>> = {
  turing: ['nvidia-geforce-turing', 'NS'],
  ampere: ['nvidia-geforce-ampere', 'GNS'],
  ada: ['nvidia-geforce-ada', 'GNS'],
  blackwell: ['nvidia-geforce-blackwell', 'GNS'],
};

function byChips({ owner, master }: RulePair): Found | null {
  const chips = [nvidiaChip(owner), nvidiaChip(master)] as const;
  const [a, b] = chips;
  if (a !== null && b !== null && a.name !== b.name) {
    return {
      answer: 'no',
      words: `The two GPUs are different chips (${a.name} and ${b.name}), which get no peers over PCIe: topo -p2p shows NS, with patched drivers too.`,
      rules: ['nvidia-one-chip'],
    };
  }
  const game = chips.find((chip): chip is NvidiaChip => chip?.isGeForce === true);
  const row = game === undefined ? undefined : GEFORCE[game.generation];
  if (game === undefined || row === undefined) return null;
  const [rule, status] = row;
  const bridge =
    game.generation === 'turing' || game.name === 'GA102' ? ' An NVLink bridge between the two changes that.' : '';
  return {
    answer: 'no',
    words: `GeForce cards of the ${generationWord(game.generation)} generation are refused over PCIe by the stock driver: topo -p2p shows ${status}.${bridge}`,
    rules: [rule],
    // A patched driver shows in no capture, and neither does an NVLink bridge.
    sure: 'likely',
    settings: game.generation === 'turing' ? [] : [PATCHED],
  };
}

/** Root ports of Nehalem to Broadwell-EP, in whose hubs peers stay. */
const HUB_PORTS: readonly (readonly [first: number, last: number])[] = [
  [0x3408, 0x3411],
  [0x3420, 0x3421],
  [0x3c02, 0x3c0b],
  [0x0e02, 0x0e0b],
  [0x2f01, 0x2f0b],
  [0x6f01, 0x6f0b],
];

function byPlace(pair: RulePair): Found {
  const { link, judge } = pair;
  if (link === 'PIX' || link === 'PXB') {
    return {
      answer: 'yes',
      words: 'The two are below one switch, which the driver accepts whatever the chipset: topo -p2p shows OK.',
      rules: ['nvidia-common-switch'],
    };
  }
  if (hypervisorOf(judge.machine) !== null) {
    return {
      answer: 'no',
      words: 'This is a guest: its host bridge is on no list of the driver, and topo -p2p shows CNS.',
      rules: ['nvidia-in-guest'],
    };
  }
  if (areBelowTwoHubs(pair)) {
    return {
      answer: 'no',
      words: 'The two are below two host bridges of an older Xeon, which the driver refuses: topo -p2p shows TNS.',
      rules: ['nvidia-two-hubs'],
    };
  }
  const list = 'Across root ports the driver asks its own list of host bridges, which is not public';
  return processorOf(judge.machine).isZen === true
    ? {
        answer: 'yes',
        words: `${list}; AMD EPYC and Threadripper are on it.`,
        rules: ['nvidia-chipset-list', 'nvidia-on-zen'],
        sure: 'likely',
      }
    : { answer: 'depends', words: `${list}: topo -p2p shows OK or CNS.`, rules: ['nvidia-chipset-list'] };
}

function areBelowTwoHubs({ judge, provider, client }: RulePair): boolean {
  if (judge.rootBusOf[provider] === judge.rootBusOf[client]) return false;
  return [provider, client].every((index) => {
    const top = judge.functions[judge.machine.hierarchy.chainOf(index).at(-1) as number];
    if (top?.vendorId !== VENDOR_INTEL || top.deviceId === null) return false;
    const id = top.deviceId;
    return HUB_PORTS.some(([first, last]) => id >= first && id <= last);
  });
}

/** BAR1 of an NVIDIA GPU that shows a part of its memory only. */
const SMALL_BAR1 = 256 * 2 ** 20;

/** What a small BAR1 limits, and what not. Null where no end has one. */
export function cudaTransportOpinion(pair: RulePair): Opinion | null {
  const small = [pair.owner, pair.master].filter((fn) => {
    const size = fn.vendorId === VENDOR_NVIDIA ? fn.bars.find(({ index }) => index === 1)?.size : null;
    return typeof size === 'number' && size <= SMALL_BAR1;
  });
  const [first] = small;
  if (first === undefined) return null;
  const size = first.bars.find(({ index }) => index === 1)?.size ?? 0;
  return {
    decider: 'cudaTransport',
    decides: 'the way a copy between peers takes',
    answer: 'depends',
    words: `BAR1 of ${small.map(({ name }) => name).join(' and ')} is ${sizeWords(size)}: that limits GPUDirect RDMA, GPUDirect Storage and patched drivers. The mailbox, by which stock drivers copy before Hopper, needs no more.`,
    sure: sureOfRules(RULE_TRANSPORTS),
    ask: 'nvidia-smi -q | grep -A3 BAR1',
    settings: forcedTransport(pair),
    rules: RULE_TRANSPORTS,
    held: null,
  };
}

const RULE_TRANSPORTS: readonly RuleId[] = ['cuda-two-transports', 'nvidia-patched'];

/** What the driver's registry keys force already. */
function forcedTransport({ judge }: RulePair): RuleSetting[] {
  const words =
    hostEvidenceOf(judge.machine).modules?.byName.get('nvidia')?.parameters.get('RegistryDwords')?.value ?? '';
  const forced = /\b(?:RMForceP2PType|ForceP2P|RMPcieP2PType)=\w+/.exec(words);
  return forced === null ? [] : [{ setting: forced[0], effect: 'is set, and overrides what the driver finds' }];
}
