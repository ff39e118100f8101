/**
 * Two switches that are one chip: a Broadcom (PLX) chip split into virtual switches, each below its own root port, may carry traffic
 * between them inside. The kernel sends it through the host bridge. Same vendor, device and serial number give them away, where the
 * maker of the board wrote a serial number of its own.
 */

import { groupedBy, listed } from '../../core/words.ts';
import { findExtendedCapability } from '../../pcie/capability.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { type DoctorContext, pairsOf } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { identityEvidence } from '../facts/evidence.ts';
import type { Finding } from '../finding.ts';
import { BY_HAND, NOTHING } from '../finding.ts';
import { severityOf } from '../severity.ts';

export const HIDDEN_LINK: Diagnosis = {
  id: 'HIDDEN-LINK',
  aliases: [],
  meaning: 'two switches may be one chip with a road inside that the kernel does not see',
  symptom: 'the kernel says "through the host bridge" though the devices share a chip',
  needs: 'vendor, device and serial number of switch upstream ports',
  diagnose,
};

/** Broadcom, and PLX before it. */
const VENDORS: ReadonlySet<number> = new Set([0x1000, 0x10b5]);
const EXT_CAP_SERIAL = 0x0003;

function diagnose(context: DoctorContext): Finding[] {
  const through = context.cases.filter((item) => item.common < 0 && item.type !== 'busAddr');
  if (through.length === 0) return [];
  const tops = new Map<number, PciFunction>();
  for (const item of through) {
    for (const index of item.functions) {
      const ports = context.machine.hierarchy
        .chainOf(index)
        .filter((at) => (context.functions[at] as PciFunction).portType === 'upstreamPort');
      const top = ports.at(-1);
      if (top !== undefined) tops.set(top, context.functions[top] as PciFunction);
    }
  }
  const uplinks = [...tops.values()].filter((fn) => VENDORS.has(fn.vendorId ?? 0));
  const groups = groupedBy(uplinks, (fn) => `${fn.vendorId}:${fn.deviceId}`).filter((group) => group.length > 1);
  return groups.flatMap((group) => {
    const serials = group.map(serialOf);
    const known = serials.filter((serial) => serial !== null && !isFactorySerial(serial)).map(String);
    const factory = serials.some((serial) => serial !== null && isFactorySerial(serial));
    const same = known.length > 1 && known.length !== new Set(known).size;
    // Serial numbers that are known and differ: two chips.
    if (known.length === group.length && !same) return [];
    const names = group.map((fn) => fn.name);
    const [first] = through;
    return [
      {
        ...NOTHING,
        id: 'HIDDEN-LINK',
        severity: severityOf('HIDDEN-LINK', 'sameChip'),
        sure: same ? 'likely' : 'open',
        title: same
          ? `The switches ${listed(names)} have one serial number: they are parts of one chip, which may carry traffic between them inside`
          : `The switches ${listed(names)} are of one kind; whether they are parts of one chip ${factory ? 'their serial number does not tell: all chips of this kind have it' : 'is not in this capture'}`,
        at: names,
        functions: names,
        pairs: first === undefined ? null : pairsOf(context, first),
        evidence: group.map((fn) => identityEvidence(fn, 'a switch that can be split into virtual switches')),
        why: 'A chip that is split over two root ports can have a link between its parts. The kernel does not know of it and sends the traffic over the host bridge, where it may be refused.',
        fixes: [
          {
            ...BY_HAND,
            what: 'Ask the maker of the board, or configure the chip as one switch with one upstream port',
            cost: 'The uplink bandwidth of the second port.',
          },
        ],
        missing: same
          ? null
          : factory
            ? {
                what: 'which slots hang on which chip (the manual of the board draws it)',
                command: 'sudo dmidecode -t baseboard -t slot',
              }
            : {
                what: 'serial numbers of the switches (a capture of p2pdma leaves them out)',
                command: "sudo lspci -vv | grep -E '^[0-9a-f]|Device Serial'",
              },
      } satisfies Finding,
    ];
  });
}

/** 64 bits, the upper half first. */
type Serial = readonly [high: number, low: number];

/**
 * Whether a serial number is the one that chips of PLX leave the factory with: an EUI-64 of PLX (00-0e-df), and for an extension the
 * vendor ID 10b5 and the kind of chip. It is the same on every chip of a kind. PCIe 7.9.3.
 */
function isFactorySerial([high, low]: Serial): boolean {
  return low === 0xb5df0e00 && (high & 0xff) === 0x10;
}

/** Null where not there, not known, or left out of the capture (zeros). */
function serialOf(fn: PciFunction): Serial | null {
  const offset = findExtendedCapability(fn.config, EXT_CAP_SERIAL);
  if (!offset) return null;
  const [low, high] = [fn.config.u32(offset + 4), fn.config.u32(offset + 8)];
  return low === undefined || high === undefined || (low === 0 && high === 0) ? null : [high, low];
}
