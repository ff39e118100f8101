/**
 * What a diagnosis says goes wrong, goes wrong on the fabric; what its fix promises, happens there. The fabric is driven by registers and
 * knows neither the kernel's rules nor the diagnoses. Lines of setpci are run as they are printed, and their undo, byte for byte.
 */

import { expect, test } from 'vitest';
import { checkMachine } from '../../src/doctor/check-machine.ts';
import type { DiagnosisId, Finding, Fix } from '../../src/doctor/finding.ts';
import type { PairRun } from '../../src/doctor/proof.ts';
import type { Fabric } from '../../src/fabric/index.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { POLICIES } from '../../src/p2p/policy.ts';
import type { PciFunction } from '../../src/pcie/pci-function.ts';
import { fabricOf, fabricProof, runPair, withFabricProofs } from '../../src/report/proof/fabric-proof.ts';
import { proofText, runText } from '../../src/report/words/proof.ts';
import { readTruth } from '../kernel/truth.ts';
import { LISTED, LISTED_SAME_ONLY, UNLISTED } from './machines.ts';
import { allRegisters, setpci } from './setpci.ts';
import { ACS_ON, type Edit, gpu, machineOfParts, oneSwitch, twoPorts, twoRoots } from './twins.ts';

const POLICY = POLICIES['linux-6.12'];
const in2Groups = { a: { iommuGroup: 1 }, b: { iommuGroup: 2 } };
const types = (type: string): Map<number, string> =>
  new Map([
    [1, type],
    [2, type],
  ]);

function finding(machine: Machine, id: DiagnosisId): Finding {
  const found = checkMachine(machine, POLICY).findings.find((one) => one.id === id && one.sure !== 'open');
  if (found === undefined) throw new Error(`${machine.source} has no ${id}`);
  return found;
}

function pair(machine: Machine, { pairs }: Finding): { provider: PciFunction; client: PciFunction } {
  const named = (name: string | undefined): PciFunction =>
    machine.hierarchy.functions.find((fn) => fn.name === name) as PciFunction;
  return { provider: named(pairs?.provider), client: named(pairs?.client) };
}

const run = (fabric: Fabric, machine: Machine, found: Finding): PairRun => {
  const result = runPair(fabric, machine, pair(machine, found));
  if (result === null) throw new Error('the pair can be run');
  return result;
};

const isWhole = (result: PairRun): boolean => result.failure === null && result.bytesRight === result.bytesTotal;

/** Machines in which ACS redirects, and what becomes of the pair before: up, and there refused or forwarded. */
const REDIRECTED: readonly (readonly [string, () => Machine, refused: boolean])[] = [
  ['a host bridge that nobody trusts', () => machineOfParts(oneSwitch(ACS_ON)), true],
  ['Request Redirect alone', () => machineOfParts(oneSwitch(['RR'])), true],
  ['a host bridge that forwards', () => machineOfParts(oneSwitch(ACS_ON, LISTED)), false],
  [
    'a line that opens the other port',
    () => machineOfParts(oneSwitch(ACS_ON), { cmdline: 'pci=disable_acs_redir=0000:02:01.0' }),
    true,
  ],
];

test.each(REDIRECTED)(
  'ACS-REDIR-SWITCH, %s: every fix keeps what went up within the switch, byte for byte',
  (_, make, refused) => {
    const machine = make();
    const found = finding(machine, 'ACS-REDIR-SWITCH');
    const proofs = found.fixes.map(({ change }) => change && fabricProof(machine, POLICY, found, change));
    expect(proofs.length).toBeGreaterThanOrEqual(3);
    for (const proof of proofs) {
      expect(proof?.before.passesRootComplex).toBe(true);
      if (refused) expect(proof?.before.failure).toMatch(/^(unsupportedRequest|completionLost) \(rootComplexRefuses\)/);
      else expect(isWhole(proof?.before as PairRun)).toBe(true);
      expect(proof?.after.passesRootComplex).toBe(false);
      expect(isWhole(proof?.after as PairRun)).toBe(true);
      expect(proof?.restored).toBe(true);
    }
  },
);

/** Runs the printed lines on a live fabric, with traffic before, between and after; and on a quiet one, whose registers are compared. */
function runLines(machine: Machine, found: Finding, fix: Fix, forwards: boolean): readonly PairRun[] {
  const quiet = fabricOf(machine, forwards);
  const original = allRegisters(quiet);
  for (const line of fix.commands) setpci(quiet, line);
  expect(allRegisters(quiet)).not.toEqual(original);
  for (const line of fix.undo) setpci(quiet, line);
  expect(allRegisters(quiet)).toEqual(original);
  // Traffic that fails leaves marks in the error registers.
  const fabric = fabricOf(machine, forwards);
  const before = run(fabric, machine, found);
  for (const line of fix.commands) setpci(fabric, line);
  const after = run(fabric, machine, found);
  for (const line of fix.undo) setpci(fabric, line);
  return [before, after, run(fabric, machine, found)];
}

test.each(REDIRECTED)(
  'ACS-REDIR-SWITCH, %s: the printed setpci lines do it on the live fabric, and undo leaves every byte',
  (_, make, refused) => {
    const machine = make();
    const found = finding(machine, 'ACS-REDIR-SWITCH');
    const [before, after, again] = runLines(machine, found, found.fixes[0] as Fix, !refused);
    expect([before, after, again].map((one) => one?.passesRootComplex)).toEqual([true, false, true]);
    expect(isWhole(after as PairRun)).toBe(true);
    expect(again).toEqual(before);
  },
);

test('MPS: a packet that is too long is malformed at the first hop that says so; with the printed lines every byte arrives', () => {
  const machine = machineOfParts(oneSwitch('clear', UNLISTED, gpu('b', { maxPayload: 128 })));
  const found = finding(machine, 'MPS');
  const [before, after, again] = runLines(machine, found, found.fixes[0] as Fix, false);
  expect(before?.failure).toMatch(/payloadTooLarge/);
  expect(isWhole(after as PairRun)).toBe(true);
  expect(again).toEqual(before);
  for (const { change } of found.fixes) {
    const proof = change && fabricProof(machine, POLICY, found, change);
    expect(proof && isWhole(proof.after)).toBe(true);
  }
});

test('IOMMU-TRANSLATED: a raw BAR address faults in the IOMMU; untranslated, or without it, every byte arrives', () => {
  const machine = machineOfParts(twoPorts(LISTED, ACS_ON), {
    sysfs: in2Groups,
    groups: types('DMA-FQ'),
    cmdline: 'quiet',
  });
  const found = finding(machine, 'IOMMU-TRANSLATED');
  const changes = found.fixes.flatMap(({ change }) => (change === null ? [] : [change]));
  expect(changes.map(({ kind }) => kind)).toEqual(['groupType', 'boot', 'boot']);
  for (const change of changes) {
    const proof = fabricProof(machine, POLICY, found, change);
    expect(proof?.before.failure).toBe('iommuFault (notMapped) at the root complex');
    expect(isWhole(proof?.after as PairRun)).toBe(true);
    expect(proof?.after.passesRootComplex).toBe(true);
    expect(proof?.restored).toBe(true);
  }
});

test('ACS-REDIR-SWITCH below a translating IOMMU: inside the switch the raw address never meets it', () => {
  const sysfs = { ...in2Groups, x: { iommuGroup: 1 } };
  const machine = machineOfParts(oneSwitch(ACS_ON, LISTED), { sysfs, groups: types('DMA'), cmdline: '' });
  const found = finding(machine, 'ACS-REDIR-SWITCH');
  for (const { change } of found.fixes) {
    const proof = change && fabricProof(machine, POLICY, found, change);
    expect(proof?.before.failure).toMatch(/^(iommuFault|completionLost) \(notMapped\)/);
    expect(proof && isWhole(proof.after) && !proof.after.passesRootComplex).toBe(true);
  }
});

test('BAD-CMDLINE: a word that does nothing leaves the road as it is; the corrected line opens it', () => {
  const cmdline = 'quiet pci=disable_acs_redir=0000:02:01.0,0000:02:00.0';
  const machine = machineOfParts(oneSwitch(ACS_ON), { cmdline });
  const redirected = finding(machine, 'ACS-REDIR-SWITCH');
  const bad = finding(machine, 'BAD-CMDLINE');
  const change = bad.fixes[0]?.change;
  const proof = change && fabricProof(machine, POLICY, { pairs: redirected.pairs }, change);
  expect(proof?.before.passesRootComplex).toBe(true);
  expect(proof?.after.passesRootComplex).toBe(false);
  expect(proof && isWhole(proof.after)).toBe(true);
});

test('HB-NOT-LISTED: what a root complex refuses between its ports arrives once both cards stand below one switch', () => {
  const apart = machineOfParts(twoPorts(UNLISTED));
  const found = finding(apart, 'HB-NOT-LISTED');
  expect(run(fabricOf(apart, false), apart, found).failure).toBe(
    'unsupportedRequest (rootComplexRefuses) at the root complex',
  );
  const together = machineOfParts(oneSwitch('clear', UNLISTED));
  expect(checkMachine(together, POLICY).findings.some(({ id }) => id === 'HB-NOT-LISTED')).toBe(false);
  const [provider, client] = together.hierarchy.functions.filter((fn) => fn.classCode === 0x0302) as [
    PciFunction,
    PciFunction,
  ];
  const result = runPair(fabricOf(together, false), together, { provider, client });
  expect(result && isWhole(result) && !result.passesRootComplex).toBe(true);
});

test('HB-SPLIT: a root complex that serves pairs of one host bridge refuses those of two, and pairs of one arrive', () => {
  const split = machineOfParts(twoRoots(LISTED, LISTED_SAME_ONLY));
  const one = machineOfParts(twoPorts(LISTED_SAME_ONLY));
  const strict = (machine: Machine): Fabric => {
    const fabric = fabricOf(machine, true);
    fabric.rootComplex.behaviour = 'sameHostBridgeOnly';
    return fabric;
  };
  expect(run(strict(split), split, finding(split, 'HB-SPLIT')).failure).toMatch(/^unsupportedRequest/);
  const [provider, client] = one.hierarchy.functions.filter((fn) => fn.classCode === 0x0302) as [
    PciFunction,
    PciFunction,
  ];
  const result = runPair(strict(one), one, { provider, client });
  expect(result && isWhole(result)).toBe(true);
});

test('FALSE-GRANT: permitted, and what happens is the root complex’s own: all, writes only, nothing, or damage; comparing bytes tells', () => {
  const machine = machineOfParts(twoPorts(LISTED, 'clear', gpu('b', { vendorId: 0x5853 })));
  const found = finding(machine, 'FALSE-GRANT');
  const shares: Record<string, number> = {};
  for (const behaviour of ['forward', 'writesOnly', 'drop', 'corrupt'] as const) {
    const fabric = fabricOf(machine, true);
    fabric.rootComplex.behaviour = behaviour;
    const result = run(fabric, machine, found);
    shares[behaviour] = result.bytesRight / result.bytesTotal;
  }
  expect(shares).toEqual({ forward: 1, writesOnly: 0.5, drop: 0, corrupt: 63 / 64 });
});

test('GROUP-LIE: devices of two groups that translate reach each other below the IOMMU once ACS is off, and not while it is on', () => {
  const sysfs = { ...in2Groups, x: { iommuGroup: 3 }, y: { iommuGroup: 4 }, sw: { iommuGroup: 5 } };
  const groups = new Map([1, 2, 3, 4, 5].map((group) => [group, 'DMA']));
  const lie = machineOfParts(oneSwitch('clear', LISTED), { sysfs, groups });
  const found = finding(lie, 'GROUP-LIE');
  expect(found.functions).toContain('0000:03:00.0');
  const reach = (machine: Machine): PairRun => {
    const [provider, client] = machine.hierarchy.functions.filter((fn) => fn.classCode === 0x0302) as [
      PciFunction,
      PciFunction,
    ];
    return runPair(fabricOf(machine, true), machine, { provider, client }) as PairRun;
  };
  expect(isWhole(reach(lie)) && !reach(lie).passesRootComplex).toBe(true);
  const honest = machineOfParts(oneSwitch(ACS_ON, LISTED), { sysfs, groups });
  expect(reach(honest).failure).toMatch(/^iommuFault/);
});

const truth = (await readTruth()).filter(({ machine }) =>
  checkMachine(machine, POLICY).findings.some(({ id }) => id === 'ACS-REDIR-SWITCH'),
);

test.each(truth.map(({ machine }) => [machine.source, machine] as const))(
  'a machine of a real kernel, %s: its ACS fixes, run on the fabric, change the road as they say',
  (_, machine) => {
    let shown = 0;
    for (const found of checkMachine(machine, POLICY).findings) {
      if (found.id !== 'ACS-REDIR-SWITCH') continue;
      for (const { change } of found.fixes) {
        const proof = change && fabricProof(machine, POLICY, found, change);
        if (!proof) continue;
        shown++;
        expect(proof.before.passesRootComplex || proof.before.failure !== null, runText(proof)).toBe(true);
        expect(proof.after.passesRootComplex, runText(proof)).toBe(false);
        expect(isWhole(proof.after), runText(proof)).toBe(true);
        expect(proof.restored).toBe(true);
      }
    }
    expect(shown).toBeGreaterThan(0);
  },
);

test('a pair without memory to run, or a finding without a pair, has no proof', () => {
  const machine = machineOfParts(oneSwitch(ACS_ON));
  const found = finding(machine, 'ACS-REDIR-SWITCH');
  const change = found.fixes[0]?.change;
  if (!change) throw new Error('it has a change');
  expect(fabricProof(machine, POLICY, { pairs: null }, change)).toBeNull();
  const bridge = '0000:01:00.0';
  expect(fabricProof(machine, POLICY, { pairs: { count: 1, provider: bridge, client: bridge } }, change)).toBeNull();
});

test('check --prove: what the fabric showed stands beside the proof of each fix that has a change, and beside no other', () => {
  const machine = machineOfParts(oneSwitch(ACS_ON));
  const result = checkMachine(machine, POLICY);
  const shown = withFabricProofs(machine, POLICY, result);
  const [first] = shown.findings;
  expect(first?.id).toBe('ACS-REDIR-SWITCH');
  expect(first?.fixes[0] && proofText(first.fixes[0].proof)).toMatch(
    /^judged again with 1 register changed: .*; on the fabric, 64 KiB written and read: before, .*\(rootComplexRefuses\) at the root complex; after, every byte right without the root complex; undone, every register is as it was$/,
  );
  shown.findings.forEach((finding, at) => {
    finding.fixes.forEach((fix, index) => {
      const plain = result.findings[at]?.fixes[index] as Fix;
      expect(fix.proof === plain.proof).toBe(fix.change === null);
    });
  });
});

const command =
  (value: number): Edit =>
  (view) =>
    view.setUint16(4, value, true);

/** What is off, and what becomes of a write then. */
const SHUT: readonly (readonly [string, () => Machine, RegExp])[] = [
  [
    'Bus Master off at a port',
    () => machineOfParts(oneSwitch('clear'), { edits: { x: command(2) } }),
    /^unsupportedRequest \(busMasterOff\) at 0000:02:00\.0/,
  ],
  [
    'Memory Space off at a port',
    () => machineOfParts(oneSwitch('clear'), { edits: { x: command(4) } }),
    /^unsupportedRequest \(memorySpaceOff\)/,
  ],
  [
    'Bus Master off at a card that a driver has',
    () => machineOfParts(oneSwitch('clear'), { sysfs: { a: { driver: 'nvidia' } }, edits: { a: command(2) } }),
    /^notSent \(busMasterOff\) at 0000:03:00\.0/,
  ],
  [
    'Memory Space off at a card that a driver has',
    () => machineOfParts(oneSwitch('clear'), { sysfs: { a: { driver: 'nvidia' } }, edits: { a: command(4) } }),
    /^unsupportedRequest \(memorySpaceOff\)/,
  ],
];

test.each(SHUT)(
  'NOT-DECODING, %s: no byte arrives by a road that the kernel allows; with the printed line all do',
  (_, make, failure) => {
    const machine = make();
    expect(checkMachine(machine, POLICY).pairs.busAddr).toBe(2);
    const found = finding(machine, 'NOT-DECODING');
    const fix = found.fixes.find(({ change }) => change !== null) as Fix;
    const proof = fix.change && fabricProof(machine, POLICY, found, fix.change);
    expect(proof?.before).toMatchObject({ bytesRight: 0, failure: expect.stringMatching(failure) });
    expect(isWhole(proof?.after as PairRun)).toBe(true);
    expect(proof?.restored).toBe(true);
    const fabric = fabricOf(machine, true);
    const original = allRegisters(fabric);
    const asIs = { ...pair(machine, found), oneWay: true, asIs: true };
    for (const line of fix.commands) setpci(fabric, line);
    expect(isWhole(runPair(fabric, machine, asIs) as PairRun)).toBe(true);
    for (const line of fix.undo) setpci(fabric, line);
    expect(allRegisters(fabric)).toEqual(original);
  },
);
