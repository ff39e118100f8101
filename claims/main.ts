/**
 * `npm run claims [-- NAME...]`: runs the demonstrations behind docs/THE-MAIL.md. Ends with exit 0 only if each still shows what
 * the document says. `--no-qemu` leaves QEMU out.
 */

import { readFileSync } from 'node:fs';
import { CLAIMS } from './registry.ts';
import { runClaims } from './run-claims.ts';

const words = process.argv.slice(2);
const OPTIONS = ['--no-qemu'];
const stray = words.find((word) => word.startsWith('-') && !OPTIONS.includes(word));
if (stray !== undefined) {
  console.error(`no option is called ${stray}\nhint: --no-qemu, or the names of claims`);
  process.exit(2);
}
process.exitCode = await runClaims(CLAIMS, {
  names: words.filter((word) => !word.startsWith('-')),
  useQemu: !words.includes('--no-qemu'),
  document: readFileSync(new URL('../../../docs/THE-MAIL.md', import.meta.url), 'utf8'),
  print: (line) => console.log(line),
});
