/**
 * What logs, launchers and collectors put before a line: one table, tried from the top until none fits any more. All patterns are
 * anchored, and none repeats a repetition.
 *
 *   Sep 21 09:59:59 host kernel: [   12.345678] nvme 0000:03:00.0: ...      syslog, then the kernel's own stamp
 *   [1,0]<stdout>:node1:402:411 [0] NCCL INFO Channel 00 ...               mpirun, then NCCL
 *   2025-02-24 02:57:24 [4,832ms] [Warning] [gpu.plugin] ...               Omniverse
 */

/** What was taken off. */
export interface TakenPrefix {
  /** Time as it stood: `12.345678`, `+0.000844`, `Sep 21 09:59:59`; null where none stood. The kernel's own wins over syslog's. */
  readonly stamp: string | null;
  /** Program that syslog or the journal names: `kernel`, `systemd`. The kernel's own time stamp counts as `kernel`. */
  readonly program: string | null;
  /** NCCL's head, which says the level. */
  readonly nccl: NcclHead | null;
  /** Characters taken off in all. */
  readonly length: number;
}

export interface NcclHead {
  readonly host: string;
  readonly pid: number;
  /** CUDA device of the thread. */
  readonly device: number;
  readonly level: string;
  /** `src/init.cc:179` of warnings; null elsewhere. */
  readonly place: string | null;
}

interface Found {
  stamp: string | null;
  program: string | null;
  nccl: NcclHead | null;
}

interface Prefix {
  readonly pattern: RegExp;
  readonly note?: (match: RegExpExecArray, found: Found) => void;
}

const CLOCK = String.raw`\d\d:\d\d:\d\d(?:[.,]\d{1,9})?`;

const PREFIXES: readonly Prefix[] = [
  // The kernel: seconds since boot, since the line before, both, a date; a thread or CPU behind it.
  {
    pattern: /^\[ {0,12}(\+?\d{1,12}\.\d{1,9})(?: *<[ \d.]{1,20}>)?\](?:\[ *[TC]\d{1,7}\])?(?: |$)/,
    note: kernelTime,
  },
  { pattern: new RegExp(String.raw`^\[(\w{3} \w{3} [ \d]\d ${CLOCK} \d{4})\] `), note: kernelTime },
  // dmesg -r and -x: priority and facility.
  { pattern: /^<\d{1,3}>/ },
  { pattern: /^(?:kern|user|daemon|auth|syslog) {0,7}: ?(?:emerg|alert|crit|err|warn|notice|info|debug) {0,7}: ?/ },
  // syslog and the journal: date, host, program.
  {
    pattern: new RegExp(String.raw`^(\w{3} [ \d]\d ${CLOCK}) (?:[\w.-]{1,64} )?([\w./@-]{1,48}?)(?:\[\d{1,9}\])?: `),
    note: ([, time, program], found) => {
      found.stamp ??= time as string;
      found.program ??= program as string;
    },
  },
  // An ISO time, alone or with host and program.
  {
    pattern: new RegExp(
      String.raw`^\[?(\d{4}-\d\d-\d\d[T ]${CLOCK}(?:Z|[+-]\d\d:?\d\d)?)\]?(?:[ ,:|]{1,3}|$)(?:[\w.-]{1,64} ([\w./@-]{1,48}?)(?:\[\d{1,9}\])?: )?`,
    ),
    note: ([, time, program], found) => {
      found.stamp ??= time as string;
      found.program ??= program ?? null;
    },
  },
  {
    pattern: /^(?:[\w.-]{1,64} )?kernel: /,
    note: (_match, found) => {
      found.program ??= 'kernel';
    },
  },
  // Omniverse and Isaac: milliseconds, level, module.
  { pattern: /^\[[\d,]{1,12}ms\] (?:\[\w{1,12}\] )?(?:\[[\w.-]{1,80}\] )?/ },
  // mpirun, ray, vLLM, docker compose.
  { pattern: /^\[\d{1,6},\d{1,6}\]<std(?:out|err|diag)>: ?/ },
  { pattern: /^\(\w{1,48}(?:[ ,]{1,2}[\w=.:-]{1,64}){0,4}[ ,]{1,2}pid=\d{1,9}(?:, ip=[\w.:]{1,48})?\) / },
  { pattern: /^(?:DEBUG|INFO|WARNING|ERROR) \d\d-\d\d \d\d:\d\d:\d\d \[[\w./-]{1,80}:\d{1,6}\] / },
  { pattern: /^[\w.-]{1,64}-\d{1,3} {1,20}\| / },
  {
    pattern:
      /^([\w.-]{1,64}):(\d{1,9}):(\d{1,9}) \[(\d{1,4})\] {1,2}(?:([\w./-]{1,120}:\d{1,6}) )?NCCL (INFO|WARN|TRACE|CALL|VERSION|ABORT) ?/,
    note: ([, host, pid, , device, place, level], found) => {
      found.nccl = {
        host: host as string,
        pid: Number(pid),
        device: Number(device),
        level: level as string,
        place: place ?? null,
      };
    },
  },
];

/** As many prefixes stand before one line. */
const PREFIXES_MAX = 6;

function kernelTime(match: RegExpExecArray, found: Found): void {
  found.stamp = match[1] as string;
  found.program = 'kernel';
}

/** What stands before the line proper; null where nothing does. Blanks before a prefix are part of it. */
export function takePrefix(text: string): TakenPrefix | null {
  const found: Found = { stamp: null, program: null, nccl: null };
  let at = 0;
  for (let taken = 0; taken < PREFIXES_MAX; taken++) {
    const next = prefixAt(text, at, found);
    if (next === at) break;
    at = next;
  }
  return at === 0 ? null : { ...found, length: at };
}

function prefixAt(text: string, from: number, found: Found): number {
  let start = from;
  while (text.charCodeAt(start) === 0x20 || text.charCodeAt(start) === 0x09) start++;
  if (!BEGINS_PREFIX.test(text.charAt(start))) return from;
  const rest = start === 0 ? text : text.slice(start);
  for (const { pattern, note } of PREFIXES) {
    const match = pattern.exec(rest);
    if (match === null) continue;
    // An X server stamps its lines as the kernel does.
    if (X_SERVER.test(rest)) return from;
    note?.(match, found);
    return start + match[0].length;
  }
  return from;
}

const BEGINS_PREFIX = /[\w[<(]/;
const X_SERVER = /^\[[ \d.]{3,16}\] \((?:II|WW|EE|--|==|\*\*|!!|NI)\)/;
