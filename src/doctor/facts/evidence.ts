/** Registers and attributes as evidence: name, offset, value, and where they were read. */

import { hex } from '../../core/hex.ts';
import type { Setting } from '../../machine/host-evidence.ts';
import type { Hypervisor } from '../../machine/infer/hypervisor.ts';
import type { Machine } from '../../machine/machine.ts';
import { acsBitNames } from '../../pcie/acs.ts';
import type { FactName } from '../../pcie/function-facts.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import type { Evidence } from '../finding.ts';

/** ACS Control of a function whose registers are known. */
export function acsEvidence(fn: PciFunction): Evidence {
  const { acs } = fn;
  const known = acs.state === 'present';
  return {
    ...placeOf(fn, 'acs'),
    register: 'ACS Control',
    offset: known && acs.offset !== null ? acs.offset + 6 : null,
    value: known ? hex(acs.control, 4) : 'not known',
    meaning: known ? `${acsBitNames(acs.control)} set` : 'not captured',
  };
}

/** Vendor and device of a function. */
export function identityEvidence(fn: PciFunction, meaning: string): Evidence {
  const { vendorId, deviceId } = fn;
  const { deviceName } = fn.facts.text ?? {};
  // A listing without numbers has the name; several may have it.
  if (deviceId === null && deviceName !== undefined)
    return factEvidence(fn, 'identity', { register: 'Name', value: deviceName, meaning });
  const value = vendorId === null || deviceId === null ? 'not known' : `${hex(vendorId, 4)}:${hex(deviceId, 4)}`;
  return { ...placeOf(fn, 'identity'), register: 'Vendor and Device ID', offset: 0, value, meaning };
}

/** Link Capabilities and Status as speed and width. */
export function linkEvidence(fn: PciFunction): Evidence {
  const { link, expressOffset } = fn;
  const words = (speed: number | null | undefined, width: number | null | undefined): string =>
    `x${width ?? '?'} ${speed ?? '?'} GT/s`;
  return {
    ...placeOf(fn, 'link'),
    register: 'Link Status',
    offset: expressOffset ? expressOffset + 0x12 : null,
    value: words(link?.speedGts, link?.width),
    meaning: `can ${words(link?.maxSpeedGts, link?.maxWidth)}`,
  };
}

/** A fact of one function in a file. */
export function factEvidence(
  fn: PciFunction,
  fact: FactName,
  fields: Pick<Evidence, 'register' | 'value' | 'meaning'> & { readonly offset?: number | null },
): Evidence {
  return { ...placeOf(fn, fact), offset: null, ...fields };
}

/** A fact of the whole machine. */
export function machineEvidence(machine: Machine, register: string, value: string, meaning: string): Evidence {
  return { at: null, register, offset: null, value, meaning, source: machine.source, line: null };
}

/** What shows that the machine is a guest. */
export function hypervisorEvidence(machine: Machine, { name, fn, setting }: Hypervisor): Evidence {
  if (fn === null) {
    const told = machineEvidence(machine, 'hypervisor', setting?.value ?? name, `the machine runs in ${name}`);
    return setting === null ? told : { ...told, source: setting.file, line: setting.line };
  }
  return identityEvidence(fn, `a device of ${name}`);
}

/** A setting of the host: a parameter of a module, an attribute. `at` is the function that it is about; null `setting` was not captured. */
export function settingEvidence(
  setting: Setting | null,
  fields: Pick<Evidence, 'register' | 'meaning'> & { readonly at?: string | null },
): Evidence {
  const { value, file, line } = setting ?? { value: 'not captured', file: null, line: null };
  return { at: null, offset: null, ...fields, value, source: file, line };
}

function placeOf(fn: PciFunction, fact: FactName): Pick<Evidence, 'at' | 'source' | 'line'> {
  const source = fn.sourceOf(fact);
  return { at: fn.name, source: source?.file ?? null, line: source?.line ?? null };
}
