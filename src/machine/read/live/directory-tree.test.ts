import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { latin1 } from '../../../core/text.ts';
import { MemoryTree } from '../root/file-tree.ts';
import { DirectoryTree } from './directory-tree.ts';
import { readDirectory } from './read-live.ts';

let base = '';
let root = '';

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'p2pdma-tree-'));
  root = join(base, 'root');
  mkdirSync(join(root, 'sys/devices'), { recursive: true });
  writeFileSync(join(base, 'secret'), 'outside');
  writeFileSync(join(root, 'inside'), 'inside');
  writeFileSync(join(root, 'sys/devices/file'), 'file');
});

afterEach(() => rmSync(base, { recursive: true, force: true }));

const read = (path: string): string | null => {
  const bytes = new DirectoryTree(root).read(path);
  return bytes === null ? null : latin1(bytes);
};

test.each<[string, string]>([
  ['absolute, to a file outside', '/secret'],
  ['relative, up and out', '../../secret'],
  ['relative, far up and out', '../../../../../../etc/passwd'],
  ['absolute, to a real file of this computer', '/etc/passwd'],
])('a link never leads out of the folder: %s', (_, target) => {
  symlinkSync(target, join(root, 'sys/link'));
  expect(read('sys/link')).toBeNull();
});

test('an absolute link counts from the folder, and .. at its top stays there', () => {
  symlinkSync('/inside', join(root, 'sys/absolute'));
  symlinkSync('../../../../inside', join(root, 'sys/up'));
  expect(read('sys/absolute')).toBe('inside');
  expect(read('sys/up')).toBe('inside');
  expect(read('../../secret')).toBeNull();
  expect(read('../inside')).toBe('inside');
});

test('links of links and links to folders are followed, the path is told without them', () => {
  symlinkSync('devices', join(root, 'sys/folder'));
  symlinkSync('folder/file', join(root, 'sys/twice'));
  const tree = new DirectoryTree(root);
  expect(latin1(tree.read('sys/twice') ?? new Uint8Array())).toBe('file');
  expect(tree.resolve('sys/folder/file')).toBe('sys/devices/file');
  expect(tree.list('sys/folder')).toEqual(['file']);
  expect(tree.linkTarget('sys/twice')).toBe('folder/file');
  expect(tree.linkTarget('sys/devices/file')).toBeNull();
});

test('a loop of links leads nowhere', () => {
  symlinkSync('b', join(root, 'a'));
  symlinkSync('a', join(root, 'b'));
  symlinkSync('self/self', join(root, 'self'));
  expect(read('a')).toBeNull();
  expect(new DirectoryTree(root).resolve('self')).toBeNull();
  expect(new DirectoryTree(root).list('self/x')).toBeNull();
});

test('what is no plain file is not read: a FIFO would block for ever', () => {
  expect(spawnSync('mkfifo', [join(root, 'pipe')]).status).toBe(0);
  expect(read('pipe')).toBeNull();
  expect(read('sys')).toBeNull();
  expect(read('nothing')).toBeNull();
  expect(read('inside/below')).toBeNull();
});

test('the tree on disk and the tree in memory answer alike', () => {
  const memory = new MemoryTree();
  const disk = new DirectoryTree(root);
  const links: [string, string][] = [
    ['l1', 'sys'],
    ['sys/l2', '/inside'],
    ['sys/l3', '../l1/devices'],
    ['sys/l4', 'gone'],
    ['sys/l5', '/l1/l3/file'],
  ];
  memory.addFile('inside', new Uint8Array(1));
  memory.addFile('sys/devices/file', new Uint8Array(1));
  for (const [path, target] of links) {
    memory.addLink(path, target);
    symlinkSync(target, join(root, path));
  }
  const paths = ['', 'l1', 'l1/l2', 'l1/l3', 'l1/l3/file', 'sys/l4', 'sys/l5', 'sys/l5/x', 'sys/../inside', 'no/way'];
  for (const path of paths) {
    expect(disk.resolve(path), path).toBe(memory.resolve(path));
    expect(disk.list(path)?.length ?? null, path).toBe(memory.list(path)?.length ?? null);
    expect(disk.linkTarget(path), path).toBe(memory.linkTarget(path));
  }
});

test('a folder without PCI is refused by its name', () => {
  expect(() => readDirectory(root)).toThrow(expect.objectContaining({ code: 'INPUT_NO_PCI', path: root }));
});

test('a header of 64 bytes, as it is read without root, is noted, and ACS is not known', () => {
  const folder = join(root, 'sys/bus/pci/devices/0000:00:01.0');
  mkdirSync(folder, { recursive: true });
  const header = new Uint8Array(64);
  header.set([0x86, 0x80, 0x34, 0x12, 0, 0, 0x10, 0, 0, 0, 4, 6]);
  header[0x0e] = 1;
  header[0x34] = 0x40;
  writeFileSync(join(folder, 'config'), header);
  const machine = readDirectory(root);
  expect(machine.notes.map((note) => note.code)).toContain('CONFIG_HEADER_ONLY');
  expect(machine.hierarchy.functions[0]?.acs).toEqual({ state: 'unknown', missing: 'extendedConfigNotCaptured' });
});
