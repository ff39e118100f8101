/**
 * The files of a captured root that tell of the kernel beside PCI: its configuration, its log, modules and their parameters, IOMMU units,
 * and what GPUDirect Storage needs. Written by `capture`, or copied by an unknown hand; any subset will do.
 */

import { latin1 } from '../../../core/text.ts';
import { LOG_LINES_MAX, type LogLine, parseKernelLog } from '../../../evidence/kernel/log/telling.ts';
import { cufileProperties } from '../../cufile.ts';
import type { HostEvidence, IommuUnit, KernelConfig, ModuleFacts, ModuleList, Setting } from '../../host-evidence.ts';
import { MODULE_PARAMETERS, NVIDIA_PARAMETERS } from '../../host-evidence.ts';
import { hypervisorOfFirmware } from '../../infer/firmware-names.ts';
import { parseKernelConfig } from '../../kernel-config.ts';
import { parseRelease } from '../../kernel-release.ts';
import type { ReadNote } from '../../machine.ts';
import type { FileTree } from './file-tree.ts';

/** What a caller adds that a tree of files cannot say by itself. */
export interface HostAids {
  /** Undoes gzip, or throws; without it a packed configuration is noted and left. */
  readonly gunzip?: ((bytes: Uint8Array) => Uint8Array) | undefined;
  /** The log of the running kernel, in place of the tree's; null where it may not be read. */
  readonly kernelLog?: { readonly text: string; readonly file: string } | null | undefined;
}

/** Where a log lies: as `capture` writes it, as Debian keeps it, as people save it. */
const LOGS: readonly string[] = ['var/log/dmesg', 'dmesg', 'dmesg.txt', 'dmesg.log', 'proc/kmsg', 'var/log/kern.log'];
const PACKED_CONFIG = 'proc/config.gz';

/** Whether a packed configuration lies in the tree, at its top or one folder down. */
export function hasPackedConfig(tree: FileTree, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => tree.resolve(prefix + PACKED_CONFIG) !== null);
}

/**
 * Reads what the root at `prefix` holds. What does not fit becomes a note with its file; nothing is thrown.
 *
 * @param kernel release of the running kernel, to tell its configuration from those of others
 */
export function readHostFiles(
  tree: FileTree,
  place: { readonly prefix: string; readonly kernel: string | null; readonly notes: ReadNote[] },
  aids: HostAids,
): Omit<HostEvidence, 'dmaMaskBits'> {
  const files = new HostFiles(tree, place.prefix, place.notes);
  return {
    kernelConfig: files.kernelConfig(place.kernel, aids.gunzip),
    kernelLog: files.kernelLog(aids.kernelLog),
    modules: files.modules(),
    iommuUnits: files.iommuUnits(),
    cufile: files.cufile(),
    nvmeRaids: files.nvmeRaids(),
    hypervisor: files.hypervisor(),
  };
}

class HostFiles {
  readonly #tree: FileTree;
  readonly #prefix: string;
  readonly #notes: ReadNote[];

  constructor(tree: FileTree, prefix: string, notes: ReadNote[]) {
    this.#tree = tree;
    this.#prefix = prefix;
    this.#notes = notes;
  }

  kernelConfig(kernel: string | null, gunzip: HostAids['gunzip']): KernelConfig | null {
    for (const file of this.#configFiles(kernel)) {
      const text = file.endsWith('.gz') ? this.#unpacked(file, gunzip) : this.#text(file);
      if (text === null) continue;
      const config = parseKernelConfig(text, file);
      if (config === null)
        this.#note('KERNEL_CONFIG', file, 'holds no line of a kernel configuration; it is passed over');
      else if (isOther(config.release, kernel)) {
        this.#note('KERNEL_CONFIG_OTHER', file, `is of Linux ${config.release}, and ${kernel} ran; it is passed over`);
      } else return config;
    }
    return null;
  }

  /** The running kernel's own first. Of those in /boot only the one with its release counts, or the only one. */
  #configFiles(kernel: string | null): string[] {
    const boot = (this.#tree.list(`${this.#prefix}boot`) ?? []).filter((name) => name.startsWith('config-'));
    const own = boot.filter((name) => name === `config-${kernel}`);
    const files = ['proc/config', PACKED_CONFIG];
    if (own.length > 0 || (boot.length === 1 && kernel === null)) {
      files.push(...(own.length > 0 ? own : boot).map((name) => `boot/${name}`));
    } else if (boot.length > 0) {
      this.#note(
        'KERNEL_CONFIG_OTHER',
        `boot/${boot[0]}`,
        `is not known to be of the kernel that ran; it is passed over`,
      );
    }
    if (kernel !== null) files.push(`lib/modules/${kernel}/config`, `lib/modules/${kernel}/build/.config`);
    return files;
  }

  #unpacked(file: string, gunzip: HostAids['gunzip']): string | null {
    const bytes = this.#tree.read(this.#prefix + file);
    if (bytes === null) return null;
    if (gunzip === undefined) {
      this.#note('KERNEL_CONFIG_PACKED', file, 'is packed; unpack it to proc/config');
      return null;
    }
    try {
      return latin1(gunzip(bytes));
    } catch (cause) {
      this.#note(
        'KERNEL_CONFIG',
        file,
        `cannot be unpacked: ${cause instanceof Error ? cause.message : String(cause)}`,
      );
      return null;
    }
  }

  kernelLog(given: HostAids['kernelLog']): LogLine[] | null {
    if (given === null) return null;
    const file = given?.file ?? LOGS.find((path) => this.#text(path) !== null);
    if (file === undefined) return null;
    const lines = parseKernelLog(given?.text ?? this.#text(file) ?? '', file);
    if (lines.length === LOG_LINES_MAX) {
      this.#note('KERNEL_LOG_LONG', file, `has ${LOG_LINES_MAX} lines about PCI, or more; no more are read`);
    }
    return lines;
  }

  modules(): ModuleList | null {
    const file = 'proc/modules';
    const text = this.#text(file);
    const names = new Set<string>();
    for (const line of (text ?? '').split('\n')) {
      const name = /^(\w+) /.exec(line)?.[1];
      if (name !== undefined && Object.hasOwn(MODULE_PARAMETERS, name)) names.add(name);
    }
    const folders = this.#tree.list(`${this.#prefix}sys/module`);
    if (text === null && folders === null) return null;
    for (const name of folders ?? []) if (Object.hasOwn(MODULE_PARAMETERS, name)) names.add(name);
    const byName = new Map([...names].sort().map((name) => [name, this.#module(name)]));
    return { byName, complete: text !== null, file: text === null ? 'sys/module' : file };
  }

  #module(name: string): ModuleFacts {
    const parameters = new Map<string, Setting>();
    for (const parameter of MODULE_PARAMETERS[name] ?? []) {
      const value = this.#setting(`sys/module/${name}/parameters/${parameter}`);
      if (value !== null) parameters.set(parameter, value);
    }
    if (name !== 'nvidia') return { version: this.#setting(`sys/module/${name}/version`), parameters };
    const file = 'proc/driver/nvidia/params';
    const known = new Set(NVIDIA_PARAMETERS);
    for (const [index, line] of (this.#text(file) ?? '').split('\n').entries()) {
      const match = /^(\w+): (.*)$/.exec(line.trimEnd());
      if (match === null || !known.has(match[1] as string)) continue;
      const value = (match[2] as string).replace(/^"|"$/g, '');
      parameters.set(match[1] as string, { value, file, line: index + 1 });
    }
    return {
      version: this.#setting('proc/driver/nvidia/version') ?? this.#setting('sys/module/nvidia/version'),
      parameters,
    };
  }

  iommuUnits(): IommuUnit[] | null {
    const folder = 'sys/class/iommu';
    const names = this.#tree.list(this.#prefix + folder);
    return names === null ? null : names.map((name) => this.#iommuUnit(folder, name));
  }

  #iommuUnit(folder: string, name: string): IommuUnit {
    const file = `${folder}/${name}/intel-iommu/cap`;
    const capability = this.#text(file)?.trim();
    return { name, addressBits: capability === undefined ? null : addressBitsOf(capability), file };
  }

  cufile(): ReadonlyMap<string, Setting> | null {
    const file = 'etc/cufile.json';
    const text = this.#text(file);
    if (text === null) return null;
    const settings = new Map<string, Setting>();
    for (const { name, value, line } of cufileProperties(text)) settings.set(name, { value, file, line });
    return settings;
  }

  nvmeRaids(): ReadonlyMap<string, Setting> | null {
    const file = 'proc/mdstat';
    const text = this.#text(file);
    if (text === null) return null;
    const raids = new Map<string, Setting>();
    for (const [index, line] of text.split('\n').entries()) {
      const match = /^(md\w*) : active (?:\([\w-]+\) )?(\S+) (.*nvme.*)$/.exec(line.trimEnd());
      if (match === null) continue;
      const members = (match[3] as string).match(/nvme\w+/g) ?? [];
      raids.set(match[1] as string, { value: `${match[2]} ${members.join(' ')}`, file, line: index + 1 });
    }
    return raids;
  }

  /** What the firmware calls the machine, or the flag by which a processor says that it is not alone. */
  hypervisor(): Setting | null {
    const [vendor, product] = ['sys_vendor', 'product_name'].map((name) => this.#setting(`sys/class/dmi/id/${name}`));
    const named = hypervisorOfFirmware(vendor?.value ?? '', product?.value ?? '');
    if (named !== null) return { ...((vendor ?? product) as Setting), value: named };
    const file = 'proc/cpuinfo';
    const lines = (this.#text(file) ?? '').split('\n');
    const at = lines.findIndex((line) => /^flags\s*:.*\bhypervisor\b/.test(line));
    return at < 0 ? null : { value: 'an unnamed hypervisor', file, line: at + 1 };
  }

  #setting(file: string): Setting | null {
    const value = this.#text(file)?.trim();
    return value === undefined ? null : { value, file, line: null };
  }

  #text(file: string): string | null {
    const bytes = this.#tree.read(this.#prefix + file);
    if (bytes === null) return null;
    let end = bytes.length;
    while (end > 0 && bytes[end - 1] === 0) end--;
    return latin1(bytes, 0, end);
  }

  #note(code: string, file: string, message: string): void {
    this.#notes.push({ code, file, line: null, message });
  }
}

/** Whether a configuration's release is that of another kernel: `6.12.117` belongs to `6.12.117-amd64`. */
function isOther(release: string | null, kernel: string | null): boolean {
  const built = parseRelease(release);
  const ran = parseRelease(kernel);
  return built !== null && ran !== null && (built.major !== ran.major || built.minor !== ran.minor);
}

/**
 * Width of the addresses that an Intel IOMMU takes: Maximum Guest Address Width, bits 21:16 and one more, within what the deepest of its
 * page tables reaches, bits 12:8. Intel VT-d specification, 11.4.2.
 */
function addressBitsOf(capability: string): number | null {
  if (!/^[0-9a-f]{6,16}$/i.test(capability)) return null;
  const low = Number.parseInt(capability.slice(-8), 16);
  const guest = ((low >>> 16) & 0x3f) + 1;
  const depths = (low >>> 8) & 0x1f;
  const tables = depths & 8 ? 57 : depths & 4 ? 48 : depths & 2 ? 39 : 0;
  return tables === 0 ? guest : Math.min(guest, tables);
}
