import { expect, test } from 'vitest';
import { type AddressType, acsCompletionDecision, acsRequestDecision, type Egress } from './acs-decision.ts';

const ADDRESS_TYPES: readonly AddressType[] = ['untranslated', 'translationRequest', 'translated'];
const EGRESSES: readonly Egress[] = ['upstream', 'samePort', 'peer'];
const SV = 1;
const TB = 2;
const RR = 4;
const CR = 8;
const UF = 16;
const EC = 32;
const DT = 64;

/** The interaction of redirect, egress control and the vector's bit, row by row: RR, EC, bit -> result. */
const PEER_TABLE: readonly (readonly [boolean, boolean, boolean | null, string])[] = [
  [false, false, null, 'direct'],
  [true, false, null, 'redirect'],
  [false, true, false, 'direct'],
  [false, true, true, 'egressControl'],
  [true, true, false, 'direct'],
  [true, true, true, 'redirect'],
];

test('E62: requests follow the table for every combination of seven bits, address type, source, egress and vector bit', () => {
  let cases = 0;
  for (let control = 0; control < 128; control++) {
    for (const addressType of ADDRESS_TYPES) {
      for (const egress of EGRESSES) {
        for (const sourceIsBelow of [false, true]) {
          for (const bit of [false, true]) {
            cases++;
            const decision = acsRequestDecision(control, sourceIsBelow, addressType, egress, bit);
            expect(decision).toBe(expected(control, sourceIsBelow, addressType, egress, bit));
          }
        }
      }
    }
  }
  expect(cases).toBe(128 * 3 * 3 * 2 * 2);
});

function expected(control: number, sourceIsBelow: boolean, type: AddressType, egress: Egress, bit: boolean): string {
  if (control & SV && !sourceIsBelow) return 'sourceValidation';
  if (control & TB && type !== 'untranslated') return 'translationBlocking';
  if (egress === 'upstream') return 'upstream';
  if (egress === 'samePort') return control & UF ? 'redirect' : 'undefined';
  if (type === 'translated' && control & DT) return 'direct';
  const row = PEER_TABLE.find(
    ([rr, ec, vector]) =>
      rr === ((control & RR) !== 0) && ec === ((control & EC) !== 0) && (vector === null || vector === bit),
  );
  return row?.[3] ?? 'no row';
}

test('completions ask only Completion Redirect and Upstream Forwarding, whatever else is set', () => {
  for (let control = 0; control < 128; control++) {
    for (const relaxed of [false, true]) {
      expect(acsCompletionDecision(control, 'upstream', relaxed)).toBe('upstream');
      expect(acsCompletionDecision(control, 'samePort', relaxed)).toBe(control & UF ? 'redirect' : 'undefined');
      expect(acsCompletionDecision(control, 'peer', relaxed)).toBe(control & CR && !relaxed ? 'redirect' : 'direct');
    }
  }
});
