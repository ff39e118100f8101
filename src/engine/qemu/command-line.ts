/**
 * A machine description as a QEMU command line. Numbers devices where the description leaves that open, so that the place of
 * each part is known before QEMU runs.
 */

import { assertNever } from '../../core/assert.ts';
import { QemuError } from './errors.ts';
import {
  DEFAULT_NAMESPACE_BYTES,
  DEFAULT_RAM_BYTES,
  type QemuDevice,
  type QemuMachineDescription,
  type QemuNvme,
  type QemuPlace,
  type QemuRootPort,
} from './machine-description.ts';

const MIB = 2 ** 20;
const RAM_LIMIT = 2048 * MIB;
/** Slots of pcie.0 that the q35 board uses itself: the host bridge and the LPC bridge. */
const BOARD_SLOTS: ReadonlySet<number> = new Set([0, 31]);

/** A file that QEMU needs: RAM, the medium of a controller, the memory behind a BAR. */
export interface BackingRequest {
  readonly id: string;
  readonly lengthBytes: number;
  /** The part of the description that it belongs to; null for RAM. */
  readonly part: QemuPart | null;
}

/** One device of the command line. */
export interface QemuPart {
  /** `id=` of the device. */
  readonly id: string;
  readonly name: string | null;
  readonly kind: QemuDevice['kind'] | 'rootPort' | 'switchPort' | 'rootBus';
  /** Number of the root bus it is below. */
  readonly rootBus: number;
  /** Places from the root bus down to the part itself. */
  readonly route: readonly QemuPlace[];
  /** ACS controls to be set once it is there; 0 for none. */
  readonly acsControl: number;
}

export interface QemuCommandLine {
  /** Groups of arguments: an option and its value each, in order. */
  readonly options: readonly (readonly [option: string, value: string])[];
  readonly backing: readonly BackingRequest[];
  readonly parts: readonly QemuPart[];
}

/** What the options say of a backing file: the kind of memory object with its properties, and the file of a drive. */
export interface BackingWords {
  readonly memory: (request: BackingRequest, index: number) => string;
  readonly drive: (request: BackingRequest, index: number) => string;
}

/** Memory and media that are nowhere but in QEMU: for a command line that somebody runs by hand. */
export const STANDALONE: BackingWords = {
  memory: () => 'memory-backend-ram,share=on',
  drive: ({ lengthBytes }) => `driver=null-co,read-zeroes=on,size=${lengthBytes}`,
};

/** Builds the command line. Throws `QEMU_MACHINE` with the path of what cannot be said. */
export function commandLine(description: QemuMachineDescription, backing: BackingWords): QemuCommandLine {
  return new Builder(backing).build(description);
}

class Builder {
  readonly #options: [string, string][] = [];
  readonly #backing: BackingRequest[] = [];
  readonly #parts: QemuPart[] = [];
  readonly #names = new Set<string>();
  readonly #words: BackingWords;
  readonly #conventionalBuses = new Set<string>();
  #rootBus = 0;
  #chassis = 0;

  constructor(words: BackingWords) {
    this.#words = words;
  }

  build(description: QemuMachineDescription): QemuCommandLine {
    const ramBytes = description.ramBytes ?? DEFAULT_RAM_BYTES;
    if (!(ramBytes > 0 && ramBytes % MIB === 0 && ramBytes <= RAM_LIMIT)) {
      refuse('ramBytes', `${ramBytes} bytes of RAM`, 'use whole MiB, at most 2048');
    }
    const [first, ...others] = description.rootBuses;
    if (first === undefined || first.bus !== 0) {
      refuse(
        'rootBuses',
        'the first root bus of a q35 board is bus 0',
        'give it number 0, with no children if need be',
      );
    }
    const bypass = first.bypassIommu === true ? ',default_bus_bypass_iommu=on' : '';
    this.#option('-machine', `q35,sata=off,smbus=off,usb=off,vmport=off,memory-backend=ram${bypass}`);
    this.#option('-cpu', `${description.cpu ?? 'qemu64'},check=off`);
    this.#option('-m', `${ramBytes / MIB}M`);
    this.#memory('ram', ramBytes);
    if (description.iommuLevels !== undefined) {
      this.#option('-device', `intel-iommu,intremap=off,aw-bits=${description.iommuLevels === 3 ? 39 : 48}`);
    }
    const pxbSlots = freeFromAbove(first.children, others.length);
    this.#children(first.children, 'pcie.0', [], 'rootBuses[0].children', new Set([...BOARD_SLOTS, ...pxbSlots]));
    others.forEach((root, index) => {
      this.#pxb(root.bus, root.bypassIommu === true, pxbSlots[index], `rootBuses[${index + 1}]`);
      const path = `rootBuses[${index + 1}].children`;
      this.#rootBus = root.bus;
      this.#children(root.children, `root${root.bus}`, [], path, new Set());
    });
    return { options: this.#options, backing: this.#backing, parts: this.#parts };
  }

  /** A pxb-pcie sits on pcie.0 and is the root of a bus of its own. */
  #pxb(bus: number, bypass: boolean, device: number | undefined, path: string): void {
    if (!(Number.isInteger(bus) && bus > 0 && bus < 256)) refuse(path, `root bus ${bus}`, 'use 1 to 255');
    if (device === undefined) refuse(path, 'no device number is left on bus 0 for it', 'a bus has 32: describe fewer');
    const place = { device, function: 0 };
    const id = `root${bus}`;
    this.#option(
      '-device',
      `pxb-pcie,id=${id},bus_nr=${bus},bus=pcie.0,addr=${addr(place)}${bypass ? ',bypass_iommu=on' : ''}`,
    );
    this.#parts.push({ id, name: null, kind: 'rootBus', rootBus: 0, route: [place], acsControl: 0 });
  }

  #children(
    children: readonly (QemuRootPort | QemuDevice)[],
    bus: string,
    above: readonly QemuPlace[],
    path: string,
    taken: ReadonlySet<number>,
  ): void {
    const used = new Set(taken);
    for (const child of children) if (child.place !== undefined) used.add(child.place.device);
    const functionsOf = new Map<number, number>();
    for (const { place } of children) {
      if (place !== undefined) functionsOf.set(place.device, (functionsOf.get(place.device) ?? 0) + 1);
    }
    children.forEach((child, index) => {
      const at = `${path}[${index}]`;
      const place = child.place ?? { device: nextFree(used, at), function: 0 };
      used.add(place.device);
      const multi = (functionsOf.get(place.device) ?? 1) > 1 ? ',multifunction=on' : '';
      this.#device(child, `bus=${bus},addr=${addr(place)}${multi}`, [...above, place], at);
    });
  }

  #device(device: QemuRootPort | QemuDevice, where: string, route: readonly QemuPlace[], path: string): void {
    const acsControl = device.kind === 'rootPort' && device.acs !== undefined && device.acs !== false ? device.acs : 0;
    const id = this.#part(device.kind, device.name, route, path, acsControl);
    switch (device.kind) {
      case 'rootPort': {
        // Its registers are set by whoever programs the machine.
        const acs = device.acs === false ? ',disable-acs=on' : '';
        this.#option('-device', `pcie-root-port,id=${id},${where}${acs}${this.#slot()}`);
        this.#onLink(device.below ?? [], id, route, `${path}.below`);
        return;
      }
      case 'switch':
        this.#option('-device', `x3130-upstream,id=${id},${where}`);
        this.#switchPorts(device.ports, id, route, `${path}.ports`);
        return;
      case 'pciBridge':
        this.#pciBridge(device.below, id, where, route, path);
        return;
      case 'nvme':
        this.#nvme(device, id, where, path);
        return;
      case 'memory': {
        if (!isPowerOfTwo(device.bytes) || device.bytes < 4096) {
          refuse(`${path}.bytes`, `a BAR of ${device.bytes} bytes`, 'use a power of two, at least 4096');
        }
        this.#memory(`${id}m`, device.bytes);
        this.#option('-device', `ivshmem-plain,id=${id},memdev=${id}m,${where}`);
        return;
      }
      case 'placeholder':
        this.#option('-device', `pci-testdev,id=${id},${where}`);
        return;
      default:
        assertNever(device);
    }
  }

  /** A bridge to conventional PCI; another kind where the bus above is conventional already. */
  #pciBridge(below: readonly QemuDevice[], id: string, where: string, route: readonly QemuPlace[], path: string): void {
    const isNested = this.#conventionalBuses.has(where.slice('bus='.length, where.indexOf(',')));
    this.#conventionalBuses.add(id);
    if (isNested) this.#option('-device', `pci-bridge,id=${id},chassis_nr=${this.#conventionalBuses.size},${where}`);
    else this.#option('-device', `pcie-pci-bridge,id=${id},${where}`);
    // Slot 0 is its hot-plug controller's.
    this.#children(below, id, route, `${path}.below`, new Set([0]));
  }

  #nvme(device: QemuNvme, id: string, where: string, path: string): void {
    const namespaceBytes = device.namespaceBytes ?? DEFAULT_NAMESPACE_BYTES;
    if (!(namespaceBytes > 0 && namespaceBytes % 512 === 0)) {
      refuse(`${path}.namespaceBytes`, `a namespace of ${namespaceBytes} bytes`, 'use whole blocks of 512');
    }
    const cmbBytes = device.cmbBytes ?? 0;
    if (cmbBytes !== 0 && !(cmbBytes % MIB === 0 && isPowerOfTwo(cmbBytes))) {
      refuse(`${path}.cmbBytes`, `a buffer of ${cmbBytes} bytes`, 'use a power of two, at least 1 MiB');
    }
    const mdts = device.mdts ?? 10;
    const [request, index] = this.#request(`${id}d`, namespaceBytes);
    this.#option('-drive', `if=none,id=${id}d,${this.#words.drive(request, index)}`);
    const cmb =
      cmbBytes === 0 ? '' : `,cmb_size_mb=${cmbBytes / MIB}${device.legacyCmb === true ? ',legacy-cmb=on' : ''}`;
    this.#option('-device', `nvme,id=${id},serial=${id},drive=${id}d,mdts=${mdts}${cmb},${where}`);
  }

  #switchPorts(
    ports: Extract<QemuDevice, { kind: 'switch' }>['ports'],
    bus: string,
    above: readonly QemuPlace[],
    path: string,
  ): void {
    const used = new Set<number>();
    for (const port of ports) if (port.place !== undefined) used.add(port.place.device);
    const multi = new Set(ports.filter(({ place }) => (place?.function ?? 0) > 0).map(({ place }) => place?.device));
    ports.forEach((port, index) => {
      const at = `${path}[${index}]`;
      const place = port.place ?? { device: nextFree(used, at), function: 0 };
      used.add(place.device);
      const route = [...above, place];
      const id = this.#part('switchPort', port.name, route, at);
      const flag = multi.has(place.device) ? ',multifunction=on' : '';
      this.#option('-device', `xio3130-downstream,id=${id},bus=${bus},addr=${addr(place)}${flag}${this.#slot()}`);
      this.#onLink(port.below ?? [], id, route, `${at}.below`);
    });
  }

  /** A link leads to one device: device number 0, with up to eight functions. */
  #onLink(devices: readonly QemuDevice[], bus: string, above: readonly QemuPlace[], path: string): void {
    const placed = devices.map((device, index) => device.place ?? { device: 0, function: index });
    placed.forEach((place, index) => {
      const isTaken = placed.slice(0, index).some((other) => other.function === place.function);
      if (place.device !== 0 || place.function > 7 || isTaken) {
        const where = `device ${place.device} function ${place.function} behind a link`;
        refuse(`${path}[${index}]`, where, 'a link leads to device 0 alone, with functions 0 to 7, each once');
      }
    });
    if (devices.length > 0 && !placed.some((place) => place.function === 0)) {
      refuse(path, 'no function 0', 'functions 1 to 7 of a device are seen only where function 0 is');
    }
    // QEMU wants function 0 last: it takes its arrival for the whole device's.
    const order = devices
      .map((_, index) => index)
      .sort((a, b) => (placed[b]?.function ?? 0) - (placed[a]?.function ?? 0));
    const multi = devices.length > 1 ? ',multifunction=on' : '';
    for (const index of order) {
      const place = placed[index] as QemuPlace;
      const where = `bus=${bus},addr=${addr(place)}${multi}`;
      this.#device(devices[index] as QemuDevice, where, [...above, place], `${path}[${index}]`);
    }
  }

  #part(
    kind: QemuPart['kind'],
    name: string | undefined,
    route: readonly QemuPlace[],
    path: string,
    acsControl = 0,
  ): string {
    if (name !== undefined) {
      if (this.#names.has(name)) refuse(`${path}.name`, `'${name}' is the name of two parts`, 'give each its own');
      this.#names.add(name);
    }
    const id = `p${this.#parts.length}`;
    this.#parts.push({ id, name: name ?? null, kind, rootBus: this.#rootBus, route, acsControl });
    return id;
  }

  #slot(): string {
    this.#chassis++;
    // Chassis numbers are bytes, and so are slot numbers: together they tell ports apart.
    return `,chassis=${1 + Math.floor(this.#chassis / 255)},slot=${1 + (this.#chassis % 255)}`;
  }

  #memory(id: string, lengthBytes: number): void {
    const [kind, ...properties] = this.#words.memory(...this.#request(id, lengthBytes)).split(',');
    this.#option('-object', [kind, `id=${id}`, `size=${lengthBytes}`, ...properties].join(','));
  }

  /** Backing for the part that was added last, or for RAM. */
  #request(id: string, lengthBytes: number): [BackingRequest, number] {
    const request = { id, lengthBytes, part: this.#parts[this.#parts.length - 1] ?? null };
    return [request, this.#backing.push(request) - 1];
  }

  #option(option: string, value: string): void {
    this.#options.push([option, value]);
  }
}

function addr(place: QemuPlace): string {
  return place.function === 0 ? `0x${place.device.toString(16)}` : `0x${place.device.toString(16)}.${place.function}`;
}

/** Device numbers of pcie.0 for root buses, from 30 downwards, past those that the children name. */
function freeFromAbove(children: readonly (QemuRootPort | QemuDevice)[], count: number): number[] {
  const named = new Set(children.map(({ place }) => place?.device));
  const free: number[] = [];
  for (let device = 30; device > 0 && free.length < count; device--) if (!named.has(device)) free.push(device);
  return free;
}

function nextFree(used: ReadonlySet<number>, path: string): number {
  for (let device = 0; device < 32; device++) if (!used.has(device)) return device;
  return refuse(path, 'no device number is left on the bus', 'a bus has 32; put some parts below another port');
}

function isPowerOfTwo(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0 && 2 ** Math.round(Math.log2(value)) === value;
}

function refuse(path: string, message: string, hint: string): never {
  throw new QemuError({ code: 'QEMU_MACHINE', path, message: `QEMU cannot be this: ${message}`, hint });
}
