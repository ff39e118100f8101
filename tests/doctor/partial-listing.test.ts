/** PARTIAL-LISTING: a part of a machine is said to be one, with what is missing and the command, and nothing is said of the rest. */

import { expect, test } from 'vitest';
import { checkMachine } from '../../src/doctor/check-machine.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { judgePair } from '../../src/p2p/distance.ts';
import { JudgeContext } from '../../src/p2p/judge.ts';
import { POLICIES } from '../../src/p2p/policy.ts';
import { checkLines } from '../../src/report/check/text.ts';
import { styleOf } from '../../src/report/words/style.ts';

const POLICY = POLICIES['linux-7.0'];
const read = (text: string): ReturnType<typeof readMachine> => readMachine(new TextEncoder().encode(text), 'host.txt');

const HOST =
  '00:00.0 Host bridge [0600]: Intel Corporation Device [8086:4c43]\n\tControl: I/O- Mem+ BusMaster+\n\tCapabilities: [e0] Vendor Specific Information: Len=14 <?>\n';
const ROOT_PORT = `00:01.0 PCI bridge [0604]: Intel Corporation Device [8086:4c01]
\tBus: primary=00, secondary=01, subordinate=01, sec-latency=0
\tCapabilities: [40] Express (v2) Root Port (Slot+), MSI 00
\t\tLnkCap:\tPort #1, Speed 16GT/s, Width x16, ASPM L1
\t\tLnkSta:\tSpeed 16GT/s, Width x16
`;
/** A card of 32 GiB on a bus; its link runs below what it can. */
const card = (
  bus: string,
): string => `${bus}:00.0 VGA compatible controller [0300]: NVIDIA Corporation Device [10de:2684]
\tControl: I/O- Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr- Stepping- SERR- FastB2B- DisINTx-
\tRegion 0: Memory at f${bus.slice(1)}000000 (32-bit, non-prefetchable) [size=16M]
\tRegion 1: Memory at ${Number.parseInt(bus, 16) + 1}000000000 (64-bit, prefetchable) [size=32G]
\tCapabilities: [60] Express (v2) Legacy Endpoint, MSI 00
\t\tLnkCap:\tPort #0, Speed 16GT/s, Width x16, ASPM L1
\t\tLnkSta:\tSpeed 2.5GT/s (downgraded), Width x16
\tCapabilities: [100 v1] Virtual Channel
`;
const upstream = (bus: string, secondary: string, subordinate: string): string =>
  `${bus}:00.0 PCI bridge [0604]: PLX Technology Device [10b5:8747]
\tBus: primary=${bus}, secondary=${secondary}, subordinate=${subordinate}, sec-latency=0
\tCapabilities: [68] Express (v2) Upstream Port, MSI 00
`;
/** A downstream port on bus 04; `redirects` is its ACS. */
const downstream = (device: string, bus: string, redirects: boolean): string =>
  `04:${device}.0 PCI bridge [0604]: PLX Technology Device [10b5:8747]
\tBus: primary=04, secondary=${bus}, subordinate=${bus}, sec-latency=0
\tCapabilities: [68] Express (v2) Downstream Port (Slot+), MSI 00
\tCapabilities: [f24 v1] Access Control Services
\t\tACSCap:\tSrcValid+ TransBlk+ ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl+ DirectTrans+
\t\tACSCtl:\tSrcValid${redirects ? '+' : '-'} TransBlk- ReqRedir${redirects ? '+' : '-'} CmpltRedir${redirects ? '+' : '-'} UpstreamFwd- EgressCtrl- DirectTrans-
`;

async function findingsOf(text: string): Promise<readonly Finding[]> {
  return checkMachine(await read(text), POLICY).findings;
}

async function partial(text: string): Promise<Finding | undefined> {
  return (await findingsOf(text)).find(({ id }) => id === 'PARTIAL-LISTING');
}

test('one card without bridges: the bridges above are missing, and the whole listing is asked for', async () => {
  const found = await partial(card('0a'));
  expect(found).toMatchObject({ severity: 'note', sure: 'certain', at: ['0000:0a:00.0'] });
  expect(found?.title).toContain('the bridges above 0000:0a:00.0');
  expect(found?.missing?.command).toBe('sudo lspci -Dnnvvvxxxx > host.txt');
});

test('a switch without its ports, or a port whose link is up, has something below that is not listed', async () => {
  const found = await partial(`${HOST}\n${ROOT_PORT}\n${upstream('01', '02', '05')}`);
  expect(found?.title).toContain('what stands below 0000:01:00.0');
  expect(found?.sure).toBe('certain');
  const port = ROOT_PORT.replace('Width x16\n', 'Width x16\n\t\t\tTrErr- Train- SlotClk+ DLActive+ BWMgmt- ABWMgmt-\n');
  const up = port.replace(
    'LnkSta:\tSpeed 16GT/s, Width x16\n',
    'LnkSta:\tSpeed 16GT/s, Width x16\n\t\t\tTrErr- Train- SlotClk+ DLActive+ BWMgmt- ABWMgmt-\n',
  );
  expect((await partial(`${HOST}\n${up}`))?.sure).toBe('likely');
});

test('a listing without root, or without -v, does not show registers', async () => {
  const denied = card('01').replace(/\tCapabilities: \[60\][\s\S]*/, '\tCapabilities: <access denied>\n');
  expect((await partial(`${HOST}\n${ROOT_PORT}\n${denied}`))?.title).toContain('the registers that only root reads');
  const short =
    '00:00.0 Host bridge [0600]: Intel [8086:4c43]\n01:00.0 VGA compatible controller [0300]: NVIDIA [10de:2684]\n';
  expect((await partial(short))?.title).toContain('-vvv');
});

test('one bridge, and nothing else of a machine', async () => {
  const found = await partial(
    '00:01.2 PCI bridge [0604]: AMD [1022:1483]\n\tControl: I/O- Mem+ BusMaster+\n\tBus: primary=00, secondary=02, subordinate=0a, sec-latency=0\n\tCapabilities: [58] Express (v2) Root Port (Slot+), MSI 00\n',
  );
  expect(found).toMatchObject({ sure: 'likely' });
  expect(found?.title).toContain('the host bridge and the other functions');
});

test('the root bus of a second processor, whose devices no host bridge marks, is not a gap', async () => {
  const second = `80:01.0 PCI bridge [0604]: Intel Corporation Device [8086:3c02]
\tControl: I/O- Mem+ BusMaster+
\tBus: primary=80, secondary=81, subordinate=81, sec-latency=0
\tCapabilities: <access denied>

80:05.0 System peripheral [0880]: Intel Corporation Device [8086:3c28]
\tControl: I/O- Mem- BusMaster-

ff:08.0 System peripheral [0880]: Intel Corporation Device [8086:3c80]
\tControl: I/O- Mem- BusMaster-
`;
  expect((await partial(`${HOST}\n${ROOT_PORT}\n${card('01')}\n${second}`))?.title).not.toContain('bridges above');
  const alone = second.slice(0, second.indexOf('80:05.0'));
  expect((await partial(`${HOST}\n${ROOT_PORT}\n${card('01')}\n${alone}`))?.at).toEqual(['0000:80:01.0']);
});

test('a whole listing is none', async () => {
  expect(await partial(`${HOST}\n${ROOT_PORT}\n${card('01')}`)).toBeUndefined();
});

test('of a part nothing is said that the rest may refute: no "nothing wrong", no "no GPU", no link slower than both ends', async () => {
  for (const text of [card('0a'), upstream('01', '02', '05'), downstream('08', '05', false)]) {
    const machine = await read(text);
    const result = checkMachine(machine, POLICY);
    expect(result.findings.map(({ id }) => id)).not.toContain('NO-PROVIDER');
    expect(result.findings.map(({ title }) => title).join()).not.toContain('slower than both ends');
    const view = { columns: 100, style: styleOf(false), verbose: false };
    const screen = [...checkLines({ machine, policy: POLICY, result, argument: 'host.txt', asked: '' }, view)].join(
      '\n',
    );
    expect(screen).not.toMatch(/nothing wrong|no GPU|No two devices here/i);
    expect(screen).toContain('part of');
  }
});

test('two devices below downstream ports of one bus are inside one switch: likely by bus address, or redirected with the fix', async () => {
  const switchOf = (redirects: boolean): string =>
    [downstream('08', '05', redirects), downstream('10', '06', redirects), card('05'), card('06')].join('\n');
  const machine = await read(switchOf(false));
  const judge = new JudgeContext(machine, POLICY);
  const at = (name: string): number => machine.hierarchy.functions.findIndex((fn) => fn.name === name);
  expect(judgePair(judge, at('0000:05:00.0'), at('0000:06:00.0'))).toMatchObject({
    type: 'unknown',
    distance: 4,
    likely: { type: 'busAddr' },
  });
  expect((await partial(switchOf(false)))?.why).toContain('are downstream ports of one switch');
  const redirected = (await findingsOf(switchOf(true))).find(({ id }) => id === 'ACS-REDIR-SWITCH');
  expect(redirected?.sure).toBe('certain');
  expect(redirected?.fixes[0]?.commands.length).toBe(2);
});
