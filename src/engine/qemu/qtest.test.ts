import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { physAddr } from '../../core/address.ts';
import { AssertionError } from '../../core/assert.ts';
import type { QemuError } from './errors.ts';
import type { QemuProcess } from './process.ts';
import { QtestLink } from './qtest.ts';

/** A QEMU that is a function from a line to its answer; null keeps silent. */
class FakeProcess {
  readonly pid = 1;
  readonly lines: string[] = [];
  readonly writes: string[] = [];
  readonly qtest: Duplex;
  discarded: QemuError | null = null;
  #listener: (error: QemuError) => void = () => undefined;

  constructor(answer: (line: string) => string | null) {
    const { lines, writes } = this;
    this.qtest = new Duplex({
      read: () => undefined,
      write(chunk: Buffer, _encoding, done) {
        writes.push(chunk.toString('latin1'));
        for (const line of chunk.toString('latin1').split('\n').slice(0, -1)) {
          lines.push(line);
          const said = answer(line);
          if (said !== null) this.push(Buffer.from(said, 'latin1'));
        }
        done();
      },
    });
  }

  onGone(listener: (error: QemuError) => void): void {
    this.#listener = listener;
  }

  discard(error: QemuError): void {
    this.discarded = error;
    this.#listener(error);
  }
}

function link(answer: (line: string) => string | null, timeoutMs = 1000): { fake: FakeProcess; qtest: QtestLink } {
  const fake = new FakeProcess(answer);
  return { fake, qtest: new QtestLink(fake as unknown as QemuProcess, { timeoutMs }) };
}

const OK = (): string => 'OK\n';

test('every command is a word and hexadecimal numbers, one a line', async () => {
  const { fake, qtest } = link((line) => (line.startsWith('read') || line.startsWith('in') ? 'OK 0x12\n' : 'OK\n'));
  expect(await qtest.read(physAddr(0xb0000000), 1)).toBe(0x12);
  await qtest.read(physAddr(2 ** 40), 2);
  await qtest.read(physAddr(0), 4);
  await qtest.write(physAddr(16), 1, 0xff);
  await qtest.write(physAddr(16), 2, 0xffff);
  await qtest.write(physAddr(16), 4, 0xffffffff);
  await qtest.write64(physAddr(0x1000), { high: 0xffffffff, low: 0x80000000 });
  await qtest.writePort(0xcf8, 0x80000060);
  await qtest.readPort(0xcfc);
  expect(fake.lines).toEqual([
    'readb 0xb0000000',
    'readw 0x10000000000',
    'readl 0x0',
    'writeb 0x10 0xff',
    'writew 0x10 0xffff',
    'writel 0x10 0xffffffff',
    'writeq 0x1000 0xffffffff80000000',
    'outl 0xcf8 0x80000060',
    'inl 0xcfc',
  ]);
});

test('what would abort QEMU, or be taken for something else, never leaves: it is our own mistake', async () => {
  const { fake, qtest } = link(OK);
  for (const address of [Number.NaN, -1, 1.5, 2 ** 53, Number.POSITIVE_INFINITY]) {
    await expect(qtest.read(address as never, 4)).rejects.toBeInstanceOf(AssertionError);
    await expect(qtest.write64(address as never, { high: 0, low: 0 })).rejects.toBeInstanceOf(AssertionError);
    await expect(qtest.writeBlock(address as never, new Uint8Array(1))).rejects.toBeInstanceOf(AssertionError);
  }
  for (const [size, value] of [
    [1, 256],
    [2, 65536],
    [4, 2 ** 32],
    [4, -1],
  ] as const) {
    await expect(qtest.write(physAddr(0), size, value)).rejects.toBeInstanceOf(AssertionError);
  }
  expect(fake.lines).toEqual([]);
});

test('64-bit answers keep all their bits', async () => {
  const { qtest } = link(() => 'OK 0xfffffffe80000001\n');
  expect(await qtest.read64(physAddr(0))).toEqual({ high: 0xfffffffe, low: 0x80000001 });
});

test('blocks go in 64 KiB, base64, at once; bytes are taken before the call returns', async () => {
  const { fake, qtest } = link(OK);
  const bytes = Uint8Array.from({ length: 2 * 65536 + 5 }, (_, index) => index * 7);
  const expected = Buffer.from(bytes);
  const written = qtest.writeBlock(physAddr(0x1000), bytes);
  bytes.fill(0);
  await written;
  expect(fake.writes.length).toBe(1);
  const parts = fake.lines.map((line) => line.split(' '));
  expect(parts.map(([word, address, length]) => `${word} ${address} ${length}`)).toEqual([
    'b64write 0x1000 0x10000',
    'b64write 0x11000 0x10000',
    'b64write 0x21000 0x5',
  ]);
  expect(Buffer.concat(parts.map(([, , , text]) => Buffer.from(text as string, 'base64'))).equals(expected)).toBe(true);
});

test('blocks that are read fill the array from its pieces; a piece of another length is refused', async () => {
  const memory = Buffer.from(Uint8Array.from({ length: 70_000 }, (_, index) => index * 3));
  const serve = (line: string): string => {
    const [, address, length] = line.split(' ').map(Number) as [number, number, number];
    return `OK ${memory.subarray(address, address + length).toString('base64')}\n`;
  };
  const into = new Uint8Array(70_000);
  await link(serve).qtest.readBlock(physAddr(0), into);
  expect(memory.equals(into)).toBe(true);
  const { qtest } = link(() => 'OK AAAA\n');
  await expect(qtest.readBlock(physAddr(0), new Uint8Array(4))).rejects.toMatchObject({ code: 'QEMU_PROTOCOL' });
});

test('answers are told apart however they are cut, and go to their questions in order', async () => {
  const { fake, qtest } = link(() => null);
  const answers = Promise.all([1, 2, 3].map((address) => qtest.read(physAddr(address), 4)));
  expect(qtest.outstanding).toBe(3);
  await Promise.resolve();
  for (const piece of ['OK 0x', '0000000a\nO', 'K 0x0b\nOK 0x0c', '\n']) {
    fake.qtest.push(Buffer.from(piece));
    await new Promise(setImmediate);
  }
  expect(await answers).toEqual([10, 11, 12]);
  expect([qtest.outstanding, qtest.answered]).toEqual([0, 3]);
});

test('thousands of commands in flight are answered in order', async () => {
  const { qtest } = link((line) => `OK ${line.split(' ')[1]}\n`);
  const values = await Promise.all(Array.from({ length: 5000 }, (_, index) => qtest.read(physAddr(index), 4)));
  expect(values).toEqual(Array.from({ length: 5000 }, (_, index) => index));
});

test('FAIL rejects that command alone, with what was asked and answered', async () => {
  const { qtest } = link((line) => (line === 'bad' ? 'FAIL Unknown command\n' : 'OK\n'));
  const failed = qtest.command('bad');
  const fine = qtest.command('good');
  await expect(failed).rejects.toMatchObject({
    code: 'QEMU_PROTOCOL',
    message: "'bad' was answered 'FAIL Unknown command'",
  });
  expect(await fine).toBe('');
});

test('an answer that nobody asked for ends the process', async () => {
  const { fake, qtest } = link(() => 'OK\nOK\n');
  await qtest.command('one');
  await new Promise(setImmediate);
  expect(fake.discarded).toMatchObject({ code: 'QEMU_PROTOCOL' });
  await expect(qtest.command('two')).rejects.toBe(fake.discarded);
});

test('silence ends the process after its time, and everything that waits is told; one that still answers may be slow', async () => {
  const silent = link(() => null, 30);
  const waiting = Promise.allSettled([silent.qtest.command('a'), silent.qtest.command('b')]);
  expect((await waiting).map((outcome) => outcome.status === 'rejected' && outcome.reason)).toEqual([
    silent.fake.discarded,
    silent.fake.discarded,
  ]);
  expect(silent.fake.discarded).toMatchObject({ code: 'QEMU_TIMEOUT' });

  const slow = link(() => null, 60);
  const answers = Array.from({ length: 6 }, () => slow.qtest.command('x'));
  for (let answer = 0; answer < 6; answer++) {
    await new Promise((resolve) => setTimeout(resolve, 25));
    slow.fake.qtest.push(Buffer.from('OK\n'));
  }
  await Promise.all(answers);
  expect(slow.fake.discarded).toBeNull();
});
