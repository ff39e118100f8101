import { expect, test } from 'vitest';
import { openCase } from '../../src/case/open-case.ts';
import { checkCase } from '../../src/doctor/check-case.ts';
import { policyForKernel } from '../../src/p2p/policy.ts';

async function check(content: string) {
  return checkCase(await openCase([{ name: 'paste.txt', content }]), policyForKernel(null));
}
const said = (result: Awaited<ReturnType<typeof check>>) => result.statements.map(({ text }) => text).join('\n');
const ids = (result: Awaited<ReturnType<typeof check>>) => result.findings.map(({ id, sure }) => `${id} ${sure}`);

const topo = (a: string, b: string) =>
  `\tGPU0\tGPU1\tCPU Affinity\tNUMA Affinity\nGPU0\t X \t${a}\t0-15\t0\nGPU1\t${b}\t X \t0-15\t0\n`;

test('a table of classes says where pairs stand, and that PIX says nothing of ACS', async () => {
  const result = await check(topo('PIX', 'PIX'));
  expect(said(result)).toMatch(/1 pair: 1 PIX \(below one switch\): GPU0-GPU1/);
  expect(said(result)).toMatch(/PIX and PXB say nothing of ACS/);
  expect(result.findings).toEqual([]);
});

test('a table of classes that is not symmetric is said to be edited or torn', async () => {
  expect(said(await check(topo('PIX', 'SYS')))).toMatch(/not symmetric \(GPU0-GPU1\)/);
  expect(said(await check(topo('SYS', 'SYS')))).not.toMatch(/not symmetric/);
});

const status = (word: string) =>
  `$ nvidia-smi topo -p2p r\n \tGPU0\tGPU1\t\n GPU0\tX\t${word}\t\n GPU1\t${word}\tX\t\n`;

test.each(['GNS', 'CNS', 'TNS', 'NS', 'DR'])(
  '%s is a refusal of the driver, whatever the kernel says',
  async (word) => {
    const result = await check(status(word));
    expect(ids(result)).toEqual(['DRIVER-REFUSES certain']);
    expect(result.findings[0]?.title).toContain(`GPU0-GPU1: ${word}`);
  },
);

test('OK is the word of the driver and no proof', async () => {
  const result = await check(status('OK'));
  expect(result.findings).toEqual([]);
  expect(said(result)).toMatch(/grants peers for all pairs \(asked for: reads\)[\s\S]*no proof/);
});

/** Tables of the CUDA sample for two cards. */
const bandwidth = (without: number, peers: number, latency: number): string =>
  [
    'Device: 0, Some GPU, pciBusID: 1, pciDeviceID: 0, pciDomainID:0',
    'Device: 1, Some GPU, pciBusID: 2, pciDeviceID: 0, pciDomainID:0',
    'Device=0 CAN Access Peer Device=1',
    'Device=1 CAN Access Peer Device=0',
    ...matrix('Unidirectional P2P=Disabled Bandwidth Matrix (GB/s)', without),
    ...matrix('Unidirectional P2P=Enabled Bandwidth (P2P Writes) Matrix (GB/s)', peers),
    ...matrix('P2P=Enabled Latency (P2P Writes) Matrix (us)', latency, '   GPU'),
    '',
  ].join('\n');
const matrix = (title: string, value: number, corner = '   D\\D'): string[] => {
  const cell = (number: number) => number.toFixed(2).padStart(6);
  return [
    title,
    `${corner}     0      1 `,
    `     0 ${cell(800)} ${cell(value)} `,
    `     1 ${cell(value)} ${cell(800)} `,
  ];
};

test.each([
  [11, 11.1, 14, ['P2P-NOT-USED likely'], 'equal with and without, and slow to answer'],
  [11, 11.1, 1.5, [], 'equal, but answered as only a peer answers'],
  [11, 26, 1.5, [], 'faster'],
  [11, 3, 1.5, ['PEER-SLOW certain'], 'slower'],
])('%d GB/s without peers, %d with, %d us: %j (%s)', async (without, peers, latency, wanted) => {
  expect(ids(await check(bandwidth(without, peers, latency)))).toEqual(wanted);
});

test('CANNOT for every pair means that peers were not used', async () => {
  const text = bandwidth(11, 11, 20).replaceAll(' CAN ', ' CANNOT ');
  expect(ids(await check(text))).toEqual(['P2P-NOT-USED certain']);
});

const bar1 = (sizes: readonly number[]): string =>
  `${sizes.map((mib, at) => `GPU 00000000:0${at + 1}:00.0\n    BAR1 Memory Usage\n        Total                             : ${mib} MiB\n`).join('')}`;

test('a BAR1 of 256 MiB is small: certain beside cards that show more, likely alone', async () => {
  expect(ids(await check(bar1([256, 32768])))).toEqual(['BAR-SMALL certain']);
  expect(ids(await check(bar1([256])))).toEqual(['BAR-SMALL likely']);
  expect(ids(await check(bar1([32768])))).toEqual([]);
});
