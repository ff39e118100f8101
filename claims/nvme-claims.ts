/**
 * Hellwig speaks of "a whole chain of problems" that comes of NVMe's disguise: its commands name the controller's own memory by an
 * address, as if it were a peer's. He names none in the mail; these four are ours, from NVMe 1.4 (CMBMSC, status 12h). Shown on our
 * controller, and on QEMU's.
 */

import { physAddr } from '../src/core/index.ts';
import type { IoOutcome } from '../src/nvme/driver/index.ts';
import { CMBMSC, REGISTERS } from '../src/nvme/spec/index.ts';
import { bdfKey } from '../src/pcie/index.ts';
import { equalBytes, type NewBed, newQemuBed, newSimBed, PAGE, pattern, switchTree } from '../tests/contract/bed.ts';
import { type Controller, dmaSegment, Host, type Piece } from '../tests/contract/host.ts';
import type { Claim, Saw } from './claim.ts';

const CMB_BYTES = 16 * 2 ** 20;
/** CMBMSC.CRE and CMBMSC.CMSE. */
const CRE = 2 ** CMBMSC.CRE.shift;
const CMSE = 2 ** CMBMSC.CMSE.shift;

interface Scene {
  readonly host: Host;
  readonly controller: Controller;
  /** What was put on the medium. */
  readonly bytes: Uint8Array;
  readonly own: Piece;
  /** Programs CMBMSC behind the driver's back. */
  moveBuffer(base: number, bits: number): Promise<void>;
}

/** Controller b of the switch, with a buffer of 16 MiB, up, and a page on its medium; torn down afterwards. */
async function scene(newBed: NewBed, withIommu: boolean, show: (scene: Scene) => Promise<Saw>): Promise<Saw> {
  const tree = switchTree(withIommu ? ['RR', 'CR', 'UF'] : 'absent');
  const bed = await newBed({ tree, ...(withIommu ? { iommuLevels: 3 as const } : {}) });
  try {
    const host = new Host(bed, withIommu ? { levels: 3 } : {});
    const controller = await host.controller('b');
    const bytes = pattern(PAGE, 8);
    controller.put(0, bytes);
    const registers = controller.fn.bars.find(({ index }) => index === 0)?.cpuAddress ?? 0;
    const moveBuffer = async (base: number, bits: number): Promise<void> => {
      const value = base + bits;
      const at = registers + REGISTERS.CMBMSC.offset;
      // It takes effect with the low half.
      await bed.engine.write32(physAddr(at + 4), Math.floor(value / 2 ** 32));
      await bed.engine.write32(physAddr(at), value >>> 0);
    };
    return await show({ host, controller, bytes, own: host.piece('b', 0, PAGE), moveBuffer });
  } finally {
    await bed.engine.close();
  }
}

/** In no place the same byte: what is equal afterwards has arrived. */
function inverted(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte ^ 0xff);
}

function statusOf(outcome: IoOutcome): string {
  return outcome.kind === 'completed' ? `0x${(outcome.status ?? 0).toString(16)}` : outcome.kind;
}

/** The page is read into RAM whose IOVA the buffer's CBA covers. */
function cbaShadowsIova(newBed: NewBed): Promise<Saw> {
  return scene(newBed, true, async ({ host, controller, bytes, moveBuffer }) => {
    const ram = host.ramPiece(PAGE);
    await host.fill(ram, inverted(bytes));
    const mapping = controller.map([ram], 'fromDevice');
    // The buffer ends behind this page: queues were given higher addresses.
    await moveBuffer(mapping.iovaBase + PAGE - CMB_BYTES, CRE + CMSE);
    const segments = controller.segmentsOf(mapping, [ram]);
    const [outcome] = await controller.execute([{ kind: 'read', namespace: 1, block: 0, segments }]);
    const inRam = equalBytes(await host.read(ram), bytes);
    const inBuffer = equalBytes(await host.read(host.piece('b', CMB_BYTES - PAGE, PAGE)), bytes);
    controller.unmap(mapping);
    return {
      status: statusOf(outcome as IoOutcome),
      bytesInRam: inRam,
      bytesInBuffer: inBuffer,
    };
  });
}

/** The same without an IOMMU: the CBA covers RAM. */
function cbaOverRam(newBed: NewBed): Promise<Saw> {
  return scene(newBed, false, async ({ host, controller, bytes, moveBuffer }) => {
    const ram: Piece = { address: physAddr(64 * 2 ** 20), length: PAGE, owner: null };
    await host.fill(ram, inverted(bytes));
    await moveBuffer(ram.address, CRE + CMSE);
    const outcome = await controller.transfer('read', 0, [ram]);
    const inRam = equalBytes(await host.read(ram), bytes);
    const inBuffer = equalBytes(await host.read(host.piece('b', 0, PAGE)), bytes);
    return { status: statusOf(outcome), bytesInRam: inRam, bytesInBuffer: inBuffer };
  });
}

/**
 * The own buffer by its bus address, with CMSE on and off. Whether a TLP leaves is seen where it must pass: every port redirects,
 * and nothing is mapped at that address, so the IOMMU faults and names the requester.
 */
function cmseOff(newBed: NewBed): Promise<Saw> {
  return scene(newBed, true, async ({ host, controller, bytes, own, moveBuffer }) => {
    const { engine } = host.bed;
    const { bdf, bars } = controller.fn;
    const address = bars.find(({ index }) => index === 2)?.busAddress ?? 0;
    const asked = async (): Promise<string> => {
      await host.fill(own, new Uint8Array(PAGE));
      await engine.takeFaults();
      await controller.move('read', 0, [dmaSegment(address, PAGE)]);
      const faults = (await engine.takeFaults()).filter((fault) => bdfKey(fault.requester) === bdfKey(bdf));
      if (faults.some((fault) => fault.address >= address && fault.address < address + PAGE)) return 'at the IOMMU';
      return equalBytes(await host.read(own), bytes) === PAGE ? 'inside' : 'nowhere';
    };
    const on = await asked();
    await moveBuffer(address, CRE);
    return { withCmse: on, withoutCmse: await asked() };
  });
}

/** One command with data in the buffer and in RAM. */
function noMixing(newBed: NewBed): Promise<Saw> {
  return scene(newBed, false, async ({ host, controller }) => {
    const address = controller.fn.bars.find(({ index }) => index === 2)?.busAddress ?? 0;
    const ram = host.ramPiece(PAGE);
    const alone = await controller.move('read', 0, [dmaSegment(ram.address, PAGE)]);
    const mixed = await controller.move('read', 0, [dmaSegment(address, PAGE), dmaSegment(ram.address, PAGE)]);
    return { ramAlone: statusOf(alone), mixed: statusOf(mixed) };
  });
}

export const NVME_CLAIMS: readonly Claim[] = [
  {
    name: 'nvme-cba-shadows-iova',
    who: 'after Hellwig',
    claim:
      'NVMe’s disguise of (c) as (b2) causes problems: a CBA equal to an IOVA in use swallows what was meant for RAM, with status 0.',
    verdict: 'holds',
    expected: { status: '0x0', bytesInRam: 0, bytesInBuffer: PAGE },
    run: () => cbaShadowsIova(newSimBed),
    onQemu: () => cbaShadowsIova(newQemuBed),
  },
  {
    name: 'nvme-cba-over-ram',
    who: 'after Hellwig',
    claim: 'The same, without an IOMMU: a CBA over RAM swallows what was meant for RAM, with status 0.',
    verdict: 'holds',
    expected: { status: '0x0', bytesInRam: 0, bytesInBuffer: PAGE },
    run: () => cbaOverRam(newSimBed),
    onQemu: () => cbaOverRam(newQemuBed),
  },
  {
    name: 'nvme-cmse-off',
    who: 'after Hellwig',
    claim: 'The same: with CMSE off the controller sends TLPs to its own BAR.',
    verdict: 'holds',
    expected: { withCmse: 'inside', withoutCmse: 'at the IOMMU' },
    run: () => cmseOff(newSimBed),
    onQemu: () => cmseOff(newQemuBed),
  },
  {
    name: 'nvme-no-mixing',
    who: 'after Hellwig',
    claim:
      'The same: one command may not have data in the own buffer and elsewhere, unless the controller says that it can.',
    verdict: 'holds',
    expected: { ramAlone: '0x0', mixed: '0x12' },
    run: () => noMixing(newSimBed),
    onQemu: () => noMixing(newQemuBed),
  },
];
