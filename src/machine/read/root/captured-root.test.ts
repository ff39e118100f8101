import { expect, test } from 'vitest';
import { formatBdf } from '../../../pcie/bdf.ts';
import { buildTree } from '../../../pcie/build-tree.ts';
import type { PciFunction } from '../../../pcie/pci-function.ts';
import { buildMachine } from '../../build.ts';
import { readCapturedRoot } from './captured-root.ts';
import { MemoryTree } from './file-tree.ts';

/** A root port with ACS on, its configuration space cut to what a reader got; `cut` makes the file of the registers. */
function portRead(cut: (registers: Uint8Array) => Uint8Array): PciFunction {
  const { facts } = buildTree({
    rootBuses: [{ hostBridge: null, children: [{ kind: 'rootPort', acs: ['RR', 'CR'] }] }],
  });
  const [port] = facts;
  const tree = new MemoryTree();
  const path = `sys/bus/pci/devices/${formatBdf(port?.bdf as never)}/config`;
  tree.addFile(path, cut(port?.config.bytes as Uint8Array));
  return buildMachine(readCapturedRoot(tree, 'host')).hierarchy.functions[0] as PciFunction;
}

test('a configuration space of 256 bytes, read whole, has no extended capability to the kernel; 64 bytes say nothing of it', () => {
  expect(portRead((all) => all).acs.state).toBe('present');
  expect(portRead((all) => all.slice(0, 256)).acs).toEqual({ state: 'absent' });
  expect(portRead((all) => all.slice(0, 64)).acs.state).toBe('unknown');
});

test('an archiver that was refused all but 64 bytes and filled the rest with zeros shows no end', () => {
  const padded = (length: number): PciFunction =>
    portRead((all) => {
      const bytes = new Uint8Array(length);
      bytes.set(all.subarray(0, 64));
      return bytes;
    });
  expect(padded(256).acs.state).toBe('unknown');
  expect(padded(4096).acs.state).toBe('unknown');
});
