/**
 * Who hands a raw BAR address to a peer, and so faults where the IOMMU translates, and who maps it and is served: by driver, by its
 * parameter, by what stands in the machine. A driver that the capture does not name is taken for the usual one of its maker.
 */

import { hostEvidenceOf } from '../../machine/machine.ts';
import type { Role } from '../../machine/roles.ts';
import { judgePair } from '../../p2p/distance.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { type DoctorContext, slotsOf } from '../context.ts';
import type { PairCase } from '../facts/pair-cases.ts';
import { isGpu } from '../whose-rule/opinion.ts';

export interface RawAddressUsers {
  /** Indices of the functions that somebody may pair by raw addresses, with a way through the root complex. */
  readonly functions: ReadonlySet<number>;
  /** Clauses: who faults. Empty where nobody here is known to. */
  readonly hurt: readonly string[];
  /** Clauses: who does not. */
  readonly served: readonly string[];
}

const VENDOR_NVIDIA = 0x10de;
const VENDOR_AMD = 0x1002;
const VENDOR_INTEL = 0x8086;

/** Drivers of the kernel that map with its DMA API. */
const DMA_API: ReadonlySet<string> = new Set([
  'nvme',
  'mlx5_core',
  'mlx4_core',
  'bnxt_en',
  'ice',
  'irdma',
  'efa',
  'amdgpu',
  'xe',
  'i915',
]);
/** Drivers that hand a device to a user program. */
const UIO: ReadonlySet<string | null> = new Set(['uio_pci_generic', 'igb_uio']);

/**
 * The users of the ways of `cases` that pass the root complex; null where all pairs on them are of drivers that map with the DMA API,
 * as a graphics card and a drive.
 */
export function rawAddressUsers(context: DoctorContext, cases: readonly PairCase[]): RawAddressUsers | null {
  const { functions, roles, judge } = context;
  const indices = pairedRaw(context, cases);
  if (indices.size === 0) return null;
  const all = [...indices].map((index) => ({ index, fn: functions[index] as PciFunction, role: roles[index] ?? null }));
  const gpus = all.filter(({ role }) => isGpu(role));
  const ofMaker = (vendor: number, driver: string): number[] =>
    gpus.filter(({ fn }) => isOfMaker(fn, vendor, driver)).map(({ index }) => index);
  const hasNic = all.some(({ role }) => role === 'nic');
  const isPaired = (some: readonly number[]): boolean => some.length > 0 && (slotsOf(judge, some) >= 2 || hasNic);
  const hurt: string[] = [];
  const served: string[] = [];
  if (isPaired(ofMaker(VENDOR_NVIDIA, 'nvidia'))) {
    const { yes, no } = ofNvidia(context);
    hurt.push(...yes);
    served.push(...no);
  }
  const hasAmd = isPaired(ofMaker(VENDOR_AMD, 'amdgpu'));
  if (hasAmd) hurt.push(RCCL);
  if (all.some(({ fn }) => UIO.has(fn.driver))) hurt.push('programs through UIO, which hand out physical addresses');
  if (all.some(({ fn, role }) => isOther(fn) && role !== null && OFFERING.has(role)))
    hurt.push('drivers and programs that give the bare address of a BAR to a peer');
  if (all.some(({ fn }) => fn.driver === 'vfio-pci'))
    served.push('guests and SPDK through VFIO type1, which maps the BARs of peers');
  const drivers = new Set(all.map(({ fn }) => fn.driver).filter((driver) => driver !== null));
  const known = [...drivers].filter((driver) => DMA_API.has(driver) && !(driver === 'amdgpu' && hasAmd));
  if (known.length > 0) served.push(`drivers that map with the DMA API (${known.sort().join(', ')})`);
  return { functions: indices, hurt, served };
}

const RCCL =
  'RCCL, which asks for iommu=pt and is reported to hang without it, though amdgpu maps peers with the DMA API';

/** Functions whose pairs are looked at one by one; a machine with more of them has the same kinds again. */
const MEMBERS_MAX = 96;

/** The functions of all pairs that may be raw and do not turn round inside a switch. */
function pairedRaw(context: DoctorContext, cases: readonly PairCase[]): Set<number> {
  const { judge } = context;
  const members = [...new Set(cases.flatMap((item) => [...item.functions]))]
    .filter((index) => mayBeRaw(context, index))
    .slice(0, MEMBERS_MAX);
  const found = new Set<number>();
  for (const a of members) {
    for (const b of members) {
      if (a >= b || (found.has(a) && found.has(b)) || !arePairedRaw(context, a, b)) continue;
      if (judgePair(judge, a, b).type !== 'busAddr') found.add(a).add(b);
    }
  }
  return found;
}

function mayBeRaw({ functions, roles, asked }: DoctorContext, index: number): boolean {
  const role = roles[index] ?? null;
  return (
    asked !== null || isGpu(role) || role === 'nic' || role === 'memory' || UIO.has(functions[index]?.driver ?? null)
  );
}

/** Two that compute, one that computes and a network card, memory and anything; what the user asked for. */
function arePairedRaw({ functions, roles, asked, judge }: DoctorContext, a: number, b: number): boolean {
  if (asked !== null) return true;
  if (slotsOf(judge, [a, b]) < 2) return false;
  const [one, other] = [roles[a] ?? null, roles[b] ?? null];
  if ([a, b].some((index) => UIO.has(functions[index]?.driver ?? null))) return true;
  if (one === 'memory' || other === 'memory') return true;
  return (isGpu(one) && (isGpu(other) || other === 'nic')) || (one === 'nic' && isGpu(other));
}

/** Roles that offer memory. */
const OFFERING: ReadonlySet<Role> = new Set<Role>(['gpu', 'accelerator', 'memory']);
const KNOWN_MAKERS: ReadonlySet<number | null> = new Set([VENDOR_NVIDIA, VENDOR_AMD, VENDOR_INTEL]);

/** A function of whose driver nothing is known here. */
function isOther({ vendorId, driver }: PciFunction): boolean {
  return driver === null && !KNOWN_MAKERS.has(vendorId);
}

/** By its number, or by its driver where a listing prints no numbers; never with another driver than the maker's. */
function isOfMaker(fn: PciFunction, vendor: number, driver: string): boolean {
  return fn.driver === driver || (fn.driver === null && fn.vendorId === vendor);
}

/** Registry keys by which a driver is made to use BAR addresses. */
const FORCED = /\b(?:RMForceP2PType|ForceP2P|RMPcieP2PType)=\w+/;

function ofNvidia({ machine }: DoctorContext): { readonly yes: string[]; readonly no: string[] } {
  const parameters = hostEvidenceOf(machine).modules?.byName.get('nvidia')?.parameters;
  const remap = parameters?.get('DmaRemapPeerMmio')?.value;
  if (remap === '0')
    return { yes: ['CUDA: NVreg_DmaRemapPeerMmio=0 makes NVIDIA’s driver hand out raw BAR addresses'], no: [] };
  const forced = FORCED.exec(parameters?.get('RegistryDwords')?.value ?? '')?.[0];
  const patched =
    forced === undefined
      ? 'CUDA with a patched NVIDIA driver, or with NVreg_DmaRemapPeerMmio=0'
      : `CUDA: ${forced} is what patched NVIDIA drivers are given, and they hand out raw BAR addresses`;
  const stock = `the stock NVIDIA driver maps peers while NVreg_DmaRemapPeerMmio is 1, ${remap === '1' ? 'as here' : 'its default'}, and copies through RAM where that fails`;
  return { yes: [patched], no: [stock] };
}
