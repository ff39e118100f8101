/**
 * A BAR that lies higher than a peer, or an IOMMU, can address. A driver says how many bits its device has (dma_set_mask(), shown as
 * dma_mask_bits in sysfs): the kernel compares them where a peer is reached through the host bridge without translation, and does not
 * where the bus address goes out as it is. Linux kernel/dma/direct.c, drivers/pci/p2pdma.c.
 */

import { hex } from '../../core/hex.ts';
import { listed, plural } from '../../core/words.ts';
import type { IommuUnit, Setting } from '../../machine/host-evidence.ts';
import { hypervisorOf } from '../../machine/infer/hypervisor.ts';
import { hostEvidenceOf, type IommuMode, iommuModeOf } from '../../machine/machine.ts';
import { deviceKey, isProvider } from '../../machine/roles.ts';
import { judgePair } from '../../p2p/distance.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { withChange } from '../change/machine-change.ts';
import { type DoctorContext, doctorContext } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { factEvidence, settingEvidence } from '../facts/evidence.ts';
import type { Evidence, Finding, Fix } from '../finding.ts';
import { BY_HAND, NOTHING } from '../finding.ts';
import { judged } from '../proof.ts';
import { groupTypeFix } from '../remedy/group-type-fix.ts';
import { severityOf } from '../severity.ts';

export const ADDR_MASK: Diagnosis = {
  id: 'ADDR-MASK',
  aliases: [],
  meaning: 'a BAR lies higher than a peer or the guest’s IOMMU can address',
  symptom: 'works once BARs lie lower; "DMA mask too narrow for high BARs"',
  needs: 'BAR addresses; dma_mask_bits of each client, which lspci does not print; the IOMMU’s width',
  diagnose,
};

/** Width of addresses in the virtual IOMMU of QEMU and others where nobody asks for more. */
const GUEST_BITS = 39;
/** What older GPUs of AMD can address. */
const GPU_BITS = 44;
/** As many pairs are judged; more clients with narrow masks than that needs have the same reason. */
const PAIRS_MAX = 50_000;
/** Drivers that hand a device on and set no mask of their own: what sysfs shows then is the kernel's default of 32 bits. */
const HANDED_ON: ReadonlySet<string> = new Set([
  'vfio-pci',
  'uio_pci_generic',
  'igb_uio',
  'pci-stub',
  'pciback',
  'pcieport',
]);

function diagnose(context: DoctorContext): Finding[] {
  const bars = memoryBars(context);
  const narrow = narrowPairs(context, bars);
  const findings = narrow.length === 0 ? [] : [narrowFinding(context, narrow)];
  return [...findings, ...widthFindings(context, bars)];
}

/** A memory BAR of a function that others would reach. */
interface HighBar {
  readonly index: number;
  readonly fn: PciFunction;
  readonly bar: number;
  /** Behind the last byte, on the bus and for the CPU. */
  readonly busEnd: number;
  readonly cpuEnd: number;
}

function memoryBars({ functions, roles, asked }: DoctorContext): HighBar[] {
  const wanted = asked === null ? null : new Set(asked);
  return functions.flatMap((fn, index) => {
    const role = roles[index] ?? null;
    if (wanted === null ? role === null || !isProvider(fn, role) : !wanted.has(index)) return [];
    return fn.bars.flatMap(({ index: bar, space, busAddress, cpuAddress, size }) =>
      space === 'memory' && busAddress !== null
        ? [{ index, fn, bar, busEnd: busAddress + (size ?? 1), cpuEnd: (cpuAddress ?? busAddress) + (size ?? 1) }]
        : [],
    );
  });
}

/** A client that cannot address a BAR which its verdict lets it reach. */
interface NarrowPair {
  readonly client: PciFunction;
  readonly bits: number;
  readonly mask: Setting;
  readonly high: HighBar;
  readonly type: 'busAddr' | 'thruHostBridge';
  /** How its IOMMU takes the address; null where that is not known. */
  readonly mode: IommuMode | null;
}

function narrowPairs(context: DoctorContext, bars: readonly HighBar[]): NarrowPair[] {
  const { machine, judge, functions, roles, asked } = context;
  const wanted = asked === null ? null : new Set(asked);
  const highest = bars.reduce((most, { busEnd, cpuEnd }) => Math.max(most, busEnd, cpuEnd), 0);
  const pairs: NarrowPair[] = [];
  let judged = 0;
  for (const [index, client] of functions.entries()) {
    const mask = hostEvidenceOf(machine).dmaMaskBits.get(client.key);
    if (mask === undefined || (wanted === null ? (roles[index] ?? null) === null : !wanted.has(index))) continue;
    const bits = Number(mask.value);
    if (!speaksForDevice(client) || bits < 24 || bits >= 64 || highest <= 2 ** bits) continue;
    for (const high of bars) {
      if (deviceKey(high.fn) === deviceKey(client) || Math.max(high.busEnd, high.cpuEnd) <= 2 ** bits) continue;
      if (++judged > PAIRS_MAX) return pairs;
      const { type } = judgePair(judge, high.index, index);
      const mode = iommuModeOf(machine, client);
      if (type !== 'busAddr' && type !== 'thruHostBridge') continue;
      if ((type === 'busAddr' ? high.busEnd : high.cpuEnd) <= 2 ** bits) continue;
      // Translated, the device is given an address below its mask.
      if (type === 'thruHostBridge' && mode === 'on') continue;
      pairs.push({ client, bits, mask, high, type, mode });
    }
  }
  return pairs;
}

/** Whether the mask was set by a driver of the device: without one it is a default. */
function speaksForDevice({ driver, isBridge }: PciFunction): boolean {
  return driver !== null && !HANDED_ON.has(driver) && !isBridge;
}

function narrowFinding(context: DoctorContext, pairs: readonly NarrowPair[]): Finding {
  const clients = namesSorted(pairs.map(({ client }) => client));
  const providers = namesSorted(pairs.map(({ high }) => high.fn));
  const bits = Math.min(...pairs.map((pair) => pair.bits));
  const [first] = pairs as readonly [NarrowPair];
  const isSure = pairs.some(({ type, mode }) => type === 'busAddr' || mode !== null);
  const byBus = pairs.filter(({ type }) => type === 'busAddr').length;
  return {
    ...NOTHING,
    id: 'ADDR-MASK',
    severity: severityOf('ADDR-MASK', 'aboveMask'),
    sure: isSure ? 'certain' : 'likely',
    title: `${listed(clients)} can address ${bits} bits, and BARs of ${listed(providers)} lie above: ${outcomeWords(byBus, pairs.length)}`,
    at: clients,
    functions: [...new Set([...clients, ...providers])].sort(),
    pairs: {
      count: new Set(pairs.map(({ client, high }) => `${client.name} ${high.fn.name}`)).size,
      provider: first.high.fn.name,
      client: first.client.name,
    },
    evidence: [...maskEvidence(pairs), ...barEvidence([...new Set(pairs.map(({ high }) => high))].slice(0, 8))],
    why: 'Through the host bridge the kernel compares the address with the mask and refuses the map. Below a switch it does not compare: the device puts the lower bits on the wire, and the data goes somewhere else.',
    fixes: [...translateFix(context, pairs), LOWER_BARS],
  };
}

function outcomeWords(byBus: number, all: number): string {
  if (byBus === 0) return `${plural(all, 'map')} of them fail${all === 1 ? 's' : ''}`;
  return byBus === all ? 'requests between them go to cut addresses' : 'maps fail, or requests go to cut addresses';
}

function namesSorted(functions: readonly PciFunction[]): string[] {
  return [...new Set([...functions].sort((a, b) => a.key - b.key).map((fn) => fn.name))];
}

function maskEvidence(pairs: readonly NarrowPair[]): Evidence[] {
  const seen = new Map(pairs.map(({ client, mask, bits }) => [client.name, { mask, bits }]));
  return [...seen].slice(0, 8).map(([at, { mask, bits }]) =>
    settingEvidence(mask, {
      at,
      register: 'dma_mask_bits',
      meaning: `its driver asked for addresses up to ${hex(2 ** Math.min(bits, 52) - 1)}`,
    }),
  );
}

function barEvidence(bars: readonly HighBar[]): Evidence[] {
  return bars.map(({ fn, bar, busEnd }) =>
    factEvidence(fn, 'bars', {
      register: `BAR${bar}`,
      offset: 0x10 + 4 * bar,
      value: hex(busEnd - 1),
      meaning: `its last byte needs ${Math.ceil(Math.log2(busEnd))} bits`,
    }),
  );
}

const LOWER_BARS: Fix = {
  ...BY_HAND,
  kind: 'firmware',
  what: 'In the firmware setup, lower "MMIO high base" and "MMIO high size" until all BARs lie below the mask',
  cost: 'A reboot; all BARs move.',
  takeBack: 'the old setting',
  reboot: true,
};

/** Where the pair passes an IOMMU that lets it through as it is, translation gives the client an address that it can use. */
function translateFix(context: DoctorContext, pairs: readonly NarrowPair[]): Fix[] {
  const { machine, policy, asked } = context;
  const groups = new Map<number, string>();
  for (const { client, mode } of pairs) {
    const type = machine.iommuGroupTypes.get(client.iommuGroup ?? -1);
    if (mode === 'passthrough' && client.iommuGroup !== null && type !== undefined) groups.set(client.iommuGroup, type);
  }
  if (groups.size === 0) return [];
  const list = [...groups].sort((a, b) => a[0] - b[0]).map(([group, before]) => ({ group, before, after: 'DMA' }));
  const change = { kind: 'groupType', groups: list } as const;
  const changed = doctorContext(withChange(machine, change), policy, asked);
  const left = narrowPairs(changed, memoryBars(changed)).length;
  return [
    {
      ...groupTypeFix(machine, list),
      what: `Let the IOMMU translate for the ${plural(list.length, 'group')} of these clients: it hands out addresses below the mask`,
      cost: 'The drivers of the group are unbound meanwhile; drivers that hand out raw BAR addresses fault. Gone at the next boot.',
      proof: judged({ kind: 'groups', count: list.length, type: 'DMA' }, { kind: 'aboveMask', pairs: left }),
    },
  ];
}

/** Without masks, or in a guest: what an IOMMU, or a GPU by its maker, may not reach. */
function widthFindings(context: DoctorContext, bars: readonly HighBar[]): Finding[] {
  const { machine, functions, roles } = context;
  const inGuest = hypervisorOf(machine) !== null;
  const unit = narrowestUnit(hostEvidenceOf(machine).iommuUnits);
  const gpus = functions.filter((fn, index) => roles[index] === 'gpu' && fn.vendorId === 0x1002);
  const masks = hostEvidenceOf(machine).dmaMaskBits;
  const masksTold = gpus.every((fn) => masks.has(fn.key) && speaksForDevice(fn));
  if (!inGuest && (gpus.length === 0 || masksTold)) return unit === null ? [] : unitFinding(bars, unit);
  if (inGuest && unit !== null) return unitFinding(bars, unit);
  const bits = inGuest ? GUEST_BITS : GPU_BITS;
  const over = bars.filter(({ busEnd }) => busEnd > 2 ** bits);
  if (over.length === 0) return [];
  const names = [...new Set(over.map(({ fn }) => fn.name))];
  return [
    {
      ...NOTHING,
      id: 'ADDR-MASK',
      severity: severityOf('ADDR-MASK', inGuest ? 'openGuest' : 'open'),
      sure: 'open',
      title: inGuest
        ? `BARs of ${listed(names)} lie above ${GUEST_BITS} bits, the default width of a guest’s IOMMU`
        : `BARs of ${listed(names)} lie above ${GPU_BITS} bits, which older GPUs of AMD cannot address`,
      at: names,
      functions: names,
      evidence: barEvidence(over.slice(0, 8)),
      why: 'A client that cannot put the address on the wire, or an IOMMU without tables that wide, fails the mapping or faults.',
      fixes: [inGuest ? WIDER_GUEST : LOWER_BARS],
      missing: inGuest
        ? { what: 'the width of the guest’s IOMMU', command: 'grep . /sys/class/iommu/*/intel-iommu/cap' }
        : { what: 'how many bits each client addresses', command: 'grep . /sys/bus/pci/devices/*/dma_mask_bits' },
    },
  ];
}

const WIDER_GUEST: Fix = {
  ...BY_HAND,
  what: 'Give the guest’s IOMMU more bits (QEMU: aw-bits=48)',
  cost: 'The guest is started again.',
  takeBack: 'the old setting',
  reboot: true,
};

function narrowestUnit(units: readonly IommuUnit[] | null): (IommuUnit & { readonly addressBits: number }) | null {
  let narrowest: (IommuUnit & { readonly addressBits: number }) | null = null;
  for (const unit of units ?? []) {
    const { addressBits } = unit;
    if (addressBits !== null && addressBits < (narrowest?.addressBits ?? 64)) narrowest = { ...unit, addressBits };
  }
  return narrowest;
}

/** BARs above what an IOMMU takes: what passes it untranslated is refused there. */
function unitFinding(bars: readonly HighBar[], unit: IommuUnit & { readonly addressBits: number }): Finding[] {
  const over = bars.filter(({ busEnd }) => busEnd > 2 ** unit.addressBits);
  if (over.length === 0) return [];
  const names = [...new Set(over.map(({ fn }) => fn.name))];
  return [
    {
      ...NOTHING,
      id: 'ADDR-MASK',
      severity: severityOf('ADDR-MASK', 'aboveUnit'),
      sure: 'likely',
      title: `BARs of ${listed(names)} lie above the ${unit.addressBits} bits that IOMMU ${unit.name} takes: raw addresses of them are refused there`,
      at: names,
      functions: names,
      evidence: [
        {
          at: null,
          register: 'Maximum Guest Address Width',
          offset: null,
          value: `${unit.addressBits}`,
          meaning: `of IOMMU ${unit.name}`,
          source: unit.file,
          line: null,
        },
        ...barEvidence(over.slice(0, 8)),
      ],
      why: 'Addresses that the kernel maps lie below that width. What a program or a guest sends as a raw BAR address does not, translated or passed through.',
      fixes: [WIDER_GUEST, LOWER_BARS],
    },
  ];
}
