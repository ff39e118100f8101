import { expect, test } from 'vitest';
import type { RegisterField } from './field.ts';
import { fieldMax, getField, withField } from './field.ts';
import type { Register } from './registers.ts';
import {
  AQA,
  CAP,
  CC,
  CMB_LARGEST_UNIT,
  CMBLOC,
  CMBMSC,
  CMBSTS,
  CMBSZ,
  CSTS,
  cmbUnitBytes,
  completionDoorbell,
  formatVersion,
  PMRCAP,
  PMRCTL,
  PMRMSC,
  PMRSTS,
  REGISTERS,
  submissionDoorbell,
} from './registers.ts';

const TABLES: Record<string, Record<string, RegisterField>> = {
  CAP,
  CC,
  CSTS,
  AQA,
  CMBLOC,
  CMBSZ,
  CMBMSC,
  CMBSTS,
  PMRCAP,
  PMRCTL,
  PMRSTS,
  PMRMSC,
};

test('no two registers overlap, and each is aligned to its size', () => {
  const registers: Register[] = Object.values(REGISTERS);
  const sorted = registers.sort((a, b) => a.offset - b.offset);
  for (const [index, register] of sorted.entries()) {
    expect(register.offset % register.size).toBe(0);
    const next = sorted[index + 1];
    if (next) expect(register.offset + register.size).toBeLessThanOrEqual(next.offset);
  }
});

test('the fields of a register do not overlap and stay inside its dword', () => {
  for (const [name, table] of Object.entries(TABLES)) {
    const taken = new Map<number, number>();
    for (const [field, { offset, shift, width }] of Object.entries(table)) {
      expect(shift + width, `${name}.${field}`).toBeLessThanOrEqual(32);
      const bits = (fieldMax({ shift, width }) * 2 ** shift) >>> 0;
      const before = taken.get(offset) ?? 0;
      expect(before & bits, `${name}.${field}`).toBe(0);
      taken.set(offset, (before | bits) >>> 0);
    }
  }
});

test('a field written is the field read, and its neighbours keep their bits', () => {
  for (const table of Object.values(TABLES)) {
    for (const field of Object.values(table)) {
      for (const background of [0, 0xffffffff, 0xa5a5a5a5]) {
        const max = fieldMax(field);
        const set = withField(background, field, max);
        expect(getField(set, field)).toBe(max);
        const outside = ~(max << field.shift);
        expect((set & outside) >>> 0).toBe((background & outside) >>> 0);
        expect(withField(set, field, getField(background, field))).toBe(background);
      }
    }
  }
});

test('the CMBLOC and CMBSZ that QEMU 7.2 shows for a 64 MiB buffer decode as they were meant', () => {
  expect(getField(0x62, CMBLOC.BIR)).toBe(2);
  expect(getField(0x62, CMBLOC.CDPMLS)).toBe(1);
  expect(getField(0x62, CMBLOC.CDPCILS)).toBe(1);
  expect(getField(0x62, CMBLOC.CDMMMS)).toBe(0);
  expect(getField(0x62, CMBLOC.CQMMS)).toBe(0);
  expect(getField(0x4021d, CMBSZ.SZ) * cmbUnitBytes(getField(0x4021d, CMBSZ.SZU))).toBe(64 * 1024 * 1024);
  expect(getField(0x4021d, CMBSZ.SQS)).toBe(1);
  expect(getField(0x4021d, CMBSZ.CQS)).toBe(0);
  expect(getField(0x4021d, CMBSZ.LISTS)).toBe(1);
  expect(getField(0x4021d, CMBSZ.RDS)).toBe(1);
  expect(getField(0x4021d, CMBSZ.WDS)).toBe(1);
});

test('CMB units run from 4 KiB to 64 GiB in steps of 16', () => {
  const units = Array.from({ length: CMB_LARGEST_UNIT + 1 }, (_, szu) => cmbUnitBytes(szu));
  const KIB = 1024;
  const MIB = 1024 * KIB;
  const GIB = 1024 * MIB;
  expect(units).toEqual([4 * KIB, 64 * KIB, MIB, 16 * MIB, 256 * MIB, 4 * GIB, 64 * GIB]);
});

test('doorbells alternate, tail before head, in steps of the stride', () => {
  expect([submissionDoorbell(0, 0), completionDoorbell(0, 0), submissionDoorbell(1, 0)]).toEqual([
    0x1000, 0x1004, 0x1008,
  ]);
  expect([submissionDoorbell(1, 3), completionDoorbell(1, 3)]).toEqual([0x1000 + 2 * 32, 0x1000 + 3 * 32]);
});

test('VS 1.4 is printed with all three parts', () => {
  expect(formatVersion(0x00010400)).toBe('1.4.0');
});
