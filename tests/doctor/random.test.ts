/**
 * The doctor on machines that chance makes: trees of switches with any ACS bits, any CPU, kernel, IOMMU and command line. What a finding
 * names is there, every change can be undone, what opens a switch opens it on the fabric, and a corrected line is correct.
 */

import { expect, test } from 'vitest';
import { Prng } from '../../src/core/prng.ts';
import { restores } from '../../src/doctor/change/machine-change.ts';
import { checkMachine } from '../../src/doctor/check-machine.ts';
import { parseCommandLine } from '../../src/doctor/command-line/command-line.ts';
import {
  commandLineProblems,
  correctedLine,
  repairedLine,
} from '../../src/doctor/command-line/command-line-problems.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { POLICIES, POLICY_NAMES } from '../../src/p2p/policy.ts';
import type { DeviceDescription, PortDescription, RootBusDescription } from '../../src/pcie/describe.ts';
import type { SysfsFacts } from '../../src/pcie/function-facts.ts';
import { fabricProof } from '../../src/report/proof/fabric-proof.ts';
import { runText } from '../../src/report/words/proof.ts';
import { LISTED, LISTED_SAME_ONLY, UNLISTED } from './machines.ts';
import { gpu, machineOfParts } from './twins.ts';

const SEED = 20190627;
const RUNS = 150;
const MIB = 2 ** 20;

/** Pieces of command lines, right and wrong; `#` is an address of the machine. */
const WORDS: readonly string[] = [
  'quiet',
  'pci=noacs',
  'pci=disable_acs_redir=#;#',
  'pci=disable_acs_redir=#,#',
  'pci=disable_acs_redir=#;',
  'pci=disable_acs_redir=#;;#',
  'pci=disable_acs_redir="#;#"',
  "'pci=disable_acs_redir=#'",
  'pci=disable_acs_redir=#; #',
  'disable_acs_redir=#',
  'pci=config_acs=xx00x00@#;1111111@#',
  'pci=config_acs=#@xx00x00',
  'pci=noaer,config_acs=0000000@#,disable_acs_redir=#',
  'pci=disable_acs_redir=pci:1af4:000c',
  'pci=disable_acs_redir=0000:99:00.0;#',
  'iommu=pt',
  'iommu=nopt',
  'iommu.passthrough=1',
  'intel_iommu=on,pt',
  'pcie_acs_override=downstream',
  '--',
];

class Maker {
  readonly #chance: Prng;
  readonly names: string[] = [];

  constructor(chance: Prng) {
    this.#chance = chance;
  }

  roots(): RootBusDescription[] {
    return Array.from({ length: this.#chance.between(1, 2) }, (_, at) => ({
      bus: at * 0x80,
      hostBridge: this.#chance.pick([LISTED, LISTED_SAME_ONLY, UNLISTED]),
      children: Array.from({ length: this.#chance.between(1, 3) }, () => ({
        kind: 'rootPort' as const,
        ...this.#port(2),
      })),
    }));
  }

  #port(depth: number): PortDescription {
    const below = this.#chance.chance(0.1) ? [] : [this.#device(depth)];
    const acs = this.#chance.chance(0.3) ? ('absent' as const) : { control: this.#chance.below(128), capability: 0x7f };
    return { acs, below };
  }

  #device(depth: number): DeviceDescription {
    if (depth > 0 && this.#chance.chance(0.6)) {
      const ports = Array.from({ length: this.#chance.between(1, 3) }, () => this.#port(depth - 1));
      return { kind: 'switch', ports };
    }
    const name = `card${this.names.length}`;
    this.names.push(name);
    const classCode = this.#chance.pick([0x030200, 0x030000, 0x020700, 0x010802, 0x120000]);
    return gpu(name, { classCode, maxPayload: this.#chance.pick([128, 256, 256, 512]) });
  }
}

function randomMachine(chance: Prng): Machine {
  const maker = new Maker(chance);
  const roots = maker.roots();
  const groups = new Map<number, string>();
  const hasGroups = chance.chance(0.5);
  const sysfs: Record<string, Partial<SysfsFacts>> = {};
  for (const [at, name] of maker.names.entries()) {
    if (hasGroups) groups.set(at, chance.pick(['DMA', 'DMA-FQ', 'identity']));
    sysfs[name] = {
      ...(hasGroups ? { iommuGroup: at } : {}),
      ...(chance.chance(0.2) ? { p2pmem: { size: MIB, available: MIB, published: chance.chance(0.5) } } : {}),
    };
  }
  const plain = machineOfParts(roots);
  const address = (): string => chance.pick(plain.hierarchy.functions).name;
  const words = Array.from({ length: chance.below(4) }, () => chance.pick(WORDS).replace(/#/g, address));
  return machineOfParts(roots, {
    sysfs: chance.chance(0.7) ? sysfs : {},
    groups,
    cmdline: words.join(' '),
    kernel: chance.pick(['4.18.0', '5.4.1', '6.1.90', '6.12.1', '7.0.0']),
    cpu: chance.pick([
      { vendor: 'GenuineIntel', family: 6 },
      { vendor: 'AuthenticAMD', family: 25 },
      { vendor: 'ARM', family: null },
    ]),
  });
}

test(`machines of chance (seed ${SEED}): findings name what is there, changes can be undone, and what opens a switch opens it on the fabric`, () => {
  let opened = 0;
  let changes = 0;
  for (let at = 0; at < RUNS; at++) {
    const chance = new Prng(SEED + at);
    const machine = randomMachine(chance);
    const policy = POLICIES[chance.pick(POLICY_NAMES)];
    const known = new Set(machine.hierarchy.functions.map(({ name }) => name));
    for (const finding of checkMachine(machine, policy).findings) {
      const label = `seed ${SEED + at}, ${policy.name}, ${finding.id}: ${machine.cmdline}`;
      for (const name of [...finding.at, ...finding.functions]) expect(known, label).toContain(name);
      for (const { change, proof } of finding.fixes) {
        if (change === null) continue;
        changes++;
        expect(restores(machine, change), label).toBe(true);
        if (finding.id !== 'ACS-REDIR-SWITCH') continue;
        expect(proof, label).toMatchObject({ shows: { kind: 'pair', type: 'busAddr' } });
        const shown = fabricProof(machine, policy, finding, change);
        if (shown === null) continue;
        opened++;
        expect(shown.after.passesRootComplex, `${label}: ${runText(shown)}`).toBe(false);
      }
    }
  }
  expect([opened > 50, changes > 200], `${opened} opened, ${changes} changes`).toEqual([true, true]);
});

test(`command lines of chance (seed ${SEED}): a corrected line has nothing left to correct, and what had effect before still has`, () => {
  let corrected = 0;
  for (let at = 0; at < RUNS; at++) {
    const machine = randomMachine(new Prng(SEED + at));
    const text = machine.cmdline ?? '';
    const line = correctedLine(machine, text);
    if (line !== text) corrected++;
    const parsed = parseCommandLine(line);
    const left = commandLineProblems(machine, parsed)
      .map((problem) => repairedLine(parsed, problem))
      .filter((repaired) => repaired !== null && repaired !== line);
    expect(left, `seed ${SEED + at}: ${text} -> ${line}`).toEqual([]);
  }
  expect(corrected).toBeGreaterThan(40);
});
