/** `p2pdma map --nvme`: the data pointers of the commands, for people and as JSON. */

import { hex } from '../../core/hex.ts';
import type { NvmeForm, NvmePointer, NvmePointers, SglDescriptor } from '../../scenario/nvme-pointers.ts';

/** Entries of a list that are shown to people. */
const SHOWN = 8;

const TYPES: Readonly<Record<SglDescriptor['type'], string>> = {
  dataBlock: 'Data Block',
  segment: 'Segment',
  lastSegment: 'Last Segment',
};

/** Lines for people, PRPs above SGLs. */
export function nvmeText(pointers: NvmePointers): string {
  const lines = [
    'as an NVMe driver would write it: blocks of 512 bytes, own memory in commands of its own',
    ...formLines('PRP', pointers.prp),
    ...formLines('SGL', pointers.sgl),
  ];
  return `${lines.join('\n')}\n`;
}

function formLines(name: string, form: NvmeForm): string[] {
  if ('refused' in form) return [`${name}  not possible: ${form.refused.message}`, `     hint: ${form.refused.hint}`];
  return form.commands.flatMap((command, index) => [
    `${name}  command ${index} of ${form.commands.length}: ${command.lengthBytes} bytes`,
    ...pointerLines(command).map((line) => `     ${line}`),
  ]);
}

function pointerLines(command: NvmePointer): string[] {
  if ('descriptors' in command) {
    return shortened(
      command.descriptors.map(({ type, address, length }) => {
        if (address !== null) return `${TYPES[type]} ${hex(address)} + ${length}`;
        return `${TYPES[type]} of ${length / 16} descriptors`;
      }),
    );
  }
  const second =
    command.list.length > 0
      ? `PRP2 -> list of ${command.list.length}`
      : `PRP2 ${command.prp2 === null ? '0, not used' : hex(command.prp2)}`;
  return [`PRP1 ${hex(command.prp1)}`, second, ...shortened(command.list.map((entry) => `  ${hex(entry)}`))];
}

function shortened(lines: readonly string[]): string[] {
  if (lines.length <= SHOWN) return [...lines];
  return [...lines.slice(0, SHOWN), `... and ${lines.length - SHOWN} more, all with --json`];
}

export interface SglDocument {
  readonly type: SglDescriptor['type'];
  /** Hex; left out where it points to a list, whose place is the driver's business. */
  readonly address?: string;
  readonly length: number;
}

/** The data pointer of one command; `length` is what it moves, bytes. */
export type NvmeCommandDocument =
  | { readonly length: number; readonly descriptors: readonly SglDocument[] }
  | {
      readonly length: number;
      readonly prp1: string;
      readonly prp2: string | null;
      readonly list: readonly string[];
    };

/** The commands in one format, or why there are none. */
export type NvmeFormDocument =
  | { readonly commands: readonly NvmeCommandDocument[] }
  | Extract<NvmeForm, { readonly refused: unknown }>;

export interface NvmeDocument {
  readonly prp: NvmeFormDocument;
  readonly sgl: NvmeFormDocument;
}

/** The same for scripts, complete. */
export function nvmeDocument(pointers: NvmePointers): NvmeDocument {
  return { prp: formDocument(pointers.prp), sgl: formDocument(pointers.sgl) };
}

function formDocument(form: NvmeForm): NvmeFormDocument {
  return 'refused' in form ? form : { commands: form.commands.map(commandDocument) };
}

function commandDocument(command: NvmePointer): NvmeCommandDocument {
  const length = command.lengthBytes;
  if ('descriptors' in command) return { length, descriptors: command.descriptors.map(sglDocument) };
  return {
    length,
    prp1: hex(command.prp1),
    prp2: command.prp2 === null ? null : hex(command.prp2),
    list: command.list.map((entry) => hex(entry)),
  };
}

function sglDocument({ type, address, length }: SglDescriptor): SglDocument {
  return { type, ...(address === null ? {} : { address: hex(address) }), length };
}
