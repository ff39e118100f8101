/**
 * The kernel's command line: /proc/cmdline, and what boot loaders are told to make of it. A boot loader's file says what is wanted, not
 * what runs.
 *
 *   BOOT_IMAGE=/boot/vmlinuz-6.8.0-52-generic root=UUID=... ro quiet iommu=pt
 *   GRUB_CMDLINE_LINUX_DEFAULT="quiet splash amd_iommu=on"
 */

import type { CleanLine } from '../clean/clean-line.ts';
import { commandOf, promptedCommand } from '../prompt.ts';
import { type ItemPlace, type Recogniser, tableOf } from '../recogniser.ts';

export interface CommandLineItem extends ItemPlace {
  readonly kind: 'kernel-cmdline';
  readonly text: string;
  /** `running`: of the kernel that ran; `loader`: what a boot loader's file says. */
  readonly of: 'running' | 'loader';
  /** `GRUB_CMDLINE_LINUX`, where a loader's variable holds it. */
  readonly variable: string | null;
}

const IMAGE = /^\s*(?:\d{1,3}:\s?)?(BOOT_IMAGE=\S.*)$/;
const GRUB = /^\s*(?:export )?(GRUB_CMDLINE_\w{1,40})\s?=\s?(["']?)(.*?)\2\s*$/;
const ENTRY = /^\s*(?:linux|linuxefi|linux16|kernel|options|append)\s+(?=\S*\/\S*(?:vmlinu|bzImage)|root=)(.*)$/i;
const GRUB_FILE = /^\s*(?:#|GRUB_\w{1,40}=|export |$)/;
/** A file of the kernel that holds nothing else, named by a command or a heading. */
const NAMED = /\/proc\/cmdline\b/;
/** A word of a command line: a parameter with a value, or one of the few that have none. */
const WORD =
  /^(?:[\w.-]{1,80}=\S*|ro|rw|quiet|splash|nomodeset|debug|noapic|nosmt|nokaslr|single|--|[\w]{1,40}\.[\w-]{1,40})$/;

/** Recognises command lines. */
export const kernelCmdline: Recogniser<CommandLineItem> = tableOf<CommandLineItem>({
  kind: 'kernel-cmdline',
  words: ['BOOT_IMAGE=', 'GRUB_CMDLINE_', '/proc/cmdline', 'root=', 'vmlinuz'],
  begins: (line) => isNamed(line) || ownText(line) !== null,
  continues: (line, lines) => {
    const { text, isBlank } = line;
    if (lines.length === 1 && isNamed(lines[0] as CleanLine)) {
      if (isBlank) return 'passed';
      return ownText(line) !== null || isWords(text, 1) ? 'taken' : 'ended';
    }
    if (GRUB.test(text)) return 'taken';
    if (lines.every((above) => GRUB_FILE.test(above.text))) return GRUB_FILE.test(text) ? 'taken' : 'ended';
    if (isBlank) return 'ended';
    return isWrapped(lines.at(-1) as CleanLine) && isWords(text, 1) ? 'taken' : 'ended';
  },
  read: (lines, { file }) => {
    const items = itemsOf(lines, file);
    const only = items.length === 1 ? items[0] : undefined;
    return items.length === 0 ? null : { items, subject: only?.of === 'running' ? 'running' : null };
  },
});

/** A line that only names the file whose text follows. */
const isNamed = (line: CleanLine): boolean =>
  NAMED.test(line.text) &&
  (promptedCommand(line.text) !== null || commandOf(line.text) !== null || line.text.endsWith(':'));

interface OwnText {
  readonly text: string;
  readonly of: CommandLineItem['of'];
  readonly variable: string | null;
}

/** The command line that a line holds, whatever stands above it. */
function ownText({ text }: CleanLine): OwnText | null {
  const image = IMAGE.exec(text)?.[1];
  if (image !== undefined) return { text: image, of: 'running', variable: null };
  const grub = GRUB.exec(text);
  if (grub !== null) return { text: grub[3] as string, of: 'loader', variable: grub[1] as string };
  const entry = ENTRY.exec(text)?.[1];
  if (entry !== undefined) return { text: entry, of: 'loader', variable: null };
  return /(?:^|\s)root=\S/.test(text) && isWords(text, 3) ? { text: text.trim(), of: 'running', variable: null } : null;
}

/** Whether a line is made of parameters, `least` of them at least. */
function isWords(text: string, least: number): boolean {
  const words = text.trim().split(/\s+/);
  const known = words.filter((word) => WORD.test(word)).length;
  return known >= least && known * 4 >= words.length * 3;
}

/** A mail breaks lines at 72 columns or so; a shorter line was not broken. */
const isWrapped = ({ text }: CleanLine): boolean => text.length >= 56 && text.length <= 100;

function itemsOf(lines: readonly CleanLine[], file: string): CommandLineItem[] {
  const items: CommandLineItem[] = [];
  for (const [index, line] of lines.entries()) {
    const own = ownText(line);
    const place = { kind: 'kernel-cmdline', file, line: line.number } as const;
    if (own !== null) items.push({ ...place, ...own });
    else if (index > 0 && !GRUB_FILE.test(line.text)) {
      const last = items.pop();
      const text = last === undefined ? line.text.trim() : `${last.text} ${line.text.trim()}`;
      items.push(last === undefined ? { ...place, text, of: 'running', variable: null } : { ...last, text });
    }
  }
  return items;
}
