/** Bit fields of 32-bit words, as data. A field of a 64-bit register names the dword that holds it. */

/** Where a field lies inside its dword. */
export interface Field {
  /** Lowest bit, 0 to 31. */
  readonly shift: number;
  /** Number of bits, 1 to 32. */
  readonly width: number;
}

/** A field of a controller register. */
export interface RegisterField extends Field {
  /** Offset of the dword from the start of the registers. */
  readonly offset: number;
}

/** All ones in the width of the field, unsigned, not shifted. */
export function fieldMax(field: Field): number {
  return field.width === 32 ? 0xffffffff : (1 << field.width) - 1;
}

/** The value of a field in a dword, unsigned. */
export function getField(dword: number, field: Field): number {
  return ((dword >>> field.shift) & fieldMax(field)) >>> 0;
}

/** The dword with the field replaced by the low bits of `value`, unsigned. */
export function withField(dword: number, field: Field, value: number): number {
  const max = fieldMax(field);
  return ((dword & ~(max << field.shift)) | ((value & max) << field.shift)) >>> 0;
}
