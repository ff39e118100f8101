/**
 * /etc/cufile.json of GPUDirect Storage: JSON with comments, of which only properties that are on or off count. NVIDIA, "cuFile API
 * Reference Guide", configuration file.
 */

import { CUFILE_PROPERTIES } from './host-evidence.ts';

/** A property that is on or off. */
export interface CufileProperty {
  readonly name: string;
  readonly value: string;
  /** 1-based. */
  readonly line: number;
}

/** `// ...`; inside of a text, as in `"http://x"`, no blank or bracket stands before it. */
const COMMENT = /(?:^|[\s,{}])\/\/.*$/;
const PROPERTY = /"(\w+)"\s*:\s*(true|false)\b/g;

/** The properties that a diagnosis reads, in order, however the file is laid out; of what is no such file, none. */
export function cufileProperties(text: string): CufileProperty[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      [...line.replace(COMMENT, '').matchAll(PROPERTY)].flatMap(([, name = '', value = '']) =>
        CUFILE_PROPERTIES.includes(name) ? [{ name, value, line: index + 1 }] : [],
      ),
    );
}
