/** This computer, from /sys and /proc, and a captured root that lies unpacked in a folder. As root or not. */

import { existsSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { listed } from '../../../core/words.ts';
import { buildMachine, type MachineEvidence } from '../../build.ts';
import { MachineError } from '../../errors.ts';
import type { Machine, ReadNote } from '../../machine.ts';
import { FUNCTIONS_UNREAD } from '../../note-list.ts';
import { readCapturedRoot } from '../root/captured-root.ts';
import type { HostAids } from '../root/host-files.ts';
import { DirectoryTree } from './directory-tree.ts';
import { kernelMessages } from './kernel-messages.ts';

/** Size of the part of configuration space that the kernel shows to everybody. Linux pci_read_config(). */
const CONFIG_WITHOUT_ROOT = 64;
/** No kernel configuration comes near this many bytes. */
const KERNEL_CONFIG_MAX = 16 * 1024 * 1024;

/**
 * Reads a captured root from a folder. What may not be read is not known and becomes a note.
 *
 * @throws MachineError INPUT_NO_PCI where no PCI is in it
 */
export function readDirectory(path: string, source: string = path): Machine {
  return readTree(new DirectoryTree(path), source, {});
}

const LOG_UNREADABLE: ReadNote = {
  code: 'KERNEL_LOG_UNREADABLE',
  file: 'live',
  line: null,
  message: 'the log of the kernel may not be read; what it says is not known: run again as root (sudo)',
};

function readTree(tree: DirectoryTree, source: string, aids: HostAids): Machine {
  return buildMachine(withNotes(readCapturedRoot(tree, source, { ...aids, gunzip: unpackConfig }), tree));
}

/** Undoes gzip; throws where the bytes are damaged, or unpack to more than a kernel configuration has. */
export function unpackConfig(packed: Uint8Array): Uint8Array {
  return gunzipSync(packed, { maxOutputLength: KERNEL_CONFIG_MAX });
}

/**
 * Reads the computer that this runs on.
 *
 * @throws MachineError INPUT_NO_PCI where it has no PCI, or is no Linux
 */
export function readLive(): Machine {
  if (!existsSync('/sys/bus/pci/devices')) {
    throw new MachineError({
      code: 'INPUT_NO_PCI',
      path: 'live',
      message: 'this computer shows no PCI: there is no /sys/bus/pci/devices',
      hint: 'name a capture of another machine, or one of p2pdma examples: example:NAME',
    });
  }
  const kernelLog = kernelMessages();
  const machine = readTree(new DirectoryTree('/'), 'live', { kernelLog });
  return kernelLog === null ? { ...machine, notes: [...machine.notes, LOG_UNREADABLE] } : machine;
}

/** The folder of a host bridge: all of its devices lie in it. */
const HOST_BRIDGE = /(?:^|\/)pci[0-9a-f]{4,8}:[0-9a-f]{2}$/;

function withNotes(evidence: MachineEvidence, tree: DirectoryTree): MachineEvidence {
  const notes: ReadNote[] = [...(evidence.notes ?? [])];
  const add = (code: string, message: string): void => {
    notes.push({ code, file: evidence.source, line: null, message });
  };
  const headersOnly = evidence.functions.filter((facts) => facts.config.length === CONFIG_WITHOUT_ROOT);
  if (headersOnly.length > 0) {
    add(
      'CONFIG_HEADER_ONLY',
      `only the first ${CONFIG_WITHOUT_ROOT} bytes of configuration space of ${headersOnly.length} of ${evidence.functions.length} functions could be read, so ACS is not known: run again as root (sudo)`,
    );
  }
  const unread = tree.unreadable;
  const bridges = unread.filter((path) => HOST_BRIDGE.test(path));
  if (bridges.length > 0) {
    const more = bridges.length > 1 ? ` and ${bridges.length - 1} more` : '';
    add(FUNCTIONS_UNREAD, `${bridges[0]}${more} may not be read, so the devices below are missing`);
  }
  if (unread.length > 0) {
    add(
      'FILES_UNREADABLE',
      `${listed(unread, 1)} may not be read; what they say is not known: run again as root (sudo)`,
    );
  }
  return { ...evidence, notes };
}
