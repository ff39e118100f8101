/**
 * What QEMU does right, and what it loses without a word, as data per release. The engine hands the limits to the driver, which
 * refuses or splits what would leave them; what no limit can prevent is named, and found by comparing bytes.
 *
 * All of it was measured on the release named by `tested`; another release is given the nearest entry below it, and a note. Some of it
 * is looked at again at every start (envelope-check.ts).
 */

import { formatVersion, type QemuVersion } from './binary.ts';
import { QemuError } from './errors.ts';

/** The part of the driver's limits that this machine sets. */
export interface EnvelopeLimits {
  /**
   * Pieces into device memory (a peer's buffer) go through one bounce buffer of 4 KiB, by accesses of 4 bytes. Other lengths than
   * multiples of this arrive damaged, with status 0, or never end.
   */
  readonly mmioGranuleBytes: number;
  /** A command with data in its own buffer and elsewhere is refused: status 0x12. */
  readonly mixing: 'byController' | 'never';
  /** SGL segments that may chain: from the third on a valid list is refused with status 0x0d. */
  readonly sglSegments: number;
  /** An SGL list in RAM that names data in the controller's own buffer is refused with status 0x12. */
  readonly ownSglLists: boolean;
}

export interface QemuEnvelope {
  /** First release that the entry is for. */
  readonly from: QemuVersion;
  /** The release it was measured on. */
  readonly tested: QemuVersion;
  readonly limits: EnvelopeLimits;
  /** CMBLOC of a buffer that is enabled: BAR 2, CDPMLS and CDPCILS set, CDMMMS clear. */
  readonly cmbloc: number;
  /** CMBMSC written high half first gives the buffer its whole base. The driver always does. */
  readonly cmbmscHighFirst: boolean;
  /** CMBMSC takes effect at the write of its low half: low half first, the buffer is at the low 32 bits of its base. */
  readonly cmbmscLatchesLow: boolean;
  /** Status of a command whose data is in its own buffer and elsewhere. */
  readonly mixedStatus: number;
  /** What is lost with status 0, each a sentence for the report. */
  readonly silentLosses: readonly string[];
}

const SILENT_LOSSES: readonly string[] = [
  'a write to an address that nobody decodes is dropped, a read from it gives zeros, and the command ends with status 0',
  'a page that the IOMMU does not map is skipped; the fault is in the IOMMU’s record, the command ends with status 0',
  'data to or from a disabled BAR, or one behind a disabled port, is dropped with status 0',
  'a controller that reads its own buffer over the bus gets nothing: case (c) must use the CMB base address',
  'bus mastering switched off at a bridge has no effect; at the controller it stops queue fetches (CSTS.CFS) but reports no lost data',
];

/** Newest first. */
export const ENVELOPES: readonly QemuEnvelope[] = [
  {
    from: { major: 6, minor: 1, micro: 0 },
    tested: { major: 7, minor: 2, micro: 22 },
    limits: { mmioGranuleBytes: 512, mixing: 'never', sglSegments: 2, ownSglLists: false },
    cmbloc: 0x62,
    cmbmscHighFirst: true,
    cmbmscLatchesLow: true,
    mixedStatus: 0x12,
    silentLosses: SILENT_LOSSES,
  },
];

function isAtLeast(version: QemuVersion, other: QemuVersion): boolean {
  if (version.major !== other.major) return version.major > other.major;
  if (version.minor !== other.minor) return version.minor > other.minor;
  return version.micro >= other.micro;
}

/** The entry for a release. Throws `QEMU_VERSION` for one that is older than all: its NVMe has no buffer of the 1.4 kind. */
export function envelopeOf(version: QemuVersion, path: string): QemuEnvelope {
  const found = ENVELOPES.find((envelope) => isAtLeast(version, envelope.from));
  if (found !== undefined) return found;
  const oldest = ENVELOPES[ENVELOPES.length - 1] as QemuEnvelope;
  throw new QemuError({
    code: 'QEMU_VERSION',
    path,
    message: `is QEMU ${formatVersion(version)}; this engine needs ${formatVersion(oldest.from)} or later`,
    hint: `install a newer one; ${formatVersion(oldest.tested)} is the release it was tested with`,
  });
}

/** What to know of a release beside its envelope, for the report; nothing for one that was tested. */
export function versionNotes(version: QemuVersion): string[] {
  const { tested } = envelopeOf(version, 'qemu');
  if (version.major === tested.major && version.minor === tested.minor) return [];
  return [
    `QEMU ${formatVersion(version)} was not tested: the limits are those of ${formatVersion(tested)}, and its losses may differ`,
  ];
}
