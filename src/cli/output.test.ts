import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { OutputError } from './errors.ts';
import { Output, OutputClosed, outputWidth } from './output.ts';

/** A stream that takes one piece at a time and keeps the writer waiting until it has done with it. */
class Slow extends Writable {
  readonly pieces: string[] = [];
  most = 0;

  constructor() {
    super({ highWaterMark: 1024, decodeStrings: false });
  }

  override _write(chunk: string, _: string, done: () => void): void {
    this.pieces.push(chunk);
    this.most = Math.max(this.most, this.writableLength);
    setTimeout(done, 1);
  }
}

test('a slow reader is waited for: never more than one chunk stands in its queue', async () => {
  const stream = new Slow();
  const out = new Output(stream);
  const line = `${'x'.repeat(99)}\n`;
  let due = 0;
  for (let index = 0; index < 20_000; index++) {
    if (!out.append(line)) continue;
    due++;
    await out.flush();
  }
  await out.flush();
  expect(stream.pieces.join('')).toBe(line.repeat(20_000));
  expect(due).toBeGreaterThan(20);
  expect(stream.most).toBeLessThan(2 * 65_536);
});

function failing(code: string): Writable {
  return new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error(code), { code }));
    },
  });
}

async function writeTwice(stream: Writable): Promise<unknown> {
  const out = new Output(stream);
  try {
    await out.write('x'.repeat(100_000));
    await new Promise((resolve) => setTimeout(resolve, 1));
    await out.write('y');
  } catch (error) {
    return error;
  }
  return null;
}

test('a reader that has gone ends the writing, and is told from a full disk', async () => {
  expect(await writeTwice(failing('EPIPE'))).toBeInstanceOf(OutputClosed);
  expect(await writeTwice(failing('ENOSPC'))).toBeInstanceOf(OutputError);
});

test('what was dropped is not written', async () => {
  const stream = new Slow();
  const out = new Output(stream);
  out.append('dropped');
  out.discard();
  await out.write('kept');
  expect(stream.pieces).toEqual(['kept']);
  expect(out.started).toBe(true);
});

test('a terminal that claims no columns tells nothing: the next one that knows is believed', () => {
  expect(outputWidth(0, '', 0)).toBe(100);
  expect(outputWidth(0, '90', undefined)).toBe(90);
  expect(outputWidth(undefined, '0', 120)).toBe(120);
});

test('the terminal comes before COLUMNS, COLUMNS before the terminal of stderr, and 100 is the last word', () => {
  expect(outputWidth(80, '90', 120)).toBe(80);
  expect(outputWidth(undefined, '90', 120)).toBe(90);
  expect(outputWidth(undefined, undefined, 120)).toBe(120);
  expect(outputWidth(undefined, 'wide', undefined)).toBe(100);
});

test('below 40 columns lines are not broken further', () => {
  expect(outputWidth(20, undefined, undefined)).toBe(40);
});
