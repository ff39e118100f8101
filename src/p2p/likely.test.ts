import { expect, test } from 'vitest';
import { buildMachine } from '../machine/build.ts';
import type { Cpu } from '../machine/machine.ts';
import { formatBdf } from '../pcie/bdf.ts';
import { buildTree } from '../pcie/build-tree.ts';
import { ConfigSpace } from '../pcie/config-space.ts';
import type { DeviceDescription } from '../pcie/describe.ts';
import type { FunctionFacts } from '../pcie/function-facts.ts';
import { judgePair } from './distance.ts';
import { JudgeContext } from './judge.ts';
import { POLICIES } from './policy.ts';
import type { PairVerdict } from './verdict.ts';

const card = (name: string, functions = 1): DeviceDescription => ({
  kind: 'endpoint',
  functions: Array.from({ length: functions }, (_, index) => ({
    name: `${name}${index}`,
    vendorId: 0x10de,
    classCode: 0x030200,
    bars: [{ size: 2 ** 28, prefetchable: true }],
  })),
});

/** One switch below the given host bridge, two cards below it; ACS lies beyond the bytes that were captured. */
function judged(
  pair: readonly [string, string],
  groups: Readonly<Record<string, number>>,
  { hostBridge = { vendorId: 0x8086, deviceId: 0x2020 }, cmdline = '', cpu = null as Cpu | null } = {},
): PairVerdict {
  const tree = buildTree({
    rootBuses: [
      {
        hostBridge,
        children: [
          { kind: 'rootPort', below: [{ kind: 'switch', ports: [{ below: [card('a', 2)] }, { below: [card('b')] }] }] },
        ],
      },
    ],
  });
  const names = new Map([...tree.names].map(([name, bdf]) => [formatBdf(bdf), name]));
  const functions = tree.facts.map((facts): FunctionFacts => {
    const config = facts.config.length > 256 ? new ConfigSpace(facts.config.bytes.subarray(0, 256)) : facts.config;
    const group = groups[names.get(formatBdf(facts.bdf)) ?? ''];
    const text = { lines: {}, file: 'host.txt', ...(group === undefined ? {} : { iommuGroup: group }) };
    return { ...facts, config, sysfs: null, text };
  });
  const judge = new JudgeContext(buildMachine({ source: 'host.txt', functions, cmdline, cpu }), POLICIES['linux-6.12']);
  const index = (name: string): number => judge.machine.hierarchy.indexOf(tree.names.get(name) as never);
  return judgePair(judge, index(pair[0]), index(pair[1]));
}

test('two groups below one switch: what the host bridge says is likely, and the pair stays unknown', () => {
  const groups = { a0: 20, b0: 21 };
  const listed = judged(['a0', 'b0'], groups);
  expect([listed.type, listed.likely?.type]).toEqual(['unknown', 'thruHostBridge']);
  expect(listed.likely?.because).toContain('IOMMU group 20');
  const unlisted = judged(['a0', 'b0'], groups, { hostBridge: { vendorId: 0x8086, deviceId: 0x6f00 } });
  expect([unlisted.type, unlisted.likely?.type]).toEqual(['unknown', 'notSupported']);
  // Neither the list nor the processor is known to decide.
  expect(judged(['a0', 'b0'], groups, { hostBridge: { vendorId: 0x8086, deviceId: 0x29c0 } }).likely).toBeNull();
});

test('nothing is likely by one group, without groups, within one device, or where a patched kernel was told to part them', () => {
  expect(judged(['a0', 'b0'], { a0: 20, b0: 20 }).likely).toBeNull();
  expect(judged(['a0', 'b0'], {}).likely).toBeNull();
  expect(judged(['a0', 'a1'], { a0: 20, a1: 21 }).likely).toBeNull();
  expect(judged(['a0', 'b0'], { a0: 20, b0: 21 }, { cmdline: 'pcie_acs_override=downstream' }).likely).toBeNull();
});

test('an AMD root complex newer than the tables: probably through the host bridge', () => {
  const verdict = judged(['a0', 'b0'], { a0: 20, b0: 21 }, { hostBridge: { vendorId: 0x1022, deviceId: 0x17aa } });
  expect([verdict.type, verdict.likely?.type]).toEqual(['unknown', 'thruHostBridge']);
});
