import { expect, test } from 'vitest';
import { parseFaultLine } from '../../evidence/kernel/log/fault-line.ts';
import { buildTree } from '../../pcie/build-tree.ts';
import { faultRequester } from './fault-requester.ts';

const root = (domain: number, cards: number) => ({
  domain,
  children: Array.from({ length: cards }, () => ({
    kind: 'rootPort' as const,
    below: [{ kind: 'endpoint' as const, functions: [{}] }],
  })),
});
const fault = (text: string) => parseFaultLine(text) as NonNullable<ReturnType<typeof parseFaultLine>>;
const dmar = (by: string) => fault(`DMAR: [DMA Read NO_PASID] Request device [${by}] fault addr 0x1000`);
const amd = (by: string) =>
  fault(`AMD-Vi: Event logged [IO_PAGE_FAULT device=${by} domain=0x0 address=0x1000 flags=0x0]`);

test('a line without a domain means the only function with that number, of whatever domain, and nobody where there are two', () => {
  const { hierarchy } = buildTree({ rootBuses: [root(0, 1), root(1, 2)] });
  expect(hierarchy.functions.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['0000:01:00.0', '0001:01:00.0', '0001:02:00.0']),
  );
  expect(faultRequester(hierarchy, dmar('01:00.0'))).toBeNull();
  expect(faultRequester(hierarchy, dmar('02:00.0'))?.name).toBe('0001:02:00.0');
  expect(faultRequester(hierarchy, dmar('07:00.0'))).toBeNull();
});

test('a line with a domain means that function alone', () => {
  const { hierarchy } = buildTree({ rootBuses: [root(0, 1), root(1, 2)] });
  expect(faultRequester(hierarchy, amd('0001:01:00.0'))?.name).toBe('0001:01:00.0');
  expect(faultRequester(hierarchy, amd('0000:02:00.0'))).toBeNull();
});
