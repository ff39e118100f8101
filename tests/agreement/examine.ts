/**
 * One pair examined: what the rules say, what the fabric does, and whether the two agree.
 *
 * | rule says, of the client's requests | must hold on the fabric |
 * |---|---|
 * | busAddr, one function | nothing on any link: case (c) |
 * | busAddr | request and completion arrive by the bus address and reach no root port (E65) |
 * | thruHostBridge | they arrive by the address form of that road, where the root complex forwards |
 * | notSupported | the bus address does not arrive either, or only where the rule is known to be stricter |
 */

import { reservedWindows } from 'p2pdma/dma';
import type { FateReason, RequestAttributes } from 'p2pdma/fabric';
import { type MapType, mapTypeOfClass, type PolicyName, p2pdmaDistance } from 'p2pdma/p2p';
import { ACS_EGRESS_CONTROL, ACS_UPSTREAM_FORWARDING } from 'p2pdma/pcie';
import type { Bed } from './bed.ts';
import type { Sighting } from './eye.ts';
import { Ledger } from './ledger.ts';

/** How a rule and the fabric differ. */
export type Difference =
  /** The rule keeps the pair off a road that the fabric has. */
  | 'tooStrict'
  /** The rule gives a bus address, and request or completion goes up to a root port, or dies. */
  | 'tooLax'
  /** The rule names the road through the host bridge, and what is sent on it dies. */
  | 'deadEnd';

/** Where our own rule is stricter than the fabric, and why. */
export type Caution =
  /** Egress Control counts as redirect, whatever its vector says. */
  | 'egressControl'
  /** One end is a port of the switch: no port receives the TLP from below, so ACS is not asked. */
  | 'insideSwitch';

export interface Examined {
  readonly directional: MapType;
  readonly linux: MapType;
  /** What became of the bus address; worst of a write and a read. */
  readonly byBus: Sighting['outcome'];
  /** What became of the address form of the road through the host bridge; null where no rule names that road. */
  readonly byRoad: Sighting['outcome'] | null;
  readonly roadReason: FateReason;
  /** Reason of the first thing that did not arrive by the bus address. */
  readonly reason: FateReason;
  /** What our own rule or the fabric got wrong; empty where they agree. */
  readonly complaints: readonly string[];
  readonly difference: Difference | null;
  readonly caution: Caution | null;
}

const ATS = { translated: true, relaxedCompletions: false };
const TRANSLATED: RequestAttributes = { addressType: 'translated' };
const PAYLOAD = 24;
const RANK = ['direct', 'through', 'dies', 'stray'] as const;

export class Examiner {
  readonly bed: Bed;
  readonly ledger: Ledger;
  readonly #payload = new Uint8Array(PAYLOAD);
  readonly #back = new Uint8Array(PAYLOAD);
  readonly #windows = new Map<string, number>();
  #count = 0;

  constructor(bed: Bed) {
    this.bed = bed;
    this.ledger = new Ledger(bed.fabric);
  }

  /**
   * @param claim - the policy whose word is taken for our own; another than `directional` shows that the checks fire
   * @param kernel - the policy that is compared
   */
  examine(
    client: number,
    provider: number,
    translated = false,
    claim: PolicyName = 'directional',
    kernel: PolicyName = 'linux-7.0',
  ): Examined {
    const { bed } = this;
    const linux = p2pdmaDistance(bed.fn(provider), bed.fn(client), bed.judge(kernel)).type;
    if (client === provider) return this.#examineOwn(client, linux, claim);
    const ours = translated
      ? mapTypeOfClass(bed.judge(claim), provider, client, ATS)
      : p2pdmaDistance(bed.fn(provider), bed.fn(client), bed.judge(claim)).type;

    const attributes = translated ? TRANSLATED : undefined;
    const bus = bed.fabric.function(provider).bars[0]?.start as number;
    const complaints: string[] = [];
    const direct = this.#tryBoth(client, provider, bus, attributes, complaints);
    let road: Sighting | null = null;
    if (ours === 'thruHostBridge' || linux === 'thruHostBridge') {
      const address = this.#roadAddress(client, provider, bus, translated);
      road = address === bus ? direct : this.#tryBoth(client, provider, address, attributes, complaints);
    }
    const byRoad = road?.outcome ?? null;
    const roadReason = road?.completion.reason ?? 'none';

    const byBus = direct.outcome;
    const { reason } = direct.completion;
    let caution: Caution | null = null;
    if (ours === 'busAddr' && byBus !== 'direct') {
      complaints.push(
        `E65: busAddr, and by the bus address it ${byBus === 'dies' ? `dies: ${reason}` : `is ${byBus}`}`,
      );
    } else if (ours !== 'busAddr' && byBus === 'direct') {
      caution = cautionOf(bed, client, provider);
      if (caution === null) complaints.push(`${ours}, and the fabric routes it directly`);
    }
    if (ours === 'thruHostBridge' && byRoad === 'dies' && !isOpenEnd(bed, road?.completion)) {
      complaints.push(`thruHostBridge, and on that road it dies: ${roadReason}`);
    }
    if (byBus === 'stray' || byRoad === 'stray') complaints.push('a TLP arrived where nobody was meant');
    return {
      directional: ours,
      linux,
      byBus,
      byRoad,
      roadReason,
      reason,
      complaints,
      difference: differenceOf(linux, byBus, byRoad),
      caution,
    };
  }

  /** Case (c): the engine is given BAR and offset. */
  #examineOwn(index: number, linux: MapType, claim: PolicyName): Examined {
    const { bed, ledger } = this;
    const fn = bed.fn(index);
    const ours = p2pdmaDistance(fn, fn, bed.judge(claim)).type;
    const bar = bed.fabric.function(index).bars[0]?.index as number;
    const [from, to] = [this.#fill(), this.#fill() + PAYLOAD];
    bed.fabric.barMemory(index, bar).write(from, this.#payload);
    ledger.expectBar(index, 0, from, this.#payload);
    ledger.expectBar(index, 0, to, this.#payload);
    const before = tlps(bed);
    const links = bed.fabric.links.busy().length;
    const { ok } = bed
      .engine(index)
      .run({ source: { bar, offset: from }, target: { bar, offset: to }, length: PAYLOAD });
    const complaints: string[] = [];
    if (!ok) complaints.push('the engine could not copy inside its own BAR');
    if (tlps(bed) !== before || bed.fabric.links.busy().length !== links)
      complaints.push('(c): something went on a link');
    if (ours !== 'busAddr') complaints.push(`one function, and the rule says ${ours}`);
    return {
      directional: ours,
      linux,
      byBus: 'direct',
      byRoad: null,
      roadReason: 'none',
      reason: 'none',
      complaints,
      difference: differenceOf(linux, 'direct', null),
      caution: null,
    };
  }

  /** A write and a read of different bytes; the worse of the two sightings. */
  #tryBoth(
    client: number,
    provider: number,
    address: number,
    attributes: RequestAttributes | undefined,
    complaints: string[],
  ): Sighting {
    const { bed, ledger } = this;
    const memory = bed.fabric.barMemory(provider, bed.fabric.function(provider).bars[0]?.index as number);
    const at = this.#fill();
    const write = bed.eye.write(client, provider, address + at, this.#payload, attributes);
    if (write.completion.fate === 'delivered' && write.outcome !== 'stray') {
      ledger.expectBar(provider, 0, at, this.#payload);
      memory.read(at, this.#back);
      if (!same(this.#payload, this.#back)) complaints.push('the bytes written are not those that landed');
    }
    const from = this.#fill();
    memory.write(from, this.#payload);
    ledger.expectBar(provider, 0, from, this.#payload);
    const read = bed.eye.read(client, provider, address + from, this.#back, attributes);
    const arrived = read.completion.status === 'SC';
    if (arrived && !same(this.#payload, this.#back)) complaints.push('the bytes read are not those that were there');
    if (!arrived && this.#back.some((byte) => byte !== 0xff))
      complaints.push('a failed read does not read as all ones');
    return RANK.indexOf(write.outcome) > RANK.indexOf(read.outcome) ? write : read;
  }

  /** What a mapping would give the client on the road through the host bridge. */
  #roadAddress(client: number, provider: number, bus: number, translated: boolean): number {
    const { bed } = this;
    const phys = bus - bed.fn(provider).busOffset;
    if (bed.iommu !== 'on' || translated) return phys;
    const key = `${client} ${provider}`;
    let window = this.#windows.get(key);
    if (window === undefined) {
      const size = Math.max(4096, bed.fabric.function(provider).bars[0]?.size ?? 0);
      const domain = bed.domain(client, reservedWindows(bed.machine, bed.fn(client)));
      const iova = domain.allocator.allocate(size, domain.allocator.limit);
      if (iova === null) throw new Error('no I/O virtual addresses are left');
      domain.map(iova, phys as Parameters<typeof domain.map>[1], size, { read: true, write: true, mmio: true });
      window = iova;
      this.#windows.set(key, window);
    }
    return window;
  }

  /** New bytes, and where in a BAR they go: every few bytes another place, aligned to nothing. */
  #fill(): number {
    const count = this.#count++;
    for (let at = 0; at < PAYLOAD; at++) this.#payload[at] = (count * 31 + at * 7 + (count >> 6)) & 0xff;
    return 64 + ((count * 53) % (65536 - 256));
  }
}

function differenceOf(
  linux: MapType,
  byBus: Sighting['outcome'],
  byRoad: Sighting['outcome'] | null,
): Difference | null {
  if (linux === 'busAddr') return byBus === 'direct' ? null : 'tooLax';
  if (byBus === 'direct') return 'tooStrict';
  return linux === 'thruHostBridge' && byRoad === 'dies' ? 'deadEnd' : null;
}

/**
 * Whether a road may end here although a rule names it. Egress Control without Request Redirect blocks where every rule counts it as
 * redirect. And what comes back to a port that it came in by, on its way up, is undefined while Upstream Forwarding is off.
 */
export function isOpenEnd(bed: Bed, end: { readonly reason: FateReason; readonly at: number } | undefined): boolean {
  if (end?.reason === 'egressControl') return true;
  if (end?.reason !== 'samePort') return false;
  const { fabric } = bed;
  const port = fabric.function(end.at);
  const rule = port.kind === 'rootPort' ? fabric.rules.samePortAtRootPort : fabric.rules.samePortAtDownstreamPort;
  return rule === 'unsupportedRequest' && (port.acsControl & ACS_UPSTREAM_FORWARDING) === 0;
}

/** Why our own rule may be stricter than the fabric here; null: no reason that is known. */
function cautionOf(bed: Bed, client: number, provider: number): Caution | null {
  const { parent } = bed.hierarchy;
  const context = bed.judge('directional');
  const common = context.commonUpstream(provider, client);
  let childOfClient = client;
  while (common >= 0 && parent[childOfClient] !== common && (parent[childOfClient] as number) >= 0) {
    childOfClient = parent[childOfClient] as number;
  }
  const { acs } = bed.fn(childOfClient);
  if (acs.state === 'present' && (acs.control & ACS_EGRESS_CONTROL) !== 0) return 'egressControl';
  const inside = (index: number): boolean => bed.fn(index).isBridge && parent[index] === common;
  return inside(client) || inside(provider) ? 'insideSwitch' : null;
}

function tlps(bed: Bed): number {
  const { memoryReads, memoryWrites, completions } = bed.fabric.counters;
  return memoryReads + memoryWrites + completions;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
