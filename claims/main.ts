/**
 * `npm run claims [-- NAME...]`: runs the demonstrations behind docs/THE-MAIL.md. Ends with exit 0 only if each still shows what
 * the document says. `--no-qemu` leaves QEMU out.
 */

import { QemuError } from '../src/engine/qemu/index.ts';
import type { Claim, Saw, Verdict } from './claim.ts';
import { CLAIMS } from './registry.ts';

const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const useQemu = !process.argv.includes('--no-qemu');
const unknown = names.filter((name) => !CLAIMS.some((claim) => claim.name === name));
if (unknown.length > 0) {
  console.error(`no claim is called ${unknown.join(', ')}\nhint: ${CLAIMS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
const chosen = names.length === 0 ? CLAIMS : CLAIMS.filter(({ name }) => names.includes(name));
let qemuGone: string | null = useQemu ? null : 'left out by --no-qemu';
let failed = 0;
for (const claim of chosen) await show(claim);
const count = (verdict: Verdict): number => chosen.filter((claim) => claim.verdict === verdict).length;
console.log(
  `\n${chosen.length} claims: ${count('holds')} hold, ${count('holds on a condition')} hold on a condition, ${count('refuted')} refuted`,
);
if (failed > 0) {
  console.log(`${failed} demonstrations no longer show what docs/THE-MAIL.md says`);
  process.exitCode = 1;
}

async function show(claim: Claim): Promise<void> {
  console.log(`\n${claim.name}: ${claim.verdict}\n  ${claim.who}: ${claim.claim}`);
  await demonstrate('fabric', claim.expected, claim.run);
  const { onQemu } = claim;
  if (onQemu === undefined) return;
  if (typeof onQemu === 'string' || qemuGone !== null) {
    console.log(`  qemu: not shown: ${qemuGone ?? onQemu}`);
    return;
  }
  try {
    await demonstrate('qemu', claim.expected, onQemu);
  } catch (error) {
    if (!(error instanceof QemuError) || error.code !== 'QEMU_NOT_FOUND') throw error;
    qemuGone = error.message;
    console.log(`  qemu: not shown: ${qemuGone}`);
  }
}

async function demonstrate(engine: string, expected: Saw, run: () => Saw | Promise<Saw>): Promise<void> {
  const saw = await run();
  const differs = Object.keys({ ...expected, ...saw }).filter((key) => saw[key] !== expected[key]);
  const words = Object.entries(saw).map(([key, value]) => `${key} ${value}`);
  console.log(`  ${engine}: ${words.join('; ')}`);
  for (const key of differs) console.log(`  ${engine}: DIFFERS: ${key} was to be ${expected[key]}`);
  if (differs.length > 0) failed++;
}
