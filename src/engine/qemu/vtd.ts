/**
 * The IOMMU of the machine, programmed: root table, a context table a bus, and the domains' page tables copied into guest
 * memory. VT-d specification 3 (tables), 6.5 (invalidation by registers), 7 (faults).
 *
 *     root table[bus] -> context table[device and function] -> IommuDomain's tables, root first
 *
 * Domains live in this process. `sync` brings guest memory up to date, and is called before every register write that could
 * set a device going: only pages that changed are copied. Invalidations follow the domain's own rule: a strict domain's unmap
 * reaches the hardware's IOTLB at the next `sync`, a lazy one's at the flush, and until then the IOTLB may be stale.
 */

import { addBytes, addressFromWords, type Iova, iova, type PhysAddr, physAddr } from '../../core/address.ts';
import { assert } from '../../core/assert.ts';
import { hex } from '../../core/hex.ts';
import type { IommuDomain } from '../../iommu/domain.ts';
import { Iotlb } from '../../iommu/invalidation.ts';
import { type Bdf, bdfFromRoutingId, requesterId } from '../../pcie/bdf.ts';
import type { EngineFault } from '../register.ts';
import { QemuError } from './errors.ts';
import type { GuestMemory } from './guest-memory.ts';
import type { QtestLink } from './qtest.ts';
import { TableCopy } from './table-copy.ts';
import {
  addressWidth,
  CONTEXT_INVALIDATE_ALL,
  CONTEXT_PASS_THROUGH,
  CONTEXT_PRESENT,
  CONTEXT_TRANSLATE,
  decodeFault,
  ENTRIES_PER_TABLE,
  ENTRY_BYTES,
  FAULT_OVERFLOW,
  FAULT_PENDING,
  faultRecordOffset,
  IOTLB_GLOBAL,
  IOTLB_INVALIDATE,
  IOTLB_PAGES,
  iotlbOffset,
  SET_ROOT_TABLE,
  supportsLevels,
  TRANSLATION_ENABLE,
  VTD,
  VTD_BASE,
} from './vtd-registers.ts';

/** How the DMA of a function is treated. `blocked`: no context entry, every access faults. */
export type QemuIommuContext = IommuDomain | 'passthrough' | 'blocked';

const PAGE = 4096;
/** Page-selective invalidations at a time; more become one global. */
const RANGES_MAX = 16;
const PASS_THROUGH_DOMAIN = 0xffff;
/** A wait for a bit that QEMU sets at once. */
const POLLS = 1000;

/** Learns of the invalidations of a domain: the cache itself is the hardware's. */
class HardwareIotlb extends Iotlb {
  readonly #note: (domain: IommuDomain, start: number, length: number) => void;

  constructor(note: (domain: IommuDomain, start: number, length: number) => void) {
    super({ entries: 1 });
    this.#note = note;
  }

  override invalidate(domain: IommuDomain, start: Iova, length: number): void {
    this.#note(domain, start, length);
  }

  override invalidateDomain(domain: IommuDomain): void {
    this.#note(domain, 0, Number.POSITIVE_INFINITY);
  }
}

interface AttachedDomain {
  readonly id: number;
  readonly tables: TableCopy;
}

export class VtdUnit {
  readonly levels: 3 | 4;
  readonly #link: QtestLink;
  readonly #memory: GuestMemory;
  readonly #rootTable: PhysAddr;
  readonly #contextTables = new Map<number, PhysAddr>();
  readonly #contexts = new Map<number, QemuIommuContext>();
  readonly #domains = new Map<IommuDomain, AttachedDomain>();
  readonly #iotlb: HardwareIotlb;
  readonly #faults: EngineFault[] = [];
  #faultRecord: PhysAddr = physAddr(0);
  #iotlbAddress: PhysAddr = physAddr(0);
  #contextsChanged = false;
  #invalidateAll = false;
  #ranges: { readonly domain: number; readonly start: number; readonly length: number }[] = [];

  private constructor(link: QtestLink, memory: GuestMemory, levels: 3 | 4) {
    this.#link = link;
    this.#memory = memory;
    this.levels = levels;
    this.#rootTable = memory.reservePages(1);
    this.#iotlb = new HardwareIotlb((domain, start, length) => this.#noteInvalidation(domain, start, length));
  }

  /** Finds the unit, gives it an empty root table and turns translation on: every function is blocked. */
  static async bringUp(link: QtestLink, memory: GuestMemory, levels: 3 | 4): Promise<VtdUnit> {
    const unit = new VtdUnit(link, memory, levels);
    await unit.#bringUp();
    return unit;
  }

  async #bringUp(): Promise<void> {
    const link = this.#link;
    const [capability, extended] = await Promise.all([
      link.read64(at(VTD.CAPABILITY)),
      link.read64(at(VTD.EXTENDED_CAPABILITY)),
    ]);
    if (!supportsLevels(capability.low, this.levels)) {
      throw new QemuError({
        code: 'QEMU_SELF_TEST',
        path: 'intel-iommu',
        message: `its capability ${hex(capability.low)} offers no tables of ${this.levels} levels`,
        hint: 'use another number of levels, or a QEMU that was tested',
      });
    }
    this.#faultRecord = at(faultRecordOffset(capability.low) + (capability.high & 3) * 0x1000);
    this.#iotlbAddress = at(iotlbOffset(extended.low));
    await this.#memory.write(this.#rootTable, new Uint8Array(PAGE));
    await link.write64(at(VTD.ROOT_TABLE), { high: 0, low: this.#rootTable });
    await this.#command(SET_ROOT_TABLE);
    this.#invalidateAll = true;
    this.#contextsChanged = true;
    this.sync();
    await this.#command(TRANSLATION_ENABLE);
  }

  /** Sets a bit of the command register, beside those that are on, and waits for its echo. */
  async #command(bit: number): Promise<void> {
    const link = this.#link;
    const isOn = (await link.read(at(VTD.GLOBAL_STATUS), 4)) & TRANSLATION_ENABLE;
    await link.write(at(VTD.GLOBAL_COMMAND), 4, (isOn | bit) >>> 0);
    for (let poll = 0; poll < POLLS; poll++) {
      if (((await link.read(at(VTD.GLOBAL_STATUS), 4)) & bit) !== 0) return;
    }
    throw new QemuError({
      code: 'QEMU_SELF_TEST',
      path: 'intel-iommu',
      message: `command ${hex(bit >>> 0)} is not confirmed in its status`,
      hint: 'use a QEMU that was tested',
    });
  }

  /** Says how the DMA of a function is treated from now on. A domain has at most the unit's levels. */
  attach(fn: Bdf, context: QemuIommuContext): void {
    if (typeof context === 'object' && !this.#domains.has(context)) {
      assert(context.levels <= this.levels, `a domain of at most ${this.levels} levels is attached`);
      this.#domains.set(context, { id: this.#domains.size + 1, tables: new TableCopy(context, this.#memory) });
      context.attach(this.#iotlb);
    }
    this.#contexts.set(requesterId(fn), context);
    this.#contextsChanged = true;
    // What the old context let into the IOTLB goes with it.
    this.#invalidateAll = true;
  }

  /**
   * Writes tables that changed and pending invalidations; everything is on its way, in order, when this returns. Cheap where
   * nothing changed. A failed process is noticed by the call that follows.
   */
  sync(): void {
    for (const { tables } of this.#domains.values()) tables.update(this.#putPage);
    if (this.#contextsChanged) this.#writeContexts();
    if (this.#invalidateAll || this.#ranges.length > 0) this.#invalidate();
  }

  #writeContexts(): void {
    this.#contextsChanged = false;
    for (const [requester, context] of this.#contexts) {
      const bus = requester >> 8;
      let table = this.#contextTables.get(bus);
      if (table === undefined) {
        table = this.#memory.reservePages(1);
        this.#contextTables.set(bus, table);
        this.#put(table, new Uint8Array(ENTRIES_PER_TABLE * ENTRY_BYTES));
        this.#put(addBytes(this.#rootTable, bus * ENTRY_BYTES), entryBytes(table + 1, 0));
      }
      const entry = addBytes(table, (requester & 0xff) * ENTRY_BYTES);
      this.#put(entry, this.#contextEntry(context));
    }
    this.#send(this.#link.write64(at(VTD.CONTEXT_COMMAND), { high: CONTEXT_INVALIDATE_ALL, low: 0 }));
  }

  #contextEntry(context: QemuIommuContext): Uint8Array {
    if (context === 'blocked') return entryBytes(0, 0);
    // Domain 0 is nobody's: pass-through needs an identifier of its own, too.
    if (context === 'passthrough') {
      return entryBytes(CONTEXT_PASS_THROUGH + CONTEXT_PRESENT, addressWidth(this.levels) + PASS_THROUGH_DOMAIN * 256);
    }
    const { id, tables } = this.#domains.get(context) as AttachedDomain;
    return entryBytes(tables.rootTable + CONTEXT_TRANSLATE + CONTEXT_PRESENT, addressWidth(context.levels) + id * 256);
  }

  #noteInvalidation(domain: IommuDomain, start: number, length: number): void {
    const attached = this.#domains.get(domain);
    if (attached === undefined) return;
    if (length === Number.POSITIVE_INFINITY || this.#ranges.length >= RANGES_MAX) this.#invalidateAll = true;
    else this.#ranges.push({ domain: attached.id, start, length });
  }

  #invalidate(): void {
    const command = addBytes(this.#iotlbAddress, 8);
    if (this.#invalidateAll) {
      this.#send(this.#link.write64(command, { high: IOTLB_INVALIDATE + IOTLB_GLOBAL, low: 0 }));
    } else {
      for (const { domain, start, length } of this.#ranges) {
        for (const { address, order } of aligned(start, length)) {
          const value = { high: Math.floor(address / 2 ** 32), low: ((address >>> 0) | order) >>> 0 };
          this.#send(this.#link.write64(this.#iotlbAddress, value));
          this.#send(this.#link.write64(command, { high: IOTLB_INVALIDATE + IOTLB_PAGES + domain, low: 0 }));
        }
      }
    }
    this.#invalidateAll = false;
    this.#ranges = [];
  }

  readonly #putPage = (address: PhysAddr, page: Uint8Array): void => this.#put(address, page);

  #put(address: PhysAddr, bytes: Uint8Array): void {
    const answer = this.#memory.write(address, bytes);
    if (answer instanceof Promise) this.#send(answer);
  }

  #send(answer: Promise<unknown>): void {
    answer.catch(() => undefined);
  }

  /** Reads and clears the fault record, for `takeFaults`. Hardware has one, and drops more from the same function. */
  async harvest(): Promise<void> {
    const link = this.#link;
    for (;;) {
      const status = await link.read(at(VTD.FAULT_STATUS), 4);
      if ((status & (FAULT_PENDING | FAULT_OVERFLOW)) === 0) return;
      const [address, record] = await Promise.all([
        link.read64(this.#faultRecord),
        link.read64(addBytes(this.#faultRecord, 8)),
      ]);
      const fault = decodeFault(record.high, record.low);
      if (fault !== null) {
        const page = addressFromWords(address.high, (address.low & ~0xfff) >>> 0);
        assert(page !== null, 'a faulting address has at most 48 bits');
        this.#note(this.#describe(fault.requester, iova(page), fault.isRead, fault.code));
        // The upper half of the record has F in its last bit.
        await link.write(addBytes(this.#faultRecord, 12), 4, 0x80000000);
      }
      await link.write(at(VTD.FAULT_STATUS), 4, FAULT_OVERFLOW);
      if (fault === null) return;
    }
  }

  /**
   * Keeps a fault once. Every access of a transfer into a page faults; how many of them find the record free is a matter of when
   * somebody reads it.
   */
  #note(fault: EngineFault): void {
    const isKnown = this.#faults.some(
      ({ requester, address, access, code }) =>
        requesterId(requester) === requesterId(fault.requester) &&
        address === fault.address &&
        access === fault.access &&
        code === fault.code,
    );
    if (!isKnown) this.#faults.push(fault);
  }

  /** Faults harvested since the last call, oldest first, each once. */
  takeFaults(): EngineFault[] {
    return this.#faults.splice(0);
  }

  /** VT-d says that an access was not allowed, not whether anything is mapped there: the tables tell. */
  #describe(requester: number, address: Iova, isRead: boolean, code: number): EngineFault {
    const context = this.#contexts.get(requester);
    const rights = typeof context === 'object' ? context.rightsAt(address) : null;
    let reason: EngineFault['reason'] = 'other';
    if (code === 1 || code === 2) reason = 'noContext';
    else if (code === 5 || code === 6) {
      const isMapped = rights !== null && (rights.read || rights.write);
      reason = !isMapped ? 'notMapped' : isRead ? 'readNotAllowed' : 'writeNotAllowed';
    }
    return {
      requester: bdfFromRoutingId(0, requester),
      address,
      access: isRead ? 'read' : 'write',
      reason,
      code,
    };
  }
}

function at(offset: number): PhysAddr {
  return physAddr(VTD_BASE + offset);
}

/** A 16-byte entry of two 64-bit halves. */
function entryBytes(low: number, high: number): Uint8Array {
  const bytes = new Uint8Array(ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, low >>> 0, true);
  view.setUint32(4, Math.floor(low / 2 ** 32), true);
  view.setUint32(8, high >>> 0, true);
  return bytes;
}

/** The range in naturally aligned powers of two pages, as page-selective invalidation takes them. */
function aligned(start: number, length: number): { address: number; order: number }[] {
  const blocks: { address: number; order: number }[] = [];
  const end = start + length;
  for (let address = start; address < end; ) {
    let order = 0;
    // MAMV of QEMU is 18, which no table of ours reaches.
    while (order < 18 && address % (PAGE * 2 ** (order + 1)) === 0 && address + PAGE * 2 ** (order + 1) <= end) order++;
    blocks.push({ address, order });
    address += PAGE * 2 ** order;
  }
  return blocks;
}
