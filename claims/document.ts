/** docs/THE-MAIL.md, read: what it says of each claim. */

/** One claim's section. A field is undefined where the section lacks it. */
export interface Section {
  readonly name: string;
  readonly who: string | undefined;
  readonly claim: string | undefined;
  readonly verdict: string | undefined;
  /** `fabric`, `fabric and QEMU`. */
  readonly engines: string | undefined;
  /** What the demonstration sees: `name: value; name: value`. */
  readonly seen: string | undefined;
  /** The claim that the command names. */
  readonly command: string | undefined;
}

/** The sections of the claims, in order. */
export function readSections(document: string): Section[] {
  return document
    .split(/^### /m)
    .slice(1)
    .map((text): Section => {
      const who = /^\*\*(.+?):\*\* (.+)$/m.exec(text);
      const seen = /^Seen on (.*?): (.+)\.$/m.exec(text);
      return {
        name: text.slice(0, text.indexOf('\n')),
        who: who?.[1],
        claim: who?.[2],
        verdict: /^\*\*Verdict: (.+?)\.\*\*/m.exec(text)?.[1],
        engines: seen?.[1],
        seen: seen?.[2],
        command: /^ {4}npm run claims -- (\S+)$/m.exec(text)?.[1],
      };
    });
}

/** What was seen, in the words of the document. */
export function seenText(saw: Readonly<Record<string, string | number>>): string {
  return Object.entries(saw)
    .map(([key, value]) => `${key}: ${value}`)
    .join('; ');
}
