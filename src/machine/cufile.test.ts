import { expect, test } from 'vitest';
import { cufileProperties } from './cufile.ts';

test('properties are read in one line and in many, and not in comments', () => {
  const found = (text: string): string[] =>
    cufileProperties(text).map(({ name, value, line }) => `${line} ${name} ${value}`);
  expect(found('{"properties": {"use_pci_p2pdma": true, "allow_compat_mode":false}}')).toEqual([
    '1 use_pci_p2pdma true',
    '1 allow_compat_mode false',
  ]);
  expect(found('{\n  // "use_pci_p2pdma": true,\n  "use_pci_p2pdma" : false, // true\n}')).toEqual([
    '3 use_pci_p2pdma false',
  ]);
  expect(found('{"log": "file://x", "use_pci_p2pdma": true}')).toEqual(['1 use_pci_p2pdma true']);
  expect(found('{"use_pci_p2pdma": "true", "max_io": 1}')).toEqual([]);
});
