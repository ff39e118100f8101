/**
 * Reads a drawing of `lspci -t` as a set of edges, `0000:03:00.0 < 0000:00:01.0`; `<` alone for a function on a root bus.
 *
 *   -+-[0000:d7]-+-05.0  Name             a root bus; `+` opens a column below which its functions stand
 *    \-[0000:00]-+-00.0  Name
 *                +-01.0-[01-03]----00.0-[02-03]--+-00.0-[03]--
 */
export function edgesOfDrawing(text: string): Set<string> {
  const edges = new Set<string>();
  /** Column of a `+` or `\` -> the bus whose functions stand there. */
  const columns = new Map<number, Place>();
  for (const line of text.split('\n')) {
    let at = line.search(/[^ |]/);
    if (at < 0) continue;
    const root = /^[-+\\]+\[([0-9a-f]{4,8}):([0-9a-f]{2})\]/.exec(line.slice(at));
    let place: Place | undefined;
    if (root) {
      place = { domain: root[1] as string, bus: root[2] as string, above: '' };
      at = behindBus(line, at + root[0].length, place, columns);
    } else {
      place = columns.get(at);
      at += 2;
    }
    while (place) {
      const fn: RegExpExecArray | null = /^([0-9a-f]{2}\.[0-7])(?:-\[([0-9a-f]{2})(?:-[0-9a-f]{2})?\])?/.exec(
        line.slice(at),
      );
      if (!fn) break;
      const name = `${place.domain}:${place.bus}:${fn[1]}`;
      edges.add(`${name} <${place.above === '' ? '' : ` ${place.above}`}`);
      if (fn[2] === undefined) break;
      place = { domain: place.domain, bus: fn[2], above: name };
      at = behindBus(line, at + fn[0].length, place, columns);
    }
  }
  return edges;
}

interface Place {
  readonly domain: string;
  readonly bus: string;
  /** Name of the bridge above, empty on a root bus. */
  readonly above: string;
}

/** Behind the dashes that follow a bus; a `+` among them opens a column for the functions below in the drawing. */
function behindBus(line: string, start: number, place: Place, columns: Map<number, Place>): number {
  let at = start;
  while (line[at] === '-') at++;
  if (line[at] !== '+') return at;
  columns.set(at, place);
  return at + 2;
}
