/**
 * Draws the pictures of docs/decisions/001-designs.md. The same bytes each time: `npm run pictures`. What was
 * counted it takes from docs/decisions/counted.csv, which `npm run bench:designs -- --record` writes.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const FOLDER = new URL('../../docs/decisions/pictures/', import.meta.url);
const COUNTED = new URL('../../docs/decisions/counted.csv', import.meta.url);
const STYLE = 'font-family="sans-serif" font-size="13"';

mkdirSync(FOLDER, { recursive: true });
write('vectors.svg', vectors());
write('who-decides.svg', whoDecides());
write('reads.svg', reads());

/** A design, and what a vector of it holds: label, bytes, colour. */
type Layout = readonly [design: string, fields: readonly (readonly [label: string, bytes: number, colour: string])[]];

/** What a vector holds in each design, 28 pixels a byte. */
function vectors(): string {
  const rows: readonly Layout[] = [
    [
      'flags',
      [
        ['address: CPU or bus', 8, '#cde'],
        ['length', 4, '#dec'],
        ['flags', 4, '#fc9'],
      ],
    ],
    [
      'lookup, page',
      [
        ['address: CPU', 8, '#cde'],
        ['length', 4, '#dec'],
      ],
    ],
    [
      'premapped',
      [
        ['DMA address of one device', 8, '#ecd'],
        ['length', 4, '#dec'],
      ],
    ],
    [
      'certified',
      [
        ['address: CPU', 8, '#cde'],
        ['length', 4, '#dec'],
        ['id|gen|type', 4, '#fc9'],
      ],
    ],
  ];
  const parts = rows.map(([name, fields], row) => {
    let x = 110;
    const boxes = fields.map(([label, bytes, colour]) => {
      const box = cell(x, 10 + row * 42, bytes * 28, 30, colour, label);
      x += bytes * 28;
      return box;
    });
    return text(8, 30 + row * 42, name) + boxes.join('') + text(x + 8, 30 + row * 42, `${(x - 110) / 28} bytes`);
  });
  return svg(640, 180, parts.join(''));
}

/** When each design knows the mapping device. */
function whoDecides(): string {
  const columns = ['submitter', 'queue', 'mapper'];
  const rows: readonly (readonly [design: string, cells: readonly string[]])[] = [
    ['flags', ['asks the distance', 'type travels', 'believes']],
    ['flags verified', ['asks the distance', 'type travels', 'searches, compares']],
    ['lookup', ['-', 'address travels', 'searches ranges']],
    ['page', ['-', 'address travels', 'reads a page descriptor']],
    ['premapped', ['maps', 'DMA address travels', 'believes']],
    ['certified', ['asks, notes for whom', 'type, id, generation', 'compares once, or searches']],
  ];
  const head = columns.map((name, at) => text(130 + at * 200, 20, name)).join('');
  const body = rows.map(([name, cells], row) => {
    const y = 32 + row * 36;
    const boxes = cells.map((label, at) => cell(120 + at * 200, y, 190, 28, colourOf(label), label));
    return text(8, y + 19, name) + boxes.join('');
  });
  const colours: readonly (readonly [colour: string, meaning: string])[] = [
    ['#cec', 'knows, and passes it on'],
    ['#fe9', 'finds out at map time'],
    ['#f99', 'believes unseen'],
  ];
  const legend = colours.map(
    ([colour, words], at) => cell(104 + at * 220, 256, 16, 16, colour, '') + text(126 + at * 220, 269, words),
  );
  return svg(760, 284, head + body.join('') + legend.join(''));
}

function colourOf(label: string): string {
  if (label === '-') return '#fff';
  if (label === 'believes') return '#f99';
  return label.includes('search') || label.includes('reads') ? '#fe9' : '#cec';
}

/** Bytes read a vector, as counted: lists of 256 over 64 providers, honest and hostile order. */
function reads(): string {
  const designs = [
    'flags',
    'flags verified',
    'lookup',
    'lookup, first list',
    'page',
    'premapped',
    'certified',
    'certified, one lost',
    'certified, for another',
  ];
  const body = designs.map((name, row) => {
    const honest = bytesRead(name, 'honest');
    const hostile = bytesRead(name, 'hostile');
    const y = 10 + row * 40;
    return (
      text(8, y + 20, name) +
      `<rect x="160" y="${y}" width="${Math.round(honest * 5)}" height="14" fill="#8bc"/>` +
      text(166 + Math.round(honest * 5), y + 12, `${honest}`) +
      `<rect x="160" y="${y + 16}" width="${Math.round(hostile * 5)}" height="14" fill="#d96"/>` +
      text(166 + Math.round(hostile * 5), y + 28, `${hostile}`)
    );
  });
  const legend =
    'bytes read a vector, 64 providers; blue: pages of one owner follow each other, orange: another owner at each';
  return svg(780, 395, body.join('') + text(8, 385, legend));
}

/** Bytes read a vector, of lists of 256 over 64 providers. */
function bytesRead(design: string, order: 'honest' | 'hostile'): number {
  const [head = '', ...rows] = readFileSync(COUNTED, 'utf8').trim().split('\n');
  const wanted = `${/[, ]/.test(design) ? `"${design}"` : design},64,${order},256,`;
  const row = rows.find((line) => line.startsWith(wanted));
  if (row === undefined) throw new Error(`counted.csv has no row ${wanted}`);
  const column = head.split(',').slice(4).indexOf('bytes');
  return Number(row.slice(wanted.length).split(',')[column]);
}

function cell(x: number, y: number, width: number, height: number, colour: string, label: string): string {
  const middle = x + width / 2;
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${colour}" stroke="#555"/><text x="${middle}" y="${y + height / 2 + 5}" text-anchor="middle">${label}</text>`;
}

function text(x: number, y: number, words: string): string {
  return `<text x="${x}" y="${y}">${words}</text>`;
}

function svg(width: number, height: number, body: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" ${STYLE}><rect width="${width}" height="${height}" fill="#fff"/>${body}</svg>\n`;
}

function write(name: string, content: string): void {
  writeFileSync(new URL(name, FOLDER), content);
}
