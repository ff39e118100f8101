import { expect, test } from 'vitest';
import { card, machineOf, switchBelow } from '../../../tests/doctor/machines.ts';
import type { PortChange } from '../../doctor/change/smallest-change.ts';
import { acsOptionsDoubt } from '../../doctor/command-line/acs-parameter.ts';
import { buildMachine } from '../../machine/build.ts';
import type { Machine } from '../../machine/machine.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { kernelKnowsConfigAcs, kernelLosses, oopsHazard } from './kernel-caveats.ts';

/** Ports of a switch, 0000:02:00.0 and so on. */
const PORTS = machineOf([
  {
    children: [
      switchBelow(
        'rp',
        Array.from({ length: 10 }, (_, index) => ({ name: `port${index}` })),
      ),
    ],
  },
]);

const port: PortChange = {
  at: PORTS.fn('port0'),
  devicePath: '0000:00:01.0/00.0',
  register: 0x126,
  before: 0x1d,
  after: 0x11,
  source: null,
};

/** A machine of whose IOMMU nothing is known. */
function machineWith(kernel: string | null, cmdline?: string): Machine {
  const { machine } = machineOf([{ children: [switchBelow('rp', [{ name: 'x', below: [card('a')] }])] }]);
  const functions = machine.hierarchy.functions.map((fn) => ({ ...fn.facts, sysfs: null }));
  return buildMachine({ source: 'dump', functions, kernel, cmdline });
}

test('E20: 6.12 starts from the firmware’s word and loses SV and UF; 6.1 keeps them', () => {
  expect(kernelLosses(machineWith('6.12.117'), [port]).join(' ')).toContain('SV UF of 0000:02:00.0');
  expect(kernelLosses(machineWith('7.0.1'), [port]).join(' ')).toContain('lost');
  expect(kernelLosses(machineWith(null), [port]).join(' ')).toContain('Linux 6.12 and later');
  expect(kernelLosses(machineWith('6.1.140'), [port]).join(' ')).toContain('keeps the rest');
});

test('nothing is lost where nothing but redirect was on, nor where the IOMMU is off', () => {
  expect(kernelLosses(machineWith('6.12.117'), [{ ...port, after: 0 }])).toEqual([]);
  const { machine } = machineOf([{ children: [switchBelow('rp', [{ name: 'x', below: [card('a')] }])] }]);
  expect(kernelLosses({ ...machine, kernel: '6.12.117' }, [port])).toEqual([]);
});

test('config_acs: 6.12 knows it, 6.1 does not, and it is said', () => {
  expect(kernelKnowsConfigAcs(machineWith('6.12.117'))).toContain('so that none is lost');
  expect(kernelKnowsConfigAcs(machineWith('6.1.140'))).toContain('6.1 does not know config_acs=');
  expect(kernelKnowsConfigAcs(machineWith(null))).toContain('6.12 and later');
});

test('a list that is on the command line already is to be written into one', () => {
  const machine = machineWith('6.12.117', 'quiet pci=nommconf,disable_acs_redir=0000:00:01.0');
  expect(kernelLosses(machine, [port]).join(' ')).toContain('disable_acs_redir= already');
  expect(kernelLosses(machineWith('6.12.117', 'quiet'), [port]).join(' ')).not.toContain('already');
});

test('E18: ten redirecting functions overrun the kernel’s 128 bytes, nine do not', () => {
  const ports = (count: number): PciFunction[] => Array.from({ length: count }, (_, index) => PORTS.fn(`port${index}`));
  expect(13 * 9).toBeLessThanOrEqual(128);
  expect(oopsHazard(machineWith('6.12.117'), ports(9))).toBeNull();
  expect(oopsHazard(machineWith('6.12.117'), ports(10))).toContain('130 bytes of a buffer of 128');
  expect(oopsHazard(machineWith(null), ports(10))).not.toBeNull();
  expect(oopsHazard(machineWith('6.1.140'), ports(10))).toBeNull();
});

test('releases that are reported to misread ACS options are named, until the one that was mended', () => {
  const doubted = ['6.11', '6.11.9', '6.12', '6.12.22-cloud', '6.13.10', '6.14.0-rc3', '6.14.1'];
  for (const kernel of doubted) expect(acsOptionsDoubt(kernel), kernel).toEqual({ kernel, sure: true });
  const clear = [null, '6.1.0', '6.10.14', '6.12.23', '6.12.117', '6.13.11', '6.14.2', '6.15.0', '7.0.1', '5.15.0'];
  for (const kernel of clear) expect(acsOptionsDoubt(kernel), String(kernel)).toBeNull();
});
