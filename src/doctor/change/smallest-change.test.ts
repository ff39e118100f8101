import { expect, test } from 'vitest';
import {
  card,
  LISTED,
  LISTED_SAME_ONLY,
  machineOf,
  type NamedMachine,
  switchBelow,
  UNLISTED,
} from '../../../tests/doctor/machines.ts';
import { Prng } from '../../core/prng.ts';
import { judgePair } from '../../p2p/distance.ts';
import { JudgeContext, REDIRECT_YES } from '../../p2p/judge.ts';
import { POLICIES, type PolicyName } from '../../p2p/policy.ts';
import type { MapType, PairVerdict } from '../../p2p/verdict.ts';
import type { AcsDescription, DeviceDescription, PortDescription } from '../../pcie/describe.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { withAcsControls } from './changed-machine.ts';
import { isBetter, type SmallestChange, smallestChange } from './smallest-change.ts';

function changeFor(
  { judge, index }: NamedMachine,
  provider: string,
  client: string,
  policy?: PolicyName,
): SmallestChange {
  return smallestChange(judge(policy), index(provider), index(client));
}

test('E5: redirect on the client’s port only: that port alone is cleared, all other bits stay', () => {
  const named = machineOf([
    {
      hostBridge: UNLISTED,
      children: [
        switchBelow('rp', [
          { name: 'dsp-a', below: [card('a')] },
          { name: 'dsp-b', acs: ['SV', 'RR', 'CR', 'UF'], below: [card('b')] },
          { name: 'dsp-c', acs: ['SV', 'RR', 'CR', 'UF'], below: [card('c')] },
        ]),
      ],
    },
  ]);
  const change = changeFor(named, 'a', 'b');
  expect(change.before.type).toBe('notSupported');
  expect(change.settings?.ports).toMatchObject([{ at: named.fn('dsp-b'), before: 0b0011101, after: 0b0010001 }]);
  expect(change.settings?.verdict.type).toBe('busAddr');
  expect(change.moves).toEqual([]);
});

test('no change is offered where the road is by bus address already, or is not known', () => {
  const named = machineOf([
    {
      hostBridge: UNLISTED,
      children: [
        switchBelow('rp', [
          { name: 'x', below: [card('a')] },
          { name: 'y', below: [card('b')] },
        ]),
      ],
    },
  ]);
  expect(changeFor(named, 'a', 'b')).toMatchObject({
    before: { type: 'busAddr' },
    settings: null,
    moves: [],
    kernel: null,
  });
  const unknown = machineOf(
    [{ hostBridge: { vendorId: 0x1022, deviceId: 1 }, children: [switchBelow('rp', []), switchBelow('rq', [])] }],
    {
      cpu: null,
    },
  );
  expect(changeFor(unknown, 'rp', 'rq')).toMatchObject({
    before: { type: 'unknown' },
    settings: null,
    moves: [],
    kernel: null,
  });
});

test('different root ports of an unlisted host bridge: no setting helps, a free port of the other’s switch does', () => {
  const named = machineOf([
    {
      hostBridge: UNLISTED,
      children: [
        switchBelow('rp', [
          { name: 'dsp-a', below: [card('a')] },
          { name: 'dsp-x', below: [card('x')] },
          { name: 'dsp-free' },
        ]),
        { kind: 'rootPort', name: 'other', below: [card('b')] },
      ],
    },
  ]);
  const change = changeFor(named, 'a', 'b');
  expect(change.settings).toBeNull();
  expect(change.moves).toMatchObject([
    {
      who: 'client',
      below: named.fn('dsp-free'),
      occupants: [],
      settings: null,
      verdict: { type: 'busAddr', distance: 4 },
    },
  ]);
});

test('a slot that is taken is named with its card, and what must be cleared besides is said', () => {
  const named = machineOf([
    {
      hostBridge: UNLISTED,
      children: [
        switchBelow('rp', [
          { name: 'dsp-a', below: [card('a')] },
          { name: 'dsp-x', acs: ['RR'], below: [card('x')] },
        ]),
        { kind: 'rootPort', name: 'other', below: [card('b')] },
      ],
    },
  ]);
  const [move] = changeFor(named, 'a', 'b').moves;
  expect(move).toMatchObject({ who: 'client', below: named.fn('dsp-x'), occupants: [named.fn('x')] });
  expect(move?.settings?.ports.map((port) => port.at.name)).toEqual([named.at('dsp-x')]);
});

test('of two slots the one that needs nothing besides is named', () => {
  const named = machineOf([
    {
      hostBridge: UNLISTED,
      children: [
        switchBelow('rp', [
          { name: 'dsp-a', below: [card('a')] },
          { name: 'dsp-x', acs: ['RR'] },
          { name: 'dsp-y', below: [card('y')] },
        ]),
        { kind: 'rootPort', name: 'other', below: [card('b')] },
      ],
    },
  ]);
  expect(changeFor(named, 'a', 'b').moves).toMatchObject([{ who: 'client', below: named.fn('dsp-y'), settings: null }]);
});

test('two host bridges listed only for pairs below themselves: a move below the other’s host bridge opens the road', () => {
  const named = machineOf([
    {
      hostBridge: LISTED_SAME_ONLY,
      children: [
        { kind: 'rootPort', name: 'p1', below: [card('a')] },
        { kind: 'rootPort', name: 'p2' },
      ],
    },
    { hostBridge: LISTED_SAME_ONLY, children: [{ kind: 'rootPort', name: 'q1', below: [card('b')] }] },
  ]);
  const change = changeFor(named, 'a', 'b');
  expect(change.before.type).toBe('notSupported');
  expect(change.settings).toBeNull();
  expect(change.moves).toMatchObject([{ who: 'client', below: named.fn('p2'), verdict: { type: 'thruHostBridge' } }]);
});

test('what stands on a root bus is built in and is not moved', () => {
  const named = machineOf([
    {
      hostBridge: UNLISTED,
      children: [card('built-in'), switchBelow('rp', [{ name: 'dsp-a', below: [card('a')] }, { name: 'free' }])],
    },
  ]);
  const change = changeFor(named, 'a', 'built-in');
  expect(change.moves.filter((move) => move.who === 'client')).toEqual([]);
});

test('a host bridge that only a newer kernel lists: the newer rules are named', () => {
  const ports = ['p', 'q'].map((name) => ({ kind: 'rootPort' as const, name, below: [card(`${name}-card`)] }));
  const named = machineOf([{ hostBridge: { vendorId: 0x1ae0, deviceId: 0x42 }, children: ports }]);
  expect(changeFor(named, 'p-card', 'q-card', 'linux-6.12').kernel).toMatchObject({
    policy: 'linux-7.0',
    verdict: { type: 'thruHostBridge' },
  });
  expect(changeFor(named, 'p-card', 'q-card', 'linux-7.0').kernel).toBeNull();
});

test('E6: by the directional rule only the ports where the paths part are cleared', () => {
  const named = machineOf([
    {
      hostBridge: LISTED,
      children: [
        switchBelow('rp', [
          { name: 'dsp-a', acs: ['RR', 'CR'], below: [card('a')] },
          { name: 'dsp-b', acs: ['CR'], below: [card('b')] },
        ]),
      ],
    },
  ]);
  const pathWide = changeFor(named, 'a', 'b', 'linux-7.0').settings?.ports.map((port) => port.at.name);
  expect(pathWide).toEqual([named.at('dsp-a'), named.at('dsp-b')]);
  // The request is judged at the client's port, where RR is off; the completion at the provider's, where CR is on.
  const directional = changeFor(named, 'a', 'b', 'directional').settings?.ports.map((port) => port.at.name);
  expect(directional).toEqual([named.at('dsp-a')]);
});

test('a machine that is changed for a question is not changed', () => {
  const named = machineOf([
    {
      hostBridge: UNLISTED,
      children: [
        switchBelow('rp', [
          { name: 'x', acs: ['RR'], below: [card('a')] },
          { name: 'y', below: [card('b')] },
        ]),
      ],
    },
  ]);
  const before = JSON.stringify(named.machine.hierarchy.functions.map((fn) => [fn.name, fn.acs]));
  changeFor(named, 'a', 'b');
  expect(JSON.stringify(named.machine.hierarchy.functions.map((fn) => [fn.name, fn.acs]))).toBe(before);
});

/** A switch tree of chance: one to three ports a switch, up to three levels, ACS of all kinds. */
function randomPorts(chance: Prng, depth: number, names: string[]): PortDescription[] {
  return Array.from({ length: chance.between(1, 3) }, (): PortDescription => {
    const below: DeviceDescription[] = [];
    if (depth > 0 && chance.chance(0.4)) below.push({ kind: 'switch', ports: randomPorts(chance, depth - 1, names) });
    else if (chance.chance(0.9)) {
      const name = `card${names.length}`;
      names.push(name);
      below.push(card(name));
    }
    return { acs: randomAcs(chance), below };
  });
}

function randomAcs(chance: Prng): AcsDescription {
  if (chance.chance(0.5)) return chance.pick<AcsDescription>(['absent', 'clear']);
  return chance.pick<AcsDescription>([
    ['RR'],
    ['CR'],
    ['EC'],
    ['RR', 'CR'],
    ['SV', 'RR', 'CR', 'UF'],
    ['SV', 'UF'],
    ['TB', 'DT'],
  ]);
}

/** The best type that any set of at most `most` functions gives, by trying all sets. */
function bestWithAtMost(
  judge: JudgeContext,
  pair: [number, number],
  candidates: readonly PciFunction[],
  most: number,
): MapType {
  let best: PairVerdict = { type: 'notSupported', distance: null, reasons: [], likely: null };
  for (let set = 0; set < 2 ** candidates.length; set++) {
    const chosen = candidates.filter((_, index) => set & (1 << index));
    if (chosen.length > most) continue;
    const controls = new Map(chosen.map((fn) => [fn.key, fn.acs.state === 'present' ? fn.acs.control & ~0x2c : 0]));
    const changed = new JudgeContext(withAcsControls(judge.machine, controls), judge.policy);
    const verdict = judgePair(changed, ...pair);
    if (isBetter(verdict, best)) best = verdict;
  }
  return best.type;
}

test.each(['linux-6.12', 'directional'] as const)(
  '%s: no smaller set of functions does what the smallest change does (all sets tried)',
  (policy) => {
    const seed = 20_260_101;
    const chance = new Prng(seed);
    let questions = 0;
    for (let round = 0; round < 200; round++) {
      const names: string[] = [];
      const rootPort = {
        kind: 'rootPort' as const,
        acs: randomAcs(chance),
        below: [{ kind: 'switch' as const, ports: randomPorts(chance, 2, names) }],
      };
      if (names.length < 2) continue;
      const hostBridge = chance.pick([UNLISTED, LISTED]);
      const named = machineOf([{ hostBridge, children: [rootPort] }]);
      const judge = new JudgeContext(named.machine, POLICIES[policy]);
      const pair: [number, number] = [named.index(chance.pick(names)), named.index(chance.pick(names))];
      const { before, settings } = smallestChange(judge, ...pair);
      if (before.type === 'busAddr') continue;
      questions++;
      const label = `seed ${seed}, round ${round}`;
      const candidates = judge.functions.filter((_, index) => judge.redirect[index] === REDIRECT_YES);
      // 2^n machines are judged.
      if (candidates.length > 8) continue;
      // All hangs below one root port: with every redirect cleared the road is by bus address.
      expect(settings?.verdict.type, label).toBe('busAddr');
      const fewer = (settings?.ports.length ?? 0) - 1;
      expect(bestWithAtMost(judge, pair, candidates, fewer), label).not.toBe('busAddr');
    }
    console.log(`${policy}: ${questions} pairs of chance (seed ${seed})`);
    expect(questions).toBeGreaterThan(30);
  },
);
