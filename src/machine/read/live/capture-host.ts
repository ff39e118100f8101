/**
 * What a capture takes along of the kernel beside PCI, cut down to what a diagnosis reads: configuration, log, modules and their
 * parameters, IOMMU units, properties of GPUDirect Storage. Host names, addresses, users and serial numbers stay behind.
 */

import { bytesOf, latin1 } from '../../../core/text.ts';
import { LOG_LINES_MAX, tellingMessage } from '../../../evidence/kernel/log/telling.ts';
import { cufileProperties } from '../../cufile.ts';
import { MODULE_PARAMETERS, NVIDIA_PARAMETERS } from '../../host-evidence.ts';
import { hypervisorOfFirmware } from '../../infer/firmware-names.ts';
import { kernelConfigText, parseKernelConfig } from '../../kernel-config.ts';
import type { FileTree } from '../root/file-tree.ts';
import type { CapturedEntry, MissingPart } from './captured-entry.ts';
import { redactLogLine } from './redact.ts';

/** What only the running machine can give. */
export interface LiveParts {
  readonly hostName: string;
  /** The kernel's log; null where it may not be read. */
  readonly kernelLog: { readonly text: string } | null;
  /** Undoes gzip, or throws. */
  readonly gunzip: (bytes: Uint8Array) => Uint8Array;
}

/** Takes the files along, and says what is not there. */
export function captureHost(
  tree: FileTree,
  kernel: string | null,
  parts: LiveParts,
): { readonly entries: CapturedEntry[]; readonly missing: MissingPart[] } {
  const host = new HostCapture(tree);
  host.config(kernel, parts.gunzip);
  host.log(parts);
  host.modules();
  host.nvidia();
  host.iommuUnits();
  host.cufile();
  host.raids();
  host.firmware();
  return { entries: host.entries, missing: host.missing };
}

class HostCapture {
  readonly entries: CapturedEntry[] = [];
  readonly missing: MissingPart[] = [];
  readonly #tree: FileTree;

  constructor(tree: FileTree) {
    this.#tree = tree;
  }

  config(kernel: string | null, gunzip: LiveParts['gunzip']): void {
    const files = [
      'proc/config.gz',
      `boot/config-${kernel}`,
      `lib/modules/${kernel}/config`,
      `lib/modules/${kernel}/build/.config`,
    ];
    for (const file of files) {
      const bytes = this.#tree.read(file);
      const text = bytes === null ? null : file.endsWith('.gz') ? unpacked(bytes, gunzip) : latin1(bytes);
      const config = text === null ? null : parseKernelConfig(text, file);
      if (config === null) continue;
      // By one name, whatever it was called: the reader takes it for the running kernel's.
      this.#add('proc/config', kernelConfigText(config));
      return;
    }
    this.missing.push({
      what: 'the kernel’s configuration',
      why: `neither ${files.slice(0, 3).join(' nor ')} is there to read`,
      command: 'zcat /proc/config.gz || cat /boot/config-$(uname -r) /lib/modules/$(uname -r)/config',
    });
  }

  log({ kernelLog, hostName }: LiveParts): void {
    if (kernelLog === null) {
      this.missing.push({
        what: 'the kernel’s log',
        why: 'neither /dev/kmsg nor dmesg may be read',
        command: 'sudo dmesg',
      });
      return;
    }
    const lines: string[] = [];
    let leftOut = 0;
    for (const line of kernelLog.text.split('\n')) {
      if (tellingMessage(line) === null) continue;
      if (lines.length < LOG_LINES_MAX) lines.push(`${redactLogLine(line, hostName)}\n`);
      else leftOut++;
    }
    this.#add('var/log/dmesg', lines.join(''));
    if (leftOut > 0) {
      const why = `it has ${leftOut} more lines about PCI than the first ${LOG_LINES_MAX}`;
      this.missing.push({ what: 'the end of the kernel’s log', why, command: 'sudo dmesg | tail' });
    }
  }

  modules(): void {
    const known = (name: string): boolean => Object.hasOwn(MODULE_PARAMETERS, name);
    const modules = this.#text('proc/modules');
    if (modules === null) {
      // A kernel without loadable modules has no such file; what is built in still shows its parameters.
      this.missing.push({ what: 'the list of modules', why: 'there is no /proc/modules', command: 'lsmod' });
    } else {
      const lines = modules.split('\n').filter((line) => known(/^\w+/.exec(line)?.[0] ?? ''));
      // Behind the state stand the address and what taints the kernel.
      this.#add('proc/modules', lines.map((line) => `${line.split(' ').slice(0, 5).join(' ')} 0x0\n`).join(''));
    }
    for (const name of this.#tree.list('sys/module') ?? []) {
      if (!known(name)) continue;
      const files = ['version', ...(MODULE_PARAMETERS[name] ?? []).map((parameter) => `parameters/${parameter}`)];
      for (const file of files) this.#copy(`sys/module/${name}/${file}`);
    }
  }

  nvidia(): void {
    const params = this.#text('proc/driver/nvidia/params');
    if (params !== null) {
      const known = (line: string): boolean => NVIDIA_PARAMETERS.includes(/^\w+/.exec(line)?.[0] ?? '');
      this.#add('proc/driver/nvidia/params', `${params.split('\n').filter(known).join('\n')}\n`);
    }
    // Behind the release stands who built it.
    const version = /^NVRM version: (.*?\d+\.\d[\d.]*)/m.exec(this.#text('proc/driver/nvidia/version') ?? '');
    if (version !== null) this.#add('proc/driver/nvidia/version', `${version[0]}\n`);
  }

  iommuUnits(): void {
    for (const name of this.#tree.list('sys/class/iommu') ?? []) {
      this.#copy(`sys/class/iommu/${name}/intel-iommu/cap`);
      this.#copy(`sys/class/iommu/${name}/intel-iommu/ecap`);
      this.#copy(`sys/class/iommu/${name}/amd-iommu/cap`);
      this.#copy(`sys/class/iommu/${name}/amd-iommu/features`);
    }
  }

  cufile(): void {
    const text = this.#text('etc/cufile.json');
    if (text === null) return;
    const known = cufileProperties(text).map(({ name, value }) => `"${name}": ${value},\n`);
    this.#add('etc/cufile.json', known.join(''));
  }

  raids(): void {
    const text = this.#text('proc/mdstat');
    if (text === null) return;
    const lines = text.split('\n').flatMap((line, index) => {
      const match = /^(md\w*) : active (?:\([\w-]+\) )?(\S+) (.*nvme.*)$/.exec(line);
      if (match === null) return [];
      // An array may be named for its host: only numbers are kept.
      const name = /^md\d+$/.test(match[1] as string) ? match[1] : `md_${index}`;
      return [`${name} : active ${match[2]} ${((match[3] as string).match(/nvme\w+/g) ?? []).join(' ')}\n`];
    });
    this.#add('proc/mdstat', lines.join(''));
  }

  /** Maker and model of the machine as its firmware names them, where they name a hypervisor: what else they say stays behind. */
  firmware(): void {
    const files = ['sys_vendor', 'product_name'].map((name) => `sys/class/dmi/id/${name}`);
    const [vendor, product] = files.map((file) => (this.#text(file) ?? '').trim());
    if (hypervisorOfFirmware(vendor ?? '', product ?? '') !== null) for (const file of files) this.#copy(file);
  }

  #text(path: string): string | null {
    const bytes = this.#tree.read(path);
    return bytes === null ? null : latin1(bytes);
  }

  #copy(path: string): void {
    const bytes = this.#tree.read(path);
    if (bytes !== null) this.entries.push({ kind: 'file', path, bytes });
  }

  /** An empty file is kept: it says that there is nothing. */
  #add(path: string, text: string): void {
    this.entries.push({ kind: 'file', path, bytes: bytesOf(text) });
  }
}

function unpacked(bytes: Uint8Array, gunzip: LiveParts['gunzip']): string | null {
  try {
    return latin1(gunzip(bytes));
  } catch {
    return null;
  }
}
