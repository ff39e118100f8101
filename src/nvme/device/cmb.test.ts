import { expect, test } from 'vitest';
import { DATA, IO_SQ, LISTS, move, pattern, RawHost, withPrp, withSgl } from '../../../tests/nvme/raw-host.ts';
import { busAddr } from '../../core/address.ts';
import { putU64 } from '../spec/bytes.ts';
import { NVM } from '../spec/command.ts';
import { getField } from '../spec/field.ts';
import { CAP, CMB_LARGEST_UNIT, CMBLOC, CMBSZ, cmbUnitBytes, REGISTERS } from '../spec/registers.ts';
import { putSgl, SGL_BYTES } from '../spec/sgl.ts';
import { STATUS } from '../spec/status.ts';
import { NvmeDeviceError } from './errors.ts';
import type { CmbOptions, NvmeControllerOptions } from './options.ts';

const PAGE = 4096;
const CMB_BYTES = 64 * 1024;
/** Above all RAM, so that what is not recognised goes up the link and is seen there. */
const CBA = 2 ** 36;
const RELATIVE = 0x01;
const LAST = 0x30;

/** A host whose controller has a CMB at CBA, with I/O queues. */
function host(cmb: Partial<CmbOptions> = {}, more: Partial<NvmeControllerOptions> = {}): RawHost {
  const made = new RawHost({ cmb: { sizeBytes: CMB_BYTES, ...cmb }, ...more });
  made.writeLong(REGISTERS.CMBMSC.offset, CBA + 3);
  made.ready();
  made.store.write(0, pattern(CMB_BYTES, 5));
  return made;
}

const readTo = (address: number, blocks = 8): Uint8Array => withPrp(move(NVM.READ, 0, blocks), address);
const writeFrom = (address: number, blocks = 8): Uint8Array => withPrp(move(NVM.WRITE, 64, blocks), address);

/** Requests that went up the link for data: everything outside queues and lists. */
function onTheLink(made: RawHost): number {
  return made.accesses.filter(({ address }) => address >= DATA).length;
}

test('case (c) that looks like (b2): CBA + offset moves bytes between namespace and own buffer, with nothing on the link', () => {
  const made = host();
  expect(made.statusOf(readTo(CBA + 2 * PAGE))).toBe(STATUS.SUCCESS);
  expect(made.bar(2, 2 * PAGE, PAGE)).toEqual(pattern(CMB_BYTES, 5).subarray(0, PAGE));
  made.controller.writeBar(2, 0, pattern(PAGE, 6));
  expect(made.statusOf(writeFrom(CBA))).toBe(STATUS.SUCCESS);
  const stored = new Uint8Array(PAGE);
  made.store.read(64 * 512, stored);
  expect(stored).toEqual(pattern(PAGE, 6));
  expect(onTheLink(made)).toBe(0);
});

test('E52: with CMSE off, CRE off or another CBA the address is not recognised and goes up the link', () => {
  for (const control of [CBA + 1, CBA + 2, CBA, CBA + 16 * CMB_BYTES + 3]) {
    const made = host();
    made.writeLong(REGISTERS.CMBMSC.offset, control);
    expect(made.statusOf(writeFrom(CBA))).toBe(STATUS.DATA_TRANSFER_ERROR);
    expect(onTheLink(made)).toBe(1);
  }
});

test('E52: CBA + size beyond 2^64 sets CBAI and recognises nothing; the last place that fits does not', () => {
  const made = host();
  const control = (high: number, low: number): number => {
    made.controller.writeRegister(REGISTERS.CMBMSC.offset + 4, high);
    made.controller.writeRegister(REGISTERS.CMBMSC.offset, low);
    return made.controller.readRegister(REGISTERS.CMBSTS.offset);
  };
  const top = 2 ** 32 - CMB_BYTES;
  expect(control(0xffffffff, top + 3)).toBe(0);
  expect(control(0xffffffff, top + PAGE + 3)).toBe(1);
  expect(control(0xffffffff, top + PAGE + 1)).toBe(0);
  expect(control(CBA / 2 ** 32, 3)).toBe(0);
});

test('E52: a CBA that overlaps RAM makes the controller swallow RAM traffic with status 0', () => {
  const made = host();
  made.writeLong(REGISTERS.CMBMSC.offset, DATA + 3);
  made.ram.fill(0xee, DATA, DATA + PAGE);
  expect(made.statusOf(readTo(DATA))).toBe(STATUS.SUCCESS);
  expect(made.ram.subarray(DATA, DATA + PAGE).every((byte) => byte === 0xee)).toBe(true);
  expect(made.bar(2, 0, PAGE)).toEqual(pattern(CMB_BYTES, 5).subarray(0, PAGE));
});

test('E52: a range that begins inside and ends one byte outside is Data Transfer Error; one that ends inside is host memory', () => {
  const made = host();
  const end = CBA + CMB_BYTES;
  expect(made.statusOf(withSgl(move(NVM.WRITE, 0, 8), 0, end - PAGE, PAGE))).toBe(STATUS.SUCCESS);
  expect(made.statusOf(withSgl(move(NVM.WRITE, 0, 8), 0, end - PAGE + 1, PAGE))).toBe(STATUS.DATA_TRANSFER_ERROR);
  expect(onTheLink(made)).toBe(0);
  expect(made.statusOf(withSgl(move(NVM.WRITE, 0, 8), 0, CBA - 1, PAGE))).toBe(STATUS.DATA_TRANSFER_ERROR);
  expect(onTheLink(made)).toBe(1);
});

test('E53: without RDS a read into the buffer, without WDS a write from it, is Invalid Use of CMB, by address and by offset', () => {
  const sgl = { relative: true };
  for (const [cmb, read, write] of [
    [{}, STATUS.SUCCESS, STATUS.SUCCESS],
    [{ rds: false }, STATUS.INVALID_USE_OF_CMB, STATUS.SUCCESS],
    [{ wds: false }, STATUS.SUCCESS, STATUS.INVALID_USE_OF_CMB],
  ] as const) {
    const made = host(cmb, { sgl });
    expect(made.statusOf(readTo(CBA))).toBe(read);
    expect(made.statusOf(writeFrom(CBA))).toBe(write);
    expect(made.statusOf(withSgl(move(NVM.READ, 0, 8), RELATIVE, 0, PAGE))).toBe(read);
    expect(made.statusOf(withSgl(move(NVM.WRITE, 0, 8), RELATIVE, 0, PAGE))).toBe(write);
  }
});

test('E54: buffer and host memory in one command are Invalid Use of CMB with CDPMLS 0, in either order, and work with 1', () => {
  for (const [mixing, expected] of [
    [{ cdpmls: false }, STATUS.INVALID_USE_OF_CMB],
    // CDPMLS alone speaks of lists: data needs CDMMMS beside it. The combination that QEMU shows, with QEMU's answer.
    [{ cdpmls: true, cdmmms: false }, STATUS.INVALID_USE_OF_CMB],
    [{ cdpmls: true }, STATUS.SUCCESS],
  ] as const) {
    for (const [first, second] of [
      [CBA, DATA],
      [DATA, CBA],
    ] as const) {
      const made = host(mixing);
      made.ram.fill(0xee, DATA, DATA + PAGE);
      expect(made.statusOf(withPrp(move(NVM.READ, 0, 16), first, second))).toBe(expected);
      const inRam = made.ram.slice(DATA, DATA + PAGE);
      const source = pattern(CMB_BYTES, 5);
      const half = first === DATA ? 0 : PAGE;
      if (expected === STATUS.SUCCESS) {
        expect(inRam).toEqual(source.subarray(half, half + PAGE));
        expect(made.bar(2, 0, PAGE)).toEqual(source.subarray(PAGE - half, 2 * PAGE - half));
      } else {
        expect(inRam.every((byte) => byte === 0xee)).toBe(true);
      }
      putSgl(made.ram, LISTS, 0, 0, first, 100);
      putSgl(made.ram, LISTS + SGL_BYTES, 0, 0, second, 412);
      expect(made.statusOf(withSgl(move(NVM.READ, 0, 1), LAST, LISTS, 2 * SGL_BYTES))).toBe(expected);
    }
  }
});

test('E55: a PRP list or an SGL segment in the buffer needs LISTS, and CDPCILS where the command is outside', () => {
  for (const [cmb, expected] of [
    [{}, STATUS.SUCCESS],
    [{ lists: false }, STATUS.INVALID_USE_OF_CMB],
    [{ cdpcils: false }, STATUS.INVALID_USE_OF_CMB],
  ] as const) {
    const made = host(cmb);
    const list = new Uint8Array(PAGE);
    for (let index = 0; index < 3; index++) putU64(list, index * 8, DATA + (index + 1) * PAGE);
    putSgl(list, 1024, 0, 0, DATA, PAGE);
    made.controller.writeBar(2, 0, list);
    expect(made.statusOf(withPrp(move(NVM.READ, 0, 32), DATA, CBA))).toBe(expected);
    expect(made.statusOf(withSgl(move(NVM.READ, 0, 8), LAST, CBA + 1024, SGL_BYTES))).toBe(expected);
    // Straddling the end of the buffer.
    const atEnd = CBA + CMB_BYTES - 8;
    expect(made.statusOf(withSgl(move(NVM.READ, 0, 8), LAST, atEnd, SGL_BYTES))).toBe(STATUS.INVALID_USE_OF_CMB);
  }
});

test('lists of one command in both places need CDPMLS', () => {
  for (const [cdpmls, expected] of [
    [false, STATUS.INVALID_USE_OF_CMB],
    [true, STATUS.SUCCESS],
  ] as const) {
    const made = host({ cdpmls });
    // The last slot of a page in RAM points to a list page in the buffer.
    const list = new Uint8Array(PAGE);
    for (let index = 0; index < 3; index++) putU64(list, index * 8, DATA + (index + 1) * PAGE);
    made.controller.writeBar(2, 0, list);
    putU64(made.ram, LISTS + PAGE - 8, CBA);
    expect(made.statusOf(withPrp(move(NVM.READ, 0, 32), DATA, LISTS + PAGE - 8))).toBe(expected);
  }
});

test('a submission queue in the buffer is fetched without the link, and its commands may have lists there', () => {
  const queueAt = 4 * PAGE;
  const made = new RawHost({ cmb: { sizeBytes: CMB_BYTES, cdpcils: false } });
  made.writeLong(REGISTERS.CMBMSC.offset, CBA + 3);
  made.ready(CBA + queueAt);
  const put = (address: number, bytes: Uint8Array): void => made.controller.writeBar(2, address - CBA, bytes);
  const list = new Uint8Array(SGL_BYTES);
  putSgl(list, 0, 0, 0, DATA, PAGE);
  put(CBA, list);
  made.submit(made.io, withSgl(move(NVM.READ, 0, 8), LAST, CBA, SGL_BYTES), put);
  expect(made.controller.work()).toBe(1);
  expect(made.take(made.io)?.status).toBe(STATUS.SUCCESS);
  expect(made.accesses.map(({ kind }) => kind)).toEqual(['write', 'write']);
});

test('queues in the buffer need SQS and CQS; the admin queues too, or the enable is fatal', () => {
  const withSqs = new RawHost({ cmb: { sizeBytes: CMB_BYTES } });
  withSqs.writeLong(REGISTERS.CMBMSC.offset, CBA + 3);
  expect(() => withSqs.ready(CBA)).not.toThrow();
  const noSqs = new RawHost({ cmb: { sizeBytes: CMB_BYTES, sqs: false } });
  noSqs.writeLong(REGISTERS.CMBMSC.offset, CBA + 3);
  expect(() => noSqs.ready(CBA)).toThrow('queues: 0, 18');
  const straddling = new RawHost({ cmb: { sizeBytes: PAGE }, maxQueueEntries: 1024 });
  straddling.writeLong(REGISTERS.CMBMSC.offset, CBA + 3);
  straddling.enable();
  const create = withPrp(move(0x05, 0, 1), CBA);
  create.set([1, 0, 0xff, 0x03, 1, 0, 0, 0], 40);
  expect(straddling.run(create).status).toBe(STATUS.INVALID_USE_OF_CMB);

  for (const [cqs, cfs] of [
    [false, 2],
    [true, 0],
  ] as const) {
    const made = new RawHost({ cmb: { sizeBytes: CMB_BYTES, cqs } });
    made.writeLong(REGISTERS.CMBMSC.offset, CBA + 3);
    made.enable(0);
    made.writeLong(REGISTERS.ACQ.offset, CBA);
    made.controller.writeRegister(REGISTERS.CC.offset, (4 << 20) | (6 << 16) | 1);
    expect(made.controller.readRegister(REGISTERS.CSTS.offset) & 2).toBe(cfs);
  }
});

test('CMBLOC and CMBSZ read 0 until CRE; without a buffer they, and CMBMSC, stay 0', () => {
  const made = new RawHost({ cmb: { sizeBytes: CMB_BYTES, offsetBytes: CMB_BYTES } });
  const { controller } = made;
  expect(getField(controller.readRegister(CAP.CMBS.offset), CAP.CMBS)).toBe(1);
  expect([controller.readRegister(0x38), controller.readRegister(0x3c)]).toEqual([0, 0]);
  controller.writeRegister(REGISTERS.CMBMSC.offset, 1);
  expect(getField(controller.readRegister(0x38), CMBLOC.OFST)).toBe(1);
  expect(getField(controller.readRegister(0x3c), CMBSZ.SZ)).toBe(1);
  expect(getField(controller.readRegister(0x3c), CMBSZ.SZU)).toBe(1);

  const none = new RawHost().controller;
  expect(getField(none.readRegister(CAP.CMBS.offset), CAP.CMBS)).toBe(0);
  none.writeRegister(REGISTERS.CMBMSC.offset, 3);
  for (const offset of [0x38, 0x3c, 0x50, 0x54, 0x58]) expect(none.readRegister(offset)).toBe(0);
});

test('size and offset are told in the largest unit that fits both, from 4 KiB to 64 GiB', () => {
  for (let szu = 0; szu <= CMB_LARGEST_UNIT; szu++) {
    const unit = cmbUnitBytes(szu);
    const made = new RawHost({ cmb: { sizeBytes: 3 * unit, offsetBytes: 2 * unit, bar: 4 } });
    made.controller.writeRegister(REGISTERS.CMBMSC.offset, 1);
    const size = made.controller.readRegister(0x3c);
    const location = made.controller.readRegister(0x38);
    expect([getField(size, CMBSZ.SZU), getField(size, CMBSZ.SZ)]).toEqual([szu, 3]);
    expect([getField(location, CMBLOC.OFST), getField(location, CMBLOC.BIR)]).toEqual([2, 4]);
    expect(made.controller.bars[1]).toMatchObject({ index: 4, sizeBytes: 8 * unit, prefetchable: true });
  }
});

test('a buffer that the registers cannot tell, or that lies over the doorbells, or a legacy one without its BAR, is refused', () => {
  const bad: CmbOptions[] = [
    { sizeBytes: 4095 },
    { sizeBytes: 0 },
    { sizeBytes: PAGE, offsetBytes: 100 },
    { sizeBytes: PAGE, offsetBytes: -PAGE },
    { sizeBytes: PAGE, bar: 1 },
    { sizeBytes: PAGE * 2 ** 20 + PAGE },
    { sizeBytes: PAGE, bar: 0, offsetBytes: PAGE },
  ];
  for (const cmb of bad) expect(() => new RawHost({ cmb }), JSON.stringify(cmb)).toThrow(NvmeDeviceError);
  expect(() => new RawHost({ cmb: { sizeBytes: PAGE, legacy: true } })).toThrow('bus address of its BAR');
});

test('a buffer behind the doorbells of BAR 0 is memory there, and the registers before it are registers', () => {
  const offsetBytes = 64 * 1024;
  const made = host({ bar: 0, offsetBytes });
  expect(made.statusOf(readTo(CBA + PAGE))).toBe(STATUS.SUCCESS);
  expect(made.bar(0, offsetBytes + PAGE, PAGE)).toEqual(pattern(CMB_BYTES, 5).subarray(0, PAGE));
  expect(made.bar(0, 8, 4)).toEqual(new Uint8Array([0, 4, 1, 0]));
  expect(made.controller.bars).toHaveLength(1);
  expect(made.controller.bars[0]?.sizeBytes).toBe(offsetBytes + CMB_BYTES);
});

test('CPU accesses that reach over an edge of the buffer take what is inside; the rest reads 0', () => {
  const made = host({ offsetBytes: CMB_BYTES, sizeBytes: CMB_BYTES });
  made.controller.writeBar(2, CMB_BYTES - 4, new Uint8Array(8).fill(7));
  expect([...made.bar(2, CMB_BYTES - 4, 8)]).toEqual([0, 0, 0, 0, 7, 7, 7, 7]);
  made.controller.writeBar(2, 2 * CMB_BYTES - 4, new Uint8Array(8).fill(9));
  expect([...made.bar(2, 2 * CMB_BYTES - 4, 8)]).toEqual([9, 9, 9, 9, 0, 0, 0, 0]);
  expect([...made.bar(2, 0, 4)]).toEqual([0, 0, 0, 0]);
});

test('a controller reset keeps CMBMSC and the bytes; a function reset forgets CMBMSC and keeps the bytes', () => {
  const made = host();
  made.controller.writeBar(2, 0, pattern(PAGE, 3));
  made.ready();
  expect(made.controller.readRegister(REGISTERS.CMBMSC.offset)).toBe(3);
  made.controller.reset();
  expect(made.controller.readRegister(REGISTERS.CMBMSC.offset)).toBe(0);
  expect(made.bar(2, 0, PAGE)).toEqual(pattern(PAGE, 3));
});

test('the buffer of the kind before 1.4 is on at reset, recognised where its BAR is now, and ignores CMBMSC', () => {
  let bar: number | null = CBA;
  const bars = { busAddress: () => (bar === null ? null : busAddr(bar)) };
  const made = new RawHost({ cmb: { sizeBytes: CMB_BYTES, offsetBytes: CMB_BYTES, legacy: true }, bars }).ready();
  const { controller } = made;
  expect(getField(controller.readRegister(CAP.CMBS.offset), CAP.CMBS)).toBe(0);
  expect(getField(controller.readRegister(0x3c), CMBSZ.SZ)).toBe(1);
  controller.writeRegister(REGISTERS.CMBMSC.offset, 3);
  expect(controller.readRegister(REGISTERS.CMBMSC.offset)).toBe(0);
  expect(made.statusOf(writeFrom(CBA + CMB_BYTES))).toBe(STATUS.SUCCESS);
  expect(made.statusOf(writeFrom(CBA))).toBe(STATUS.DATA_TRANSFER_ERROR);
  // E51: the BAR moves; the old address is nobody's, the new one is recognised at once.
  bar = 2 * CBA;
  expect(made.statusOf(writeFrom(CBA + CMB_BYTES))).toBe(STATUS.DATA_TRANSFER_ERROR);
  expect(made.statusOf(writeFrom(2 * CBA + CMB_BYTES))).toBe(STATUS.SUCCESS);
  // Memory Space off: not decoded, so not recognised.
  bar = null;
  expect(made.statusOf(writeFrom(2 * CBA + CMB_BYTES))).toBe(STATUS.DATA_TRANSFER_ERROR);
});

test('E56: the relative SGL moves the same bytes as the address form, with nothing on the link', () => {
  const byAddress = host({}, { sgl: { relative: true } });
  const byOffset = host({}, { sgl: { relative: true } });
  expect(byAddress.statusOf(readTo(CBA + PAGE))).toBe(STATUS.SUCCESS);
  expect(byOffset.statusOf(withSgl(move(NVM.READ, 0, 8), RELATIVE, PAGE, PAGE))).toBe(STATUS.SUCCESS);
  expect(byOffset.bar(2, 0, CMB_BYTES)).toEqual(byAddress.bar(2, 0, CMB_BYTES));
  expect(onTheLink(byOffset)).toBe(0);
});

test('E56: the relative SGL still works with a wrong CBA, with CMSE off, and after the BAR moved', () => {
  for (const control of [CBA * 2 + 3, 1, CBA + 1]) {
    const made = host({}, { sgl: { relative: true } });
    made.writeLong(REGISTERS.CMBMSC.offset, control);
    expect(made.statusOf(withSgl(move(NVM.READ, 0, 8), RELATIVE, 0, PAGE))).toBe(STATUS.SUCCESS);
    expect(made.bar(2, 0, PAGE)).toEqual(pattern(CMB_BYTES, 5).subarray(0, PAGE));
    expect(made.statusOf(writeFrom(CBA))).toBe(STATUS.DATA_TRANSFER_ERROR);
  }
  let bar = CBA;
  const bars = { busAddress: () => busAddr(bar) };
  const legacy = new RawHost({ cmb: { sizeBytes: CMB_BYTES, legacy: true }, bars, sgl: { relative: true } }).ready();
  bar = 2 * CBA;
  expect(legacy.statusOf(withSgl(move(NVM.WRITE, 0, 8), RELATIVE, 0, PAGE))).toBe(STATUS.SUCCESS);
});

test('E56: offset + length beyond the buffer, or no buffer, or one not enabled, is SGL Offset Invalid', () => {
  const made = host({}, { sgl: { relative: true } });
  const relative = (offset: number): number => made.statusOf(withSgl(move(NVM.READ, 0, 8), RELATIVE, offset, PAGE));
  expect(relative(CMB_BYTES - PAGE)).toBe(STATUS.SUCCESS);
  expect(relative(CMB_BYTES - PAGE + 1)).toBe(STATUS.SGL_OFFSET_INVALID);
  expect(relative(CMB_BYTES)).toBe(STATUS.SGL_OFFSET_INVALID);
  expect(relative(2 ** 53 - 1)).toBe(STATUS.SGL_OFFSET_INVALID);
  made.writeLong(REGISTERS.CMBMSC.offset, 0);
  expect(relative(0)).toBe(STATUS.SGL_OFFSET_INVALID);
  const none = new RawHost({ sgl: { relative: true } }).ready();
  expect(none.statusOf(withSgl(move(NVM.READ, 0, 8), RELATIVE, 0, PAGE))).toBe(STATUS.SGL_OFFSET_INVALID);
});

test('E56: the relative form is refused on Segment, Last Segment and Bit Bucket descriptors', () => {
  const made = host({}, { sgl: { relative: true } });
  for (const type of [0x21, 0x31, 0x11]) {
    expect(made.statusOf(withSgl(move(NVM.READ, 0, 8), type, 0, PAGE))).toBe(STATUS.SGL_TYPE_INVALID);
  }
});

test('E56: relative and host blocks in one list are a mixed command', () => {
  for (const [cdpmls, expected] of [
    [false, STATUS.INVALID_USE_OF_CMB],
    [true, STATUS.SUCCESS],
  ] as const) {
    const made = host({ cdpmls }, { sgl: { relative: true } });
    putSgl(made.ram, LISTS, 0, 1, 0, 100);
    putSgl(made.ram, LISTS + SGL_BYTES, 0, 0, DATA, 412);
    expect(made.statusOf(withSgl(move(NVM.READ, 0, 1), LAST, LISTS, 2 * SGL_BYTES))).toBe(expected);
  }
});

test('a queue that the buffer no longer holds, after CBA moved, is fetched from where its address leads now', () => {
  const made = new RawHost({ cmb: { sizeBytes: PAGE } });
  made.writeLong(REGISTERS.CMBMSC.offset, IO_SQ + 3);
  made.ready();
  made.writeLong(REGISTERS.CMBMSC.offset, CBA + 3);
  expect(made.statusOf(withPrp(move(NVM.READ, 0, 1), DATA))).toBe(STATUS.SUCCESS);
});
