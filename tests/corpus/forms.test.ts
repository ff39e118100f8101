/** Real listings as mail and web forms would have left them tell the same machine as they do in their own form. */

import { expect, test } from 'vitest';
import { bytesOf, latin1 } from '../../src/core/text.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import type { PciFunction } from '../../src/pcie/pci-function.ts';
import { quoted, wrapped } from '../readers/sample-dumps.ts';
import { bytesOfDump, CORPUS, dumpNames, SKIPPED } from './corpus.ts';

const FORMS: Record<string, (text: string) => string> = {
  CRLF: (text) => text.replaceAll('\r', '').replaceAll('\n', '\r\n'),
  'wrapped at 72 columns': (text) => wrapped(text),
  'wrapped at 78 columns': (text) => wrapped(text, 78),
  quoted: (text) => quoted(text),
  'wrapped, then quoted': (text) => quoted(wrapped(text)),
  'tabs as four blanks': (text) => text.replaceAll('\t', '    '),
  'tabs as four blanks, wrapped': (text) => wrapped(text.replaceAll('\t', '    ')),
  'without indentation': (text) => text.replace(/^[\t ]+/gm, ''),
  'double spaced': (text) => text.replaceAll('\n', '\n\n'),
  'indented as a block of code': (text) => text.replace(/^(?=.)/gm, '    '),
  'entities of HTML': (text) => text.replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
  'hard blanks for tabs': (text) => text.replaceAll('\t', '\u00c2\u00a0\u00c2\u00a0'),
  'quoted three times': (text) => quoted(quoted(quoted(text))),
  twice: (text) => `${text}\n${text}`,
  'with a byte order mark': (text) => `\u00ef\u00bb\u00bf${text}`,
};

function facts(machine: Machine): Map<string, unknown> {
  const { functions, parent } = machine.hierarchy;
  return new Map(
    functions.map((fn, index) => [
      fn.name,
      {
        above: functions[parent[index] as number]?.name ?? null,
        portType: fn.portType,
        acs: fn.acs,
        buses: fn.busNumbers,
        windows: [fn.ioWindow, fn.memoryWindow, fn.prefetchableWindow],
        link: fn.link,
        bars: fn.bars,
        // Ids that are looked up by the name go where wrapping takes a part of the name away.
        ids: [...(isNumbered(fn) ? [fn.vendorId, fn.deviceId] : []), fn.classCode, fn.headerType],
        kernel: [fn.numaNode, fn.iommuGroup, fn.driver],
        sriov: fn.sriov,
      },
    ]),
  );
}

/** Whether the dump gives the ids as numbers. */
function isNumbered({ facts, config }: PciFunction): boolean {
  return config.length > 0 || facts.sysfs !== null || facts.text?.deviceId !== undefined;
}

for (const [form, change] of Object.entries(FORMS)) {
  test.skipIf(CORPUS === null)(`corpus, form: ${form}${SKIPPED}`, async () => {
    let functions = 0;
    for (const name of dumpNames().filter((file) => file.endsWith('.txt'))) {
      const bytes = bytesOfDump(name);
      const wanted = facts(await readMachine(bytes, name));
      const found = facts(await readMachine(bytesOf(change(latin1(bytes))), name));
      expect([...found.keys()], name).toEqual([...wanted.keys()]);
      for (const [fn, told] of wanted) expect(found.get(fn), `${name}: ${fn}`).toEqual(told);
      functions += wanted.size;
    }
    console.log(`${form}: ${functions} functions`);
    expect(functions).toBeGreaterThan(0);
  });
}
