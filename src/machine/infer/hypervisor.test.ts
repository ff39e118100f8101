import { expect, test } from 'vitest';
import { parseKernelLog } from '../../evidence/kernel/log/telling.ts';
import { buildTree } from '../../pcie/build-tree.ts';
import type { EndpointFunctionDescription } from '../../pcie/describe.ts';
import { buildMachine } from '../build.ts';
import { NO_HOST_EVIDENCE } from '../host-evidence.ts';
import type { Machine } from '../machine.ts';
import { hypervisorOfFirmware } from './firmware-names.ts';
import { hypervisorOf } from './hypervisor.ts';

const REAL = [0x1022, 0x1480] as const;
const DRAWN = [0x8086, 0x29c0] as const;

function machineOf(
  bridge: readonly [number, number] | null,
  functions: readonly EndpointFunctionDescription[],
  said: { readonly log?: string; readonly flag?: string } = {},
): Machine {
  const children = [{ kind: 'rootPort', below: [{ kind: 'endpoint', functions }] }] as const;
  const hostBridge = bridge === null ? null : { vendorId: bridge[0], deviceId: bridge[1] };
  const { log, flag } = said;
  const host = {
    ...NO_HOST_EVIDENCE,
    kernelLog: log === undefined ? null : parseKernelLog(log, 'dmesg'),
    hypervisor: flag === undefined ? null : { value: flag, file: 'proc/cpuinfo', line: 3 },
  };
  return buildMachine({
    source: 'described',
    functions: buildTree({ rootBuses: [{ hostBridge, children }] }).facts,
    host,
  });
}

const nvme = (vendorId: number, deviceId: number): EndpointFunctionDescription => ({
  vendorId,
  deviceId,
  classCode: 0x010802,
});

test('a device that only a hypervisor makes names it', () => {
  for (const [vendor, device, name] of [
    [0x1b36, 0x0010, 'QEMU or KVM'],
    [0x1af4, 0x1042, 'QEMU or KVM'],
    [0x5853, 0x0001, 'Xen'],
    [0x15ad, 0x07f0, 'VMware'],
    [0x80ee, 0xcafe, 'VirtualBox'],
  ] as const) {
    expect(hypervisorOf(machineOf(DRAWN, [nvme(vendor, device)]))?.name, name).toBe(name);
  }
  expect(hypervisorOf(machineOf(DRAWN, [nvme(0x144d, 0xa80a)]))).toBeNull();
});

test('a cloud’s card names a guest, unless a real root complex shows that the machine was rented out whole', () => {
  for (const [vendor, name] of [
    [0x1d0f, 'Amazon EC2'],
    [0x1414, 'Hyper-V'],
    [0x1ae0, 'Google Compute Engine'],
  ] as const) {
    expect(hypervisorOf(machineOf(null, [nvme(vendor, 0xcd01)]))?.name).toBe(name);
    expect(hypervisorOf(machineOf(DRAWN, [nvme(vendor, 0xcd01)]))?.name).toBe(name);
    expect(hypervisorOf(machineOf(REAL, [nvme(vendor, 0xcd01)]))).toBeNull();
    expect(hypervisorOf(machineOf([0x8086, 0x2020], [nvme(vendor, 0xcd01)]))).toBeNull();
  }
});

test('the kernel’s log and the processor’s flag tell of one, except beside a real root complex', () => {
  const log = '[    0.000000] Hypervisor detected: KVM\n[    0.1] Booting paravirtualized kernel on KVM\n';
  expect(hypervisorOf(machineOf(DRAWN, [nvme(0x144d, 0xa80a)], { log }))).toMatchObject({
    name: 'KVM',
    fn: null,
    setting: { file: 'dmesg', line: 1 },
  });
  const flag = 'an unnamed hypervisor';
  expect(hypervisorOf(machineOf(DRAWN, [nvme(0x144d, 0xa80a)], { flag }))?.setting?.line).toBe(3);
  expect(hypervisorOf(machineOf(REAL, [nvme(0x144d, 0xa80a)], { flag, log }))).toBeNull();
});

test('a chipset of the last century with a PCI Express device beside it is drawn', () => {
  for (const device of [0x1237, 0x7190, 0x7192]) {
    expect(hypervisorOf(machineOf([0x8086, device], [nvme(0x144d, 0xa80a)])), device.toString(16)).not.toBeNull();
  }
});

test('firmware names hypervisors and clouds, and whole machines of a cloud by a word', () => {
  for (const [vendor, product, name] of [
    ['QEMU', 'Standard PC (Q35 + ICH9, 2009)', 'QEMU or KVM'],
    ['Microsoft Corporation', 'Virtual Machine', 'Hyper-V'],
    ['Microsoft Corporation', 'Surface Pro', null],
    ['Amazon EC2', 'c6i.large', 'Amazon EC2'],
    ['Amazon EC2', 'c6i.metal', null],
    ['Google', 'Google Compute Engine', 'Google Compute Engine'],
    ['VMware, Inc.', 'VMware20,1', 'VMware'],
    ['Supermicro', 'SYS-420GP-TNR', null],
    ['', '', null],
  ] as const) {
    expect(hypervisorOfFirmware(vendor, product), `${vendor} ${product}`).toBe(name);
  }
});
