/**
 * Faults of an IOMMU without the machine that they are from: what the addresses look like. A fault proves that the device is translated; what
 * it was after is judged by the address and by the driver.
 */

import type { Case } from '../../../case/case.ts';
import { hex } from '../../../core/hex.ts';
import { listed } from '../../../core/words.ts';
import { type Finding, NOTHING } from '../../finding.ts';
import { severityOf } from '../../severity.ts';
import { passthroughFixes } from '../boot-fixes.ts';
import { NEXT } from '../next-commands.ts';
import type { CaseContext, Reading, Said, Statement } from '../reading.ts';
import { logged, logLine, logSays, type Saying } from './log-items.ts';

export const IOMMU_FAULTS: Reading = { kind: 'kernel-log', read };

type Fault = Saying<'fault'>;

/** What the address of a fault looks like. */
type Looks =
  /** Nothing is at address 0: a pointer that was never set. */
  | 'null'
  /** The IOMMU's own tables are wrong, or the device has none. */
  | 'table'
  /** Where Linux hands out IOVAs first, from 4 GiB down, or from the top of the space. */
  | 'iova'
  /** An address as the CPU and the bus use it: RAM or a BAR, handed to the device without mapping it. */
  | 'raw';

const PAGE = 0x1000;
const GIB4 = 2 ** 32;
/** From here to 4 GiB the first IOVAs of a 32-bit space are handed out. */
const IOVA_LOW = 0xf000_0000;
const IOVA_HIGH = 2 ** 46;
/** Causes of VT-d that lie in the tables, not in a mapping that is missing. */
const TABLE_CAUSES: ReadonlySet<number> = new Set([1, 2, 3, 4, 7, 8, 9, 10, 11, 12]);
/** Drivers whose peers are known to be handed raw addresses. */
const GPU_DRIVER = /^(?:nvidia|amdgpu|nouveau|xe|i915) /;

function looksLike({ fault, text }: Fault): Looks | null {
  const { address, what, code } = fault;
  if (address === null || what !== 'memory') return null;
  if (code !== null && TABLE_CAUSES.has(code)) return 'table';
  if (address < PAGE) return 'null';
  // A GPU that is translated is handed IOVAs too, but these do not fault in normal use.
  if (GPU_DRIVER.test(text)) return 'raw';
  if ((address >= IOVA_LOW && address < GIB4) || address >= IOVA_HIGH) return 'iova';
  return address >= GIB4 ? 'raw' : 'iova';
}

function read(context: CaseContext): Said {
  // With the machine, addresses are looked up in its BARs instead.
  if (context.doctor !== null) return nullPointers(context);
  const faults = logged(context, 'fault');
  const [first] = faults;
  if (first === undefined) return {};
  const of = (looks: Looks): Fault[] => faults.filter((item) => looksLike(item) === looks);
  const statements: Statement[] = [logSays(first, 'certain', countSentence(faults))];
  const findings: Finding[] = [];
  const raw = of('raw');
  if (raw.length > 0) findings.push(translated(context.given, raw));
  const nulls = of('null');
  if (nulls.length > 0) findings.push(nullPointer(nulls));
  const iova = of('iova');
  const [other] = iova;
  if (other !== undefined && raw.length === 0) {
    const text = `${hex(other.fault.address ?? 0)} is where Linux hands out IOVAs: a mapping that was never made or is gone already, a fault of a driver rather than of peer-to-peer`;
    statements.push(logSays(other, 'likely', text));
  }
  const [table] = of('table');
  if (table !== undefined) {
    const reason = table.fault.reason === null ? '' : ` (${table.fault.reason})`;
    statements.push(
      logSays(table, 'certain', `The cause that it names lies in the IOMMU's own tables${reason}: no peer traffic`),
    );
  }
  return { statements, findings, next: [NEXT.groupTypes, NEXT.commandLine, NEXT.listing] };
}

function nullPointers(context: CaseContext): Said {
  const nulls = logged(context, 'fault').filter((item) => looksLike(item) === 'null');
  return nulls.length === 0 ? {} : { findings: [nullPointer(nulls)] };
}

function requesters(faults: readonly Fault[]): string[] {
  return [...new Set(faults.flatMap(({ fault }) => fault.by ?? []))].sort();
}

function countSentence(faults: readonly Fault[]): string {
  const names = requesters(faults);
  const iommu = faults[0]?.fault.iommu;
  const who = names.length === 0 ? 'a device that it does not name' : listed(names);
  return `The IOMMU (${iommu}) is on and translates ${who}: it refused ${faults.length === 1 ? 'one access' : `${faults.length} accesses`}`;
}

/** Lines that a finding shows. */
const LINES_MAX = 4;

function translated(given: Case, faults: readonly Fault[]): Finding {
  const names = requesters(faults);
  const who = names.length === 0 ? 'A device' : listed(names);
  return {
    ...NOTHING,
    id: 'IOMMU-TRANSLATED',
    severity: severityOf('IOMMU-TRANSLATED', 'told'),
    sure: 'likely',
    title: `${who} used addresses that its IOMMU does not know (${hex(faults[0]?.fault.address ?? 0)}): raw addresses of a peer's BAR or of memory, as in peer copies through a translating IOMMU`,
    at: names,
    functions: names,
    evidence: faults.slice(0, LINES_MAX).map((item) => logLine(item, item.fault.by, 'refused by the IOMMU')),
    why: 'What a device sends through the host bridge is translated, and an address that no driver mapped is refused: writes vanish, reads return ones, and collectives hang.',
    fixes: passthroughFixes(given, 'Let the kernel’s own devices pass untranslated'),
    missing: { what: 'whether the groups of these devices are translated', command: NEXT.groupTypes.command },
  };
}

function nullPointer(faults: readonly Fault[]): Finding {
  const names = requesters(faults);
  return {
    ...NOTHING,
    id: 'WRONG-MEMORY',
    severity: severityOf('WRONG-MEMORY', 'fault'),
    sure: 'likely',
    title: `${names.length === 0 ? 'A device' : listed(names)} was told to use address ${hex(faults[0]?.fault.address ?? 0)}: a null pointer was handed to it, not a peer's memory`,
    at: names,
    functions: names,
    evidence: faults.slice(0, LINES_MAX).map((item) => logLine(item, item.fault.by, 'address 0 is nobody’s memory')),
    why: 'The program or driver never set the address, or translated one that it does not know and got 0. No setting of the machine changes that.',
  };
}
