/** Attributes of functions in sysfs, written from a shell. Linux Documentation/ABI/testing/sysfs-bus-pci. */

import type { Fix } from '../finding.ts';

type Lines = Pick<Fix, 'kind' | 'commands' | 'undo'>;

/** Writes one attribute of a function. */
export function attributeLine(name: string, attribute: string, value: string | number): string {
  return `echo ${value} | sudo tee /sys/bus/pci/devices/${name}/${attribute}`;
}

/** Takes a function from a driver, or gives it to one. */
export function driverLine(name: string, driver: string, verb: 'bind' | 'unbind'): string {
  return `echo ${name} | sudo tee /sys/bus/pci/drivers/${driver}/${verb}`;
}

/** Takes a function from the driver that has it and gives it to another. */
export function rebindLines(name: string, from: string | null, to: string): string[] {
  return [
    ...(from === null ? [] : [driverLine(name, from, 'unbind')]),
    attributeLine(name, 'driver_override', to),
    driverLine(name, to, 'bind'),
  ];
}

/** Keeps functions from being put to sleep. */
export function awakeLines(names: readonly string[]): Lines {
  return {
    kind: 'sysfs',
    commands: names.map((name) => attributeLine(name, 'power/control', 'on')),
    undo: names.map((name) => attributeLine(name, 'power/control', 'auto')),
  };
}

/** Takes functions away and lets the kernel look for them again. */
export function rescanLines(names: readonly string[]): Lines {
  return {
    kind: 'sysfs',
    commands: [...names.map((name) => attributeLine(name, 'remove', 1)), 'echo 1 | sudo tee /sys/bus/pci/rescan'],
    undo: [],
  };
}

/** Gives a resizable BAR another size, in bytes, while no driver holds the function. The attribute takes the exponent of the size in MiB. */
export function resizeLines(
  { name, driver }: { readonly name: string; readonly driver: string | null },
  bar: number,
  size: { readonly before: number; readonly after: number },
): Lines {
  const drive = (verb: 'bind' | 'unbind'): string[] => (driver === null ? [] : [driverLine(name, driver, verb)]);
  const resized = (bytes: number): string[] => [
    ...drive('unbind'),
    attributeLine(name, `resource${bar}_resize`, Math.log2(bytes / 2 ** 20)),
    ...drive('bind'),
  ];
  return { kind: 'sysfs', commands: resized(size.after), undo: resized(size.before) };
}
