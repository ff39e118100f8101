/**
 * Seeded damage to dumps and captures. Whatever comes out, a reader ends with a machine or a `MachineError`, in time linear
 * in the input; and a machine that was read can be walked and judged.
 */

import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Prng } from '../../src/core/prng.ts';
import { bytesOf } from '../../src/core/text.ts';
import { checkMachine } from '../../src/doctor/check-machine.ts';
import { MachineError } from '../../src/machine/errors.ts';
import { hostEvidenceOf, type Machine } from '../../src/machine/machine.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { judgePair } from '../../src/p2p/distance.ts';
import { JudgeContext } from '../../src/p2p/judge.ts';
import { POLICIES, POLICY_NAMES } from '../../src/p2p/policy.ts';
import { hexDump, joined, pathDump, quoted, textDump, withoutRoot, wrapped } from './sample-dumps.ts';
import { tarOf } from './tar.ts';

export interface FuzzResult {
  readonly inputs: number;
  readonly bytes: number;
  /** Inputs by what became of them: `machine`, or the code of the refusal. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** Generous on a loaded computer: what a start costs, and what a byte costs. A quadratic reader is beyond it at once. */
const START_MS = 250;
const NS_PER_BYTE = 4000;

/** Runs `count` inputs made from `seed`; throws, with the seed of the input, at the first that breaks a rule. */
export async function fuzz(seed: number, count: number): Promise<FuzzResult> {
  const samples = allSamples();
  const outcomes: Record<string, number> = {};
  let bytes = 0;
  for (let index = 0; index < count; index++) {
    const inputSeed = (seed + index) >>> 0;
    const input = damaged(samples, new Prng(inputSeed));
    bytes += input.length;
    let outcome = '';
    try {
      outcome = await timed(input);
    } catch (cause) {
      throw new Error(
        `input of seed ${inputSeed} (${input.length} bytes): ${cause instanceof Error ? cause.stack : cause}`,
      );
    }
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  return { inputs: count, bytes, outcomes };
}

/** Reads one input and asks the machine everything; slow only if it is slow three times. */
async function timed(input: Uint8Array): Promise<string> {
  const limit = START_MS + (input.length * NS_PER_BYTE) / 1e6;
  let fastest = Number.POSITIVE_INFINITY;
  let outcome = '';
  for (let attempt = 0; attempt < 3 && fastest > limit; attempt++) {
    const start = performance.now();
    outcome = await outcomeOf(input);
    fastest = Math.min(fastest, performance.now() - start);
  }
  if (fastest > limit) throw new Error(`took ${fastest.toFixed(0)} ms, more than ${limit.toFixed(0)}`);
  return outcome;
}

async function outcomeOf(input: Uint8Array): Promise<string> {
  let machine: Machine;
  try {
    machine = await readMachine(input, 'fuzz');
  } catch (error) {
    if (error instanceof MachineError) return error.code;
    throw error;
  }
  askEverything(machine);
  return 'machine';
}

/** Every getter of the first functions, the chains, and some verdicts by every policy. */
function askEverything(machine: Machine): void {
  const { hierarchy } = machine;
  for (const fn of hierarchy.functions.slice(0, 40)) {
    void [fn.vendorId, fn.classCode, fn.headerType, fn.busNumbers, fn.memoryWindow, fn.prefetchableWindow, fn.ioWindow];
    void [fn.portType, fn.acs, fn.bars, fn.link, fn.payload, fn.sriov, fn.capabilities, fn.numaNode, fn.driver];
    void [fn.sourceOf('acs'), fn.sourceOf('bars'), fn.sourceOf('link'), fn.facts.text];
    hierarchy.chainOf(hierarchy.indexOf(fn.bdf));
  }
  // The doctor reads what the kernel says; a large machine has nothing to add to that.
  const { kernelLog, kernelConfig, modules } = hostEvidenceOf(machine);
  const isTold = kernelLog !== null || kernelConfig !== null || modules !== null;
  if (isTold && hierarchy.functions.length < 40) checkMachine(machine, POLICIES['linux-6.12']);
  const last = Math.min(12, hierarchy.functions.length);
  for (const name of POLICY_NAMES) {
    const judge = new JudgeContext(machine, POLICIES[name]);
    for (let provider = 0; provider < last; provider++) {
      for (let client = 0; client < last; client++) judgePair(judge, provider, client);
    }
  }
}

function allSamples(): Uint8Array[] {
  const texts = [
    hexDump(64),
    hexDump(256),
    hexDump(4096),
    textDump(),
    textDump(),
    wrapped(textDump()),
    quoted(textDump()),
    quoted(wrapped(hexDump(256))),
    withoutRoot(textDump()),
    joined(textDump(), hexDump(256)),
    joined(textDump(), hexDump(64)),
    textDump() + hexDump(256),
    textDump() + KERNEL_LOG + KERNEL_CONFIG,
    textDump().replaceAll('\n', '\r\n'),
    pathDump(),
  ];
  const truth = ['plain-conv', 'wl-pxb-mixed'].map((name) =>
    readFileSync(new URL(`../truth/${name}.tar.gz`, import.meta.url)),
  );
  const small = tarOf(
    ['0000:00:01.0', '0000:01:00.0', '0000:02:00.0'].flatMap((name) => [
      { path: `sys/bus/pci/devices/${name}/config`, bytes: new Uint8Array(256).fill(6) },
      {
        path: `sys/bus/pci/devices/${name}/resource`,
        bytes: bytesOf('0x0000000000000000 0x0000000000000fff 0x0000000000040200\n'),
      },
      { path: `sys/kernel/iommu_groups/1/devices/${name}`, link: `../../../../bus/pci/devices/${name}` },
    ]),
  );
  const told = tarOf(
    Object.entries(HOST_FILES).map(([path, content]) => ({
      path,
      bytes: typeof content === 'string' ? bytesOf(content) : content,
    })),
  );
  const compressed = Uint8Array.from(BZIP2_LISTING, (digits) => Number.parseInt(digits, 16));
  return [...texts.map(bytesOf), small, small, told, told, gunzipSync(truth[0] as Uint8Array), ...truth, compressed];
}

const KERNEL_LOG = `[    0.1] pci 0000:01:00.0: BAR 0 [mem 0x1000-0x1fff 64bit]: can't claim; address conflict with System RAM [mem 0x0-0x9fff]
[    0.2] pci 0000:01:00.0: BAR 0 [mem size 0x1000]: can't assign; no space
[    1.0] nvme 0000:01:00.0: ACS redirect is set between the client and provider (0000:02:00.0)
[    2.0] DMAR: [DMA Write NO_PASID] Request device [01:00.0] fault addr 0x1000 [fault reason 0x05] PTE Write access is not set
[    3.0] nvme 0000:02:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x1 address=0x1000 flags=0x0020]
[    4.0] pcieport 0000:00:01.0:    [21] ACSViol                (First)
[    5.0] arm-smmu-v3 arm-smmu-v3.0.auto: event 0x10 received:
[    5.0] arm-smmu-v3 arm-smmu-v3.0.auto: 	0x0000010000000010
`;
const KERNEL_CONFIG = 'CONFIG_PCI=y\n# CONFIG_PCI_P2PDMA is not set\nCONFIG_ZONE_DEVICE=y\n';

/** A captured root with all that the kernel says. */
const HOST_FILES: Readonly<Record<string, string | Uint8Array>> = {
  'sys/bus/pci/devices/0000:00:01.0/config': new Uint8Array(64).fill(6),
  'sys/bus/pci/devices/0000:00:01.0/dma_mask_bits': '44\n',
  'sys/bus/pci/devices/0000:01:00.0/class': '0x030200\n',
  'sys/bus/pci/devices/0000:01:00.0/resource': '0x0000000000001000 0x0000000000001fff 0x0000000000042208\n',
  'sys/bus/pci/devices/0000:02:00.0/p2pmem/size': '4096\n',
  'sys/class/iommu/dmar0/intel-iommu/cap': 'c9de008cee690462\n',
  'sys/module/nvme_core/parameters/multipath': 'Y\n',
  'proc/version': 'Linux version 6.12.1 x\n',
  'proc/iomem': '00001000-7fffffff : System RAM\n',
  'proc/config.gz': gzipSync(KERNEL_CONFIG),
  'proc/modules': 'nvidia 1 0 - Live 0x0\n',
  'proc/mdstat': 'md0 : active raid0 nvme1n1[1] nvme0n1[0]\n',
  'proc/driver/nvidia/params': 'RegistryDwords: "RMForceStaticBar1=1"\n',
  'etc/cufile.json': '{ "properties": {\n "use_pci_p2pdma": true\n} }\n',
  'var/log/dmesg': KERNEL_LOG,
};

/** Tokens that mean something to a reader, in places where they should not be. */
const TOKENS: readonly string[] = [
  '\n',
  '\n\n',
  '\t',
  '> ',
  '0000:00:00.0 ',
  '10000:ff:1f.7 PCI bridge: x\n',
  '00:00.0/01.0 PCI bridge: x\n',
  'Bus: primary=00, secondary=00, subordinate=ff, sec-latency=0\n',
  '\tCapabilities: [100 v1] Access Control Services\n',
  '\tCapabilities: <access denied>\n',
  '\t!!! Unknown header type 7f\n',
  '\tInitial VFs: 65535, Total VFs: 65535, Number of VFs: 65535, Function Dependency Link: 00\n\tVF offset: 1, stride: 0, Device ID: 0001\n',
  'ff0: ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff\n',
  '00: ',
  '-[0000:00]-+-00.0\n',
  'Linux version 6.1.0 x\n',
  '00000000-ffffffffffffffff : System RAM\n',
  '[ffff:ffff]',
  '[    1.0] DMAR: [DMA Read] Request device [ff:1f.7] fault addr ffffffffffffffff\n',
  'CONFIG_PCI_P2PDMA=y\n',
  '/sys/bus/pci/devices/0000:00:00.0/dma_mask_bits:999999\n',
  '\0',
  '\u00ff',
];

function damaged(samples: readonly Uint8Array[], chance: Prng): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(chance.pick(samples));
  for (let rounds = chance.between(1, 6); rounds > 0; rounds--) bytes = damage(bytes, samples, chance);
  return bytes;
}

function damage(bytes: Uint8Array, samples: readonly Uint8Array[], chance: Prng): Uint8Array {
  const at = chance.below(bytes.length + 1);
  const span = Math.min(bytes.length - at, chance.chance(0.5) ? chance.below(64) : chance.below(bytes.length + 1));
  switch (chance.below(10)) {
    case 0: {
      for (let count = chance.between(1, 30); count > 0 && bytes.length > 0; count--) {
        bytes[chance.below(bytes.length)] = chance.below(256);
      }
      return bytes;
    }
    case 1: {
      for (let count = chance.between(1, 30); count > 0 && bytes.length > 0; count--) {
        const index = chance.below(bytes.length);
        bytes[index] = (bytes[index] as number) ^ (1 << chance.below(8));
      }
      return bytes;
    }
    case 2:
      return bytes.slice(0, at);
    case 3:
      return bytes.slice(at);
    case 4:
      return spliced(bytes, at, span, new Uint8Array(0));
    case 5:
      return spliced(bytes, at, 0, bytes.subarray(at, at + span));
    case 6: {
      const other = chance.pick(samples);
      const from = chance.below(other.length);
      return spliced(bytes, at, span, other.subarray(from, from + chance.below(other.length - from)));
    }
    case 7:
      return spliced(bytes, at, chance.below(2), bytesOf(chance.pick(TOKENS)));
    case 8:
      return shuffledLines(bytes, chance);
    default: {
      const piece = bytes.subarray(at, at + Math.min(span, 200));
      let result = bytes;
      for (let count = chance.between(1, 40); count > 0; count--) result = spliced(result, at, 0, piece);
      return result;
    }
  }
}

/** Inputs stay below this, so that a hundred thousand of them end. */
const INPUT_MAX = 400_000;

function spliced(bytes: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array {
  const result = new Uint8Array(Math.min(INPUT_MAX, bytes.length - remove + insert.length));
  const head = bytes.subarray(0, Math.min(at, result.length));
  result.set(head);
  const middle = insert.subarray(0, result.length - head.length);
  result.set(middle, head.length);
  result.set(
    bytes.subarray(at + remove, at + remove + result.length - head.length - middle.length),
    head.length + middle.length,
  );
  return result;
}

/** Swaps some lines of the input. */
function shuffledLines(bytes: Uint8Array, chance: Prng): Uint8Array {
  const starts = [0];
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === 10) starts.push(at + 1);
  const lines = starts.map((start, index) => bytes.subarray(start, starts[index + 1] ?? bytes.length));
  for (let count = chance.between(1, 20); count > 0; count--) {
    const [a, b] = [chance.below(lines.length), chance.below(lines.length)];
    [lines[a], lines[b]] = [lines[b] as Uint8Array, lines[a] as Uint8Array];
  }
  const result = new Uint8Array(bytes.length);
  let at = 0;
  for (const line of lines) {
    result.set(line, at);
    at += line.length;
  }
  return result;
}

/** A bzip2 stream of a short listing, written down since nothing here writes that format. */
const BZIP2_LISTING: readonly string[] = `
42 5a 68 39 31 41 59 26 53 59 28 29 c9 98 00 00 d9 df 80 00 10 40 01 7f f0 08 20 48 8a 3f ae dc 00 40 01 c0 e3 2a
0d 34 49 0f 4d 89 a9 4f 50 7a 9e a3 40 02 4a 90 79 e8 8a 68 00 00 01 86 46 04 d3 02 64 31 34 60 15 44 9a 19 14 f4
46 9a 64 68 d0 1e a7 16 e7 9f 40 34 02 d6 b6 8c cc cc cc cc 88 9b 00 5a eb a9 c2 b3 c1 b4 ae 56 8e ca dc 7a 9b 1e
72 64 99 ac 87 79 81 ad df 5c f6 9e 8e 88 94 01 d0 b9 a5 ea e5 a2 e6 0d 2e 20 b4 d1 c9 31 52 23 12 e3 17 7b a2 25
00 71 4b 83 4a cf 83 67 5a 58 34 ad 30 6c 66 8c 93 35 90 ef 30 35 bb eb 9e d3 d1 c0 fd 03 60 3a 80 3f 80 e0 0d 11
12 c0 1b 9c 9d d7 19 2d 50 68 ee b9 a2 db 6e 76 26 37 91 18 97 18 bb dc c6 76 d6 88 38 d5 05 f1 41 7e a6 68 36 b1
d6 20 e4 28 74 86 09 a1 45 25 33 17 24 f8 25 15 39 9b 1c 8c 2b 08 95 38 70 73 db 2d 49 68 4c 2d 09 84 ae b3 55 dc
57 70 68 5e c4 af 29 40 ca 94 0b 86 70 ae 4a 13 55 37 82 da 02 51 31 11 0d dc 49 0d 36 9b 4d a6 d8 60 0b 02 ce a5
ab 44 81 50 92 84 95 24 a9 23 42 b3 36 4c 55 85 48 f5 26 17 d7 c3 99 d8 ec 58 46 45 4c e2 99 ea c6 eb 1d 38 9a 7a
84 cc 44 43 77 06 9b 4d a6 d3 cb 6b 40 f3 53 c0 44 cc 96 61 66 36 65 f6 7d 1a 36 44 43 3b e7 5a 61 86 15 84 7b 9b
8d ce e7 e1 d0 fe 3e 4d c6 e5 8f f1 77 24 53 85 09 02 82 9c 99 80
`
  .trim()
  .split(/\s+/);
