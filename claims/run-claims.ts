/** Runs demonstrations and compares what they show with what the document says. */

import { QemuError } from '../src/engine/qemu/index.ts';
import type { Claim, Saw, Verdict } from './claim.ts';
import { readSections, type Section, seenText } from './document.ts';

export interface ClaimOptions {
  /** Only these; none: all. */
  readonly names: readonly string[];
  readonly useQemu: boolean;
  /** The text of docs/THE-MAIL.md. */
  readonly document: string;
  readonly print: (line: string) => void;
}

/** The exit code: 0 if each demonstration shows what the document says, 1 if one does not, 2 for a name that is no claim. */
export async function runClaims(claims: readonly Claim[], options: ClaimOptions): Promise<0 | 1 | 2> {
  const { names, print } = options;
  const unknown = names.filter((name) => !claims.some((claim) => claim.name === name));
  if (unknown.length > 0) {
    print(`no claim is called ${unknown.join(', ')}`);
    print(`hint: ${claims.map(({ name }) => name).join(', ')}`);
    return 2;
  }
  const chosen = names.length === 0 ? claims : claims.filter(({ name }) => names.includes(name));
  const sections = readSections(options.document);
  const showing = new Showing(print, options.useQemu ? null : 'left out by --no-qemu');
  const failed: string[] = [];
  for (const claim of chosen) {
    const section = sections.find(({ name }) => name === claim.name);
    if (!(await showing.show(claim, section))) failed.push(claim.name);
  }
  print('');
  if (failed.length > 0) print(`what docs/THE-MAIL.md says is no longer shown: ${failed.join(', ')}`);
  const count = (verdict: Verdict): number => chosen.filter((claim) => claim.verdict === verdict).length;
  print(
    `${chosen.length} claims: ${count('holds')} hold, ${count('holds on a condition')} hold on a condition, ${count('refuted')} refuted`,
  );
  return failed.length === 0 ? 0 : 1;
}

class Showing {
  readonly #print: (line: string) => void;
  /** Why nothing is shown on QEMU, once that is known. */
  #qemuGone: string | null;

  constructor(print: (line: string) => void, qemuGone: string | null) {
    this.#print = print;
    this.#qemuGone = qemuGone;
  }

  /** Whether the claim is shown as the document has it, on each engine that is there. */
  async show(claim: Claim, section: Section | undefined): Promise<boolean> {
    this.#print(`\n${claim.name}: ${claim.verdict}\n  ${claim.who}: ${claim.claim}`);
    const isDocumented = section?.verdict === claim.verdict;
    if (!isDocumented) this.#print(`  DIFFERS: the document says ${section?.verdict ?? 'nothing of it'}`);
    const onFabric = await this.#demonstrate('fabric', section, claim.run);
    const { onQemu } = claim;
    if (onQemu === undefined) return isDocumented && onFabric;
    if (this.#qemuGone !== null) {
      this.#print(`  qemu: not shown: ${this.#qemuGone}`);
      return isDocumented && onFabric;
    }
    const isOnQemu = await this.#demonstrate('qemu', section, onQemu);
    return isDocumented && onFabric && isOnQemu;
  }

  async #demonstrate(engine: string, section: Section | undefined, run: Claim['run']): Promise<boolean> {
    let saw: Saw;
    try {
      saw = await run();
    } catch (error) {
      if (error instanceof QemuError && error.code === 'QEMU_NOT_FOUND') {
        this.#qemuGone = `${error.path} ${error.message}: ${error.hint}`;
        this.#print(`  ${engine}: not shown: ${this.#qemuGone}`);
        return true;
      }
      this.#print(`  ${engine}: FAILED: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
    const text = seenText(saw);
    this.#print(`  ${engine}: ${text}`);
    if (text === section?.seen) return true;
    this.#print(`  ${engine}: DIFFERS: the document says ${section?.seen ?? 'nothing of it'}`);
    return false;
  }
}
