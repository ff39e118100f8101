/**
 * Lines of the kernel's log that tell of PCI, of IOMMUs or of peer-to-peer DMA. All others stay out, of the machine and of a capture:
 * they name disks, users and networks. The words are those of Linux's pci, iommu, nvme and p2pdma.
 */

export interface LogLine {
  /** The message, without time stamp. */
  readonly text: string;
  readonly file: string;
  /** 1-based. */
  readonly line: number;
}

/** As long as the kernel makes a line; what is longer is noise. Linux's constant of the same name. */
export const LOG_LINE_MAX = 1024;

/** As many lines are kept: a fault that repeats fills a log. */
export const LOG_LINES_MAX = 5000;

/** Cheap words that a line has which may tell; the rest of the test is for these lines only. */
const TELLING: RegExp = new RegExp(
  [
    'P2PDMA',
    'p2pmem',
    'peer-to-peer',
    'ACS redirect',
    'disable_acs_redir',
    'DMAR\\b',
    'INTR-REMAP',
    'AMD-Vi',
    'IO_PAGE_FAULT',
    'arm-smmu',
    '\\biommu: ',
    'AER: ',
    'PCIe Bus Error',
    '\\[ ?\\d\\d?\\] (?:ACSViol|MalfTLP|UnsupReq|CmpltTO|CmpltAbrt|PoisonTLP|TLP)\\b',
    'error status/mask=',
    'can.t (?:assign|claim)',
    'failed to assign',
    'no space for',
    'not enough MMIO',
    'address conflict',
    '\\bBAR \\d',
    'Resizable BAR',
    'Host bridge not in',
    'Hotplugged memory exceeds',
    'Max Payload Size',
    '10-?[Bb]it [Tt]ag',
    'DMA mask',
    'Hypervisor detected',
  ].join('|'),
);
/** Lines of a log that carry somebody's words: the boot loader's command line, what a user wrote into the log. */
const NOT_TELLING: RegExp = /ommand line:|^systemd\b|^audit:/;

/** `[   12.345678] `, `[Sun Nov 22 18:40:38 2026] `, and in front of either what syslog adds: date, host, `kernel:`. */
const STAMP: RegExp =
  /^(?:<\d+>|\S.{0,80}? kernel: )?(?:\[(?: *\d+\.\d+|\w{3} \w{3} [ \d]\d [\d:]{8} \d{4})\](?:\[ *[TC]\d+\])? )?/;

/** A message without time stamp, or null where the line tells nothing about PCI, IOMMUs or peer-to-peer DMA. */
export function tellingMessage(line: string): string | null {
  if (!TELLING.test(line)) return null;
  const text = line.slice(STAMP.exec(line)?.[0].length ?? 0).trim();
  return text === '' || NOT_TELLING.test(text) ? null : text;
}

/** Whether a line bears the kernel's time stamp, or syslog's name for the kernel. */
export function isLogLine(line: string): boolean {
  return (STAMP.exec(line)?.[0].length ?? 0) > 0;
}

/** The lines of a log that tell, with their numbers; at most `LOG_LINES_MAX`, the first ones. */
export function parseKernelLog(text: string, file: string): LogLine[] {
  const lines: LogLine[] = [];
  let number = 0;
  for (const line of text.split('\n')) {
    number++;
    const message = tellingMessage(line.length > LOG_LINE_MAX ? line.slice(0, LOG_LINE_MAX) : line);
    if (message === null) continue;
    if (lines.length === LOG_LINES_MAX) break;
    lines.push({ text: message, file, line: number });
  }
  return lines;
}
