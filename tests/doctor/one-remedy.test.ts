/**
 * One remedy, however it is asked for: `check` and `explain` print the same commands for the same pair, with the same undo, as text and as
 * data; no command line that they print is one that `check` then condemns; what must be known first is said first.
 */

import { expect, test } from 'vitest';
import type { Case } from '../../src/case/case.ts';
import { Prng } from '../../src/core/prng.ts';
import { withChange } from '../../src/doctor/change/machine-change.ts';
import { checkCase } from '../../src/doctor/check-case.ts';
import { type CheckResult, checkMachine } from '../../src/doctor/check-machine.ts';
import type { Finding, Fix } from '../../src/doctor/finding.ts';
import { buildMachine } from '../../src/machine/build.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { JudgeContext } from '../../src/p2p/judge.ts';
import { POLICIES, type PolicyName } from '../../src/p2p/policy.ts';
import type { AcsDescription, DeviceDescription, PortDescription } from '../../src/pcie/describe.ts';
import type { SysfsFacts } from '../../src/pcie/function-facts.ts';
import { checkDocument } from '../../src/report/check/json.ts';
import { markdownLines } from '../../src/report/check/markdown.ts';
import { checkLines } from '../../src/report/check/text.ts';
import { type Explanation, explain } from '../../src/report/explain/explanation.ts';
import { explainDocument } from '../../src/report/explain/json.ts';
import { explainLines } from '../../src/report/explain/text.ts';
import { namesFrom } from '../../src/report/words/names.ts';
import { styleOf } from '../../src/report/words/style.ts';
import { LISTED, UNLISTED } from './machines.ts';
import { ACS_ON, gpu, machineOfParts, oneSwitch } from './twins.ts';

const POLICY = POLICIES['linux-6.12'];

/** Indices of two functions by their addresses. */
function indices(machine: Machine, names: readonly [string, string]): [number, number] {
  const { functions } = machine.hierarchy;
  return names.map((name) => functions.findIndex((fn) => fn.name === name)) as [number, number];
}

function explained(machine: Machine, pair: readonly [number, number], policy: PolicyName = 'linux-6.12'): Explanation {
  return explain(new JudgeContext(machine, POLICIES[policy]), ...pair);
}

function screenOf(explanation: Explanation): string {
  return [...explainLines(explanation, { columns: 2000, style: styleOf(false), names: namesFrom(null) })].join('\n');
}

function redirectOf({ findings }: CheckResult): Finding | undefined {
  const found = findings.filter(({ id, sure }) => id === 'ACS-REDIR-SWITCH' && sure !== 'open');
  expect(found.length).toBeLessThanOrEqual(1);
  return found[0];
}

/** All that a reader would copy. */
const linesOf = ({ settings = [], commands, undo, takeBack }: Fix): unknown => ({ settings, commands, undo, takeBack });

const isAcs = ({ kind, change }: Fix): boolean => kind === 'setpci' || change?.kind === 'boot';

/** What `check` and `explain` show of one machine, each as text and as data. */
function shown(machine: Machine, names: readonly [string, string]): readonly (readonly [string, string])[] {
  const result = checkMachine(machine, POLICY);
  const question = { machine, policy: POLICY, result, argument: 'host.tar.gz', asked: '' };
  const given: Case = { source: machine.source, machine, origin: 'description', blocks: [], contradictions: [] };
  const document = checkDocument({ given, policy: POLICY, result: checkCase(given, POLICY) });
  const explanation = explained(machine, indices(machine, names));
  const view = { columns: 2000, style: styleOf(false) };
  return [
    ['check', [...checkLines(question, { ...view, verbose: false })].join('\n')],
    ['check --verbose', [...checkLines(question, { ...view, verbose: true })].join('\n')],
    ['check --markdown', [...markdownLines(question)].join('\n')],
    ['check --json', JSON.stringify(document, null, 1)],
    ['explain', screenOf(explanation)],
    ['explain --json', JSON.stringify(explainDocument(explanation), null, 1)],
  ];
}

/** Three cards below one switch; both ports named redirect, the third does not. */
function threeCards(cmdline: string, kernel = '6.15.1'): Machine {
  const port = (name: string, acs: AcsDescription, card: string): PortDescription => ({
    name,
    acs,
    below: [gpu(card)],
  });
  const ports = [port('x', ACS_ON, 'a'), port('y', 'clear', 'b'), port('z', ACS_ON, 'c')];
  const children = [
    { kind: 'rootPort' as const, acs: 'clear' as const, below: [{ kind: 'switch' as const, name: 'sw', ports }] },
  ];
  return machineOfParts([{ hostBridge: UNLISTED, children }], { cmdline, kernel });
}

const A = '0000:00:01.0/00.0/01.0';
const [X, Z] = ['0000:00:01.0/00.0/00.0', '0000:00:01.0/00.0/02.0'];

test('a command line that opens A, and a pair that needs B: one parameter with both, in check, explain and both documents', () => {
  // y, 02:01.0, is open by the line; x, 02:00.0, is what a and b need; z redirects as well.
  const machine = threeCards('quiet pci=noaer,disable_acs_redir=0000:02:01.0');
  const forAll = `pci=disable_acs_redir=${A};${X};${Z}`;
  const forPair = `pci=disable_acs_redir=${A};${X}`;
  for (const [where, text] of shown(machine, ['0000:03:00.0', '0000:04:00.0'])) {
    const words = [...new Set(text.match(/pci=disable_acs_redir=[0-9a-f:./;]+/g))];
    // The short screen shows one command of the first fix, which is setpci's.
    if (where === 'check') expect(words, where).toEqual([]);
    else expect(words, where).toEqual([where.startsWith('check') ? forAll : forPair]);
    // And never beside the old one: it is taken out.
    if (words.length > 0) expect(text, where).toContain('disable_acs_redir=0000:02:01.0 taken out there');
  }
});

test('the same with config_acs= on the line: its entries stay as they are', () => {
  const machine = threeCards('pci=config_acs=xx1xxxx@0000:02:01.0 quiet');
  for (const [where, text] of shown(machine, ['0000:03:00.0', '0000:04:00.0'])) {
    if (where === 'check') continue;
    expect(text, where).not.toContain('pci=disable_acs_redir=');
    const words = [...new Set(text.match(/pci=config_acs=[01x]+@[0-9a-f:./@x]+;[0-9a-f:./;@x]+/g))];
    const pair = `pci=config_acs=xx1xxxx@${A};0010001@${X}`;
    expect(words, where).toEqual([where.startsWith('check') ? `${pair};0010001@${Z}` : pair]);
  }
});

test('what explain prints, put on the command line, is nothing that check condemns', () => {
  for (const cmdline of [
    'quiet',
    'pci=disable_acs_redir=0000:02:01.0',
    'pci=noaer,config_acs=0000000@0000:02:01.0 a',
  ]) {
    const machine = threeCards(cmdline);
    const { remedy } = explained(machine, indices(machine, ['0000:03:00.0', '0000:04:00.0']));
    expect(remedy.fixes.filter(({ kind }) => kind === 'kernelParameter').length).toBeGreaterThan(0);
    for (const { change } of remedy.fixes) {
      if (change?.kind !== 'boot') continue;
      const after = withChange(machine, change);
      // A list of one device at the end of a line may have been cut, and `likely` says so.
      const condemned = checkMachine(after, POLICY).findings.filter(
        ({ id, sure }) => id === 'BAD-CMDLINE' && sure === 'certain',
      );
      expect(condemned.map(({ title }) => title)).toEqual([]);
    }
  }
});

test('four switches of four ports that redirect: one finding, one block of setpci lines, its undo, one kernel line', () => {
  const children = [0, 1, 2, 3].map((at) => ({
    kind: 'rootPort' as const,
    below: [
      {
        kind: 'switch' as const,
        ports: [0, 1, 2, 3].map((slot) => ({ acs: ACS_ON, below: [gpu(`card${at}.${slot}`)] })),
      },
    ],
  }));
  const machine = machineOfParts([{ hostBridge: UNLISTED, children }], { cmdline: 'quiet' });
  const question = { machine, policy: POLICY, result: checkMachine(machine, POLICY), argument: 'x', asked: '' };
  const text = [...checkLines(question, { columns: 2000, style: styleOf(false), verbose: true })].join('\n');
  expect(text.match(/^ERROR {2}ACS-REDIR-SWITCH$/gm)).toHaveLength(1);
  expect(text.match(/setpci .*=0:2c/g)).toHaveLength(16);
  expect(text.match(/setpci .*=c:2c/g)).toHaveLength(16);
  expect(new Set(text.match(/pci=disable_acs_redir=\S+[0-9]/g)).size).toBe(1);
  expect(text).toContain('DPC, hot plug, suspend');
});

test('a device that vfio-pci holds: each way to show the fix says what isolation is lost before it shows a command', () => {
  const sysfs = {
    x: { iommuGroup: 3 },
    y: { iommuGroup: 4 },
    a: { iommuGroup: 1, driver: 'vfio-pci' },
    b: { iommuGroup: 2, driver: 'nvidia' },
  };
  const groups = new Map([1, 2, 3, 4].map((group) => [group, 'DMA']));
  const machine = machineOfParts(oneSwitch(ACS_ON), { sysfs, groups });
  const first = '0000:03:00.0 is bound to vfio-pci';
  for (const [where, text] of shown(machine, ['0000:03:00.0', '0000:04:00.0'])) {
    const setpci = text.search(/sudo setpci|ECAP_ACS/);
    expect(text.indexOf(first), where).toBeGreaterThan(0);
    if (where !== 'explain --json') expect(text.indexOf(first), where).toBeLessThan(setpci);
  }
});

test('a redirect is cleared for certain where the host bridge is not known: explain shows the fix beside what is missing', () => {
  const described = machineOfParts(oneSwitch(ACS_ON, { vendorId: 0x1022, deviceId: 0x1234 }));
  const functions = described.hierarchy.functions.map(({ facts }) => facts);
  const unknown = buildMachine({ source: 'dump', functions, kernel: '6.15.1' });
  const pair = indices(unknown, ['0000:03:00.0', '0000:04:00.0']);
  const explanation = explained(unknown, pair);
  expect(explanation.verdict.type).toBe('unknown');
  const text = screenOf(explanation);
  expect(text).toContain('What is missing');
  expect(text).toContain('sudo setpci -s 0000:02:00.0 ECAP_ACS+6.w=0:2c');
  expect(text).toContain('by bus address');
  const ofCheck = redirectOf(checkMachine(unknown, POLICY, { asked: pair }))?.fixes.map(linesOf);
  expect(explanation.remedy.fixes.map(linesOf)).toEqual(ofCheck);
});

const SEED = 20260907;

test(`explain and check print identical commands for the same pair (machines of chance, seed ${SEED})`, () => {
  let compared = 0;
  let merged = 0;
  for (let run = 0; run < 60; run++) {
    const label = `seed ${SEED + run}`;
    const machine = machineOfChance(new Prng(SEED + run));
    const judge = new JudgeContext(machine, POLICY);
    const cards = judge.functions.flatMap((fn, index) => (fn.isBridge || fn.bdf.bus === 0 ? [] : [index]));
    for (const provider of cards.slice(0, 3)) {
      for (const client of cards) {
        if (client === provider) continue;
        const { remedy } = explain(judge, provider, client);
        const finding = redirectOf(checkMachine(machine, POLICY, { asked: [provider, client] }));
        const ofExplain = remedy.fixes.filter(isAcs).map(linesOf);
        expect(ofExplain, `${label}: ${provider}, ${client}`).toEqual((finding?.fixes ?? []).map(linesOf));
        compared += ofExplain.length;
        if (remedy.acs?.words.some(({ replaces }) => replaces !== null)) merged++;
      }
    }
  }
  console.log(`compared ${compared} fixes, in ${merged} pairs one that was merged (seed ${SEED})`);
  expect(compared).toBeGreaterThan(400);
  expect(merged).toBeGreaterThan(50);
});

const ACS: readonly AcsDescription[] = ['absent', 'clear', ACS_ON, ['RR'], ['CR', 'SV'], ['EC']];
const KERNELS: readonly string[] = ['4.18.0', '6.1.90', '6.12.1', '6.15.1', '7.0.1'];
const LINES: readonly string[] = [
  'quiet',
  'pci=disable_acs_redir=0000:02:00.0',
  'pci=noaer,disable_acs_redir=0000:02:00.0;pci:10b5:0 splash',
  'pci=config_acs=xx0x00x@0000:02:01.0',
  'pci=disable_acs_redir=0000:02:00.0,config_acs=1@0000:02:01.0',
  'pci=disable_acs_redir=switch;0000:02:00.0',
];

/** One to three switches with cards below them, two levels deep at most, and everything else that a remedy asks about. */
function machineOfChance(chance: Prng): Machine {
  let cards = 0;
  const port = (depth: number): PortDescription => {
    const below: DeviceDescription[] =
      depth > 0 && chance.chance(0.3)
        ? [{ kind: 'switch', ports: [port(depth - 1), port(depth - 1)] }]
        : [gpu(`card${cards++}`)];
    return { acs: chance.pick(ACS), below };
  };
  const children = Array.from({ length: chance.between(1, 2) }, () => ({
    kind: 'rootPort' as const,
    acs: chance.pick(ACS),
    below: [{ kind: 'switch' as const, ports: Array.from({ length: chance.between(2, 3) }, () => port(1)) }],
  }));
  const sysfs: Record<string, Partial<SysfsFacts>> = {};
  if (chance.chance(0.5)) {
    for (let at = 0; at < cards; at++) {
      sysfs[`card${at}`] = { iommuGroup: at, driver: chance.chance(0.3) ? 'vfio-pci' : 'nvidia' };
    }
  }
  return machineOfParts([{ hostBridge: chance.pick([LISTED, UNLISTED]), children }], {
    kernel: chance.pick(KERNELS),
    cmdline: chance.pick(LINES),
    sysfs,
    groups: new Map(Object.keys(sysfs).map((_, group) => [group, 'DMA'])),
  });
}
