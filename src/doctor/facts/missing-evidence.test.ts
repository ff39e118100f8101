import { expect, test } from 'vitest';
import { card, machineOf, switchBelow } from '../../../tests/doctor/machines.ts';
import { bytesOf } from '../../core/text.ts';
import { readMachine } from '../../machine/read/read-machine.ts';
import { judgePair } from '../../p2p/distance.ts';
import { JudgeContext } from '../../p2p/judge.ts';
import { type MissingEvidence, missingEvidence } from './missing-evidence.ts';

const DENIED = '\tCapabilities: <access denied>\n';
const PORT = `00:01.0 PCI bridge: Port (prog-if 00 [Normal decode])\n\tBus: primary=00, secondary=01, subordinate=01, sec-latency=0\n`;

async function missingOf(dump: string, provider: number, client: number): Promise<MissingEvidence | null> {
  const machine = await readMachine(bytesOf(dump), 'host.txt');
  return missingEvidence(machine, judgePair(new JudgeContext(machine), provider, client));
}

test('a dump without root: the one command reads the registers as root', async () => {
  const dump = `${PORT}${DENIED}\n01:00.0 RAM memory: A\n${DENIED}\n01:00.1 RAM memory: B\n${DENIED}`;
  expect(await missingOf(dump, 1, 2)).toMatchObject({
    what: expect.stringContaining('without root'),
    command: 'sudo lspci -Dnnvvvxxxx > host.txt',
  });
});

test('an unknown CPU: the one command names it too', () => {
  const { machine, judge, index } = machineOf(
    [
      {
        hostBridge: { vendorId: 0x1b36, deviceId: 0x0008 },
        children: [
          switchBelow('p', [{ name: 'x', below: [card('a')] }]),
          switchBelow('q', [{ name: 'y', below: [card('b')] }]),
        ],
      },
    ],
    { cpu: null },
  );
  const missing = missingEvidence(machine, judgePair(judge(), index('a'), index('b')));
  expect(missing?.command).toContain('/proc/cpuinfo');
});

test('what that command prints is understood: kernel and CPU are read from around the listing', async () => {
  const dump =
    '0000:00:00.0 Host bridge [0600]: A [1022:1480]\n\nLinux version 6.12.5 (a@b) #1\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\n';
  const machine = await readMachine(bytesOf(dump), 'host.txt');
  expect({ cpu: machine.cpu, kernel: machine.kernel }).toEqual({
    cpu: { vendor: 'AuthenticAMD', family: 25 },
    kernel: '6.12.5',
  });
});

test('a function that sleeps is woken first', async () => {
  const asleep = `01:00.0 RAM memory: A (rev ff) (prog-if ff)\n\t!!! Unknown header type 7f\n`;
  const dump = `${PORT}\tCapabilities: [40] Express (v2) Root Port (Slot+), MSI 00\n\n${asleep}\n01:00.1 RAM memory: B\n${DENIED}`;
  const missing = await missingOf(dump, 1, 2);
  expect(missing?.command).toMatch(/^echo on \| sudo tee \/sys\/bus\/pci\/devices\/0000:01:00.0\/power\/control && /);
});

test('nothing is missing where there is a verdict', () => {
  const { machine, judge, index } = machineOf([{ children: [switchBelow('p', [{ name: 'x', below: [card('a')] }])] }]);
  expect(missingEvidence(machine, judgePair(judge(), index('a'), index('a')))).toBeNull();
});
