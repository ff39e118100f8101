/**
 * A fix run on the fabric: the pair of a finding moves bytes both ways as a driver does that puts the BAR's address on the wire, on the
 * machine as it is, and on the copy that the fix changed. The diagnosis knows registers and the kernel's rules; the fabric knows
 * neither rules nor diagnosis, so where both tell the same story there is evidence.
 */

import { restores, withChange } from '../../doctor/change/machine-change.ts';
import type { CheckResult } from '../../doctor/check-machine.ts';
import type { Finding, Fix, MachineChange } from '../../doctor/finding.ts';
import type { PairRun, Run } from '../../doctor/proof.ts';
import { Fabric } from '../../fabric/fabric.ts';
import type { Hop } from '../../fabric/hop.ts';
import { IommuPort } from '../../fabric/iommu-port.ts';
import { ROOT_COMPLEX } from '../../fabric/outcome.ts';
import { prepare } from '../../fabric/prepare.ts';
import type { SparseMemory } from '../../fabric/sparse-memory.ts';
import { IommuDomain } from '../../iommu/domain.ts';
import { IovaAllocator } from '../../iommu/iova-allocator.ts';
import { iommuModeOf, type Machine } from '../../machine/machine.ts';
import { judgePair } from '../../p2p/distance.ts';
import { JudgeContext } from '../../p2p/judge.ts';
import type { Policy } from '../../p2p/policy.ts';
import { parseBdf } from '../../pcie/bdf.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { COMMAND } from '../../pcie/registers.ts';

/** Two functions of a machine. */
export interface ProvenPair {
  readonly provider: PciFunction;
  readonly client: PciFunction;
  /** Only the client's requests are wanted; left out, the provider's to the client's memory too. */
  readonly oneWay?: boolean;
  /** Nothing is switched on that is off: the Command registers are what is to be shown. */
  readonly asIs?: boolean;
}

export type FabricProof = NonNullable<Run['run']>;

/** Bytes each way: several packets of every size, several pages. */
const LENGTH = 16 * 1024;

/** The fabric of a machine: its root complex forwards peer traffic, or refuses it; its IOMMU has the groups' types. */
export function fabricOf(machine: Machine, forwards: boolean): Fabric {
  const { functions } = machine.hierarchy;
  const modes = functions.map((fn) => iommuModeOf(machine, fn));
  const iommu = modes.some((mode) => mode === 'on' || mode === 'passthrough')
    ? new IommuPort({ otherwise: 'passthrough' })
    : null;
  modes.forEach((mode, index) => {
    // A domain in which nobody has mapped the peer: that is what a raw address meets.
    if (mode === 'on')
      iommu?.attach((functions[index] as PciFunction).key, new IommuDomain({ allocator: new IovaAllocator() }));
  });
  return new Fabric({
    hierarchy: machine.hierarchy,
    ram: machine.ram,
    rootComplex: forwards ? 'forward' : 'unsupportedRequest',
    iommu,
    rules: { internalPeerRoute: true, samePortAtRootPort: 'upstream', samePortAtDownstreamPort: 'upstream' },
  });
}

/**
 * Each of the two writes into the other's largest BAR and reads from it: the ACS of a port decides on what the device below it sends, so
 * one direction alone may not meet it. Null where the capture does not tell where the provider's memory is.
 */
export function runPair(
  fabric: Fabric,
  machine: Machine,
  { provider, client, oneWay, asIs = false }: ProvenPair,
): PairRun | null {
  const there = runOneWay(fabric, machine, { provider, client, asIs });
  if (there === null) return null;
  // A drive's first BAR is its registers: nobody writes data there.
  const isTwoWay = oneWay !== true && client.classCode !== 0x0108;
  const back = isTwoWay ? runOneWay(fabric, machine, { provider: client, client: provider, asIs }) : null;
  if (back === null) return there;
  return {
    road: [...new Set([...there.road, ...back.road])],
    passesRootComplex: there.passesRootComplex || back.passesRootComplex,
    failure: there.failure ?? back.failure,
    bytesRight: there.bytesRight + back.bytesRight,
    bytesTotal: there.bytesTotal + back.bytesTotal,
  };
}

function runOneWay(fabric: Fabric, machine: Machine, pair: ProvenPair): PairRun | null {
  const { hierarchy } = machine;
  const [provider, client] = [hierarchy.indexOf(pair.provider.bdf), hierarchy.indexOf(pair.client.bdf)];
  const [bar] = pair.provider.bars
    .filter((one) => one.space === 'memory' && (one.size ?? 0) >= 4096 && one.busAddress !== null)
    .sort((a, b) => (b.size as number) - (a.size as number));
  if (provider < 0 || client < 0 || bar === undefined) return null;
  if (pair.asIs !== true) prepare(fabric, [provider, client]);
  if (fabric.function(provider).bar(bar.index) === null) return null;
  const memory: SparseMemory = fabric.barMemory(provider, bar.index);
  const length = Math.min(LENGTH, bar.size as number);
  const places: number[] = [];
  const stop = fabric.watch((hop: Hop) => {
    if (!places.includes(hop.at)) places.push(hop.at);
  });
  const address = bar.busAddress as number;
  const sent = pattern(length, 1);
  const wrote = fabric.memoryWrite(client, address, sent);
  const landed = new Uint8Array(length);
  memory.read(0, landed);
  const kept = pattern(length, 2);
  memory.write(0, kept);
  const read = new Uint8Array(length);
  const answered = fabric.memoryRead(client, address, read);
  stop();
  const bad = [wrote, answered].find((one) => one.fate !== 'delivered');
  const nameOf = (at: number): string =>
    at === ROOT_COMPLEX ? 'the root complex' : (hierarchy.functions[at]?.name ?? 'nowhere');
  return {
    road: places.map(nameOf),
    passesRootComplex: places.includes(ROOT_COMPLEX),
    failure: bad === undefined ? null : `${bad.fate} (${bad.reason}) at ${nameOf(bad.at)}`,
    bytesRight: equalBytes(landed, sent) + equalBytes(read, kept),
    bytesTotal: 2 * length,
  };
}

/** Runs the pair of a finding before and after a change; null where the finding has no pair, or its memory is not known. */
export function fabricProof(
  machine: Machine,
  policy: Policy,
  finding: Pick<Finding, 'pairs'>,
  change: MachineChange,
): FabricProof | null {
  const changed = withChange(machine, change);
  const [now, then] = [pairOf(machine, finding), pairOf(changed, finding)];
  if (now === null || then === null) return null;
  const judge = new JudgeContext(machine, policy);
  const index = (fn: PciFunction): number => machine.hierarchy.indexOf(fn.bdf);
  // What the kernel refuses for its host bridge, a root complex is taken to refuse too.
  const forwards = judgePair(judge, index(now.provider), index(now.client)).type !== 'notSupported';
  // Linux has one answer for both directions; the directional rule has one for each, and a fix of one leaves the other.
  const asIs = changesCommand(change);
  const oneWay = policy.acsRule === 'divergence' || asIs;
  const before = runPair(fabricOf(machine, forwards), machine, { ...now, oneWay, asIs });
  const after = runPair(fabricOf(changed, forwards), changed, { ...then, oneWay, asIs });
  return before === null || after === null ? null : { before, after, restored: restores(machine, change) };
}

/** Whether what a change switches on would be on anyway, were the pair made ready as drivers do. */
function changesCommand(change: MachineChange): boolean {
  return change.kind === 'registers' && change.words.some(({ offset }) => offset === COMMAND);
}

function pairOf({ hierarchy }: Machine, { pairs }: Pick<Finding, 'pairs'>): ProvenPair | null {
  const at = (name: string): PciFunction | undefined => {
    const bdf = parseBdf(name);
    return bdf === null ? undefined : hierarchy.at(bdf);
  };
  const [provider, client] = pairs === null ? [] : [at(pairs.provider), at(pairs.client)];
  return provider === undefined || client === undefined ? null : { provider, client };
}

/** The result with what the fabric showed beside the proof of every fix that has a change. */
export function withFabricProofs(machine: Machine, policy: Policy, result: CheckResult): CheckResult {
  const prove = (finding: Finding, fix: Fix): Fix => {
    if (fix.change === null || fix.proof.kind === 'run') return fix;
    return {
      ...fix,
      proof: { kind: 'run', of: fix.proof, run: fabricProof(machine, policy, finding, fix.change) },
    };
  };
  const findings = result.findings.map((finding) => ({
    ...finding,
    fixes: finding.fixes.map((fix) => prove(finding, fix)),
  }));
  return { ...result, findings };
}

/** No byte is that of its neighbour, none is 0 or ff: what did not arrive is seen. */
function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => 1 + ((at * 7 + seed * 31 + (at >> 8)) % 253));
}

function equalBytes(a: Uint8Array, b: Uint8Array): number {
  let equal = 0;
  for (let at = 0; at < a.length; at++) if (a[at] === b[at]) equal++;
  return equal;
}
