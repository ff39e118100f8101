/**
 * The qtest protocol: one line a command, one line an answer, strictly in order. QEMU docs/devel/testing, "QTest".
 *
 *     readl 0xb0018000        ->  OK 0x0000000000108086
 *     b64write 0x1000 0x3 AQID ->  OK
 *
 * QEMU trusts its tests: a missing number aborts it, bad base64 is written as it comes. So nothing but numbers that were
 * checked here ever goes out. Commands are sent without waiting for answers, those of one turn of the event loop in one write.
 */

import type { Duplex } from 'node:stream';
import type { PhysAddr } from '../../core/address.ts';
import { assert } from '../../core/assert.ts';
import type { Word64 } from '../../core/word64.ts';
import { QemuError } from './errors.ts';
import type { QemuProcess } from './process.ts';

/** Longest block of one command: QEMU's cost of a line grows with the square of its length beyond. */
const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 10;

interface Waiting {
  readonly command: string;
  readonly resolve: (answer: string) => void;
  readonly reject: (error: QemuError) => void;
}

export interface QtestOptions {
  /** A command that is not answered in this time ends the process. */
  readonly timeoutMs: number;
}

export class QtestLink {
  readonly #process: QemuProcess;
  readonly #socket: Duplex;
  readonly #timeoutMs: number;
  /** Sent and not answered, oldest at `#first`; answered ones before it are dropped now and then. */
  readonly #waiting: Waiting[] = [];
  #first = 0;
  #outgoing = '';
  #isFlushing = false;
  #incoming: Buffer[] = [];
  #timer: NodeJS.Timeout | null = null;
  #answers = 0;
  #answersAtCheck = 0;
  #gone: QemuError | null = null;

  constructor(process: QemuProcess, options: QtestOptions) {
    this.#process = process;
    this.#socket = process.qtest;
    this.#timeoutMs = options.timeoutMs;
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    process.onGone((error) => this.#fail(error));
  }

  /** Commands whose answers are still to come. */
  get outstanding(): number {
    return this.#waiting.length - this.#first;
  }

  /** Commands answered so far. */
  get answered(): number {
    return this.#answers;
  }

  /** Sends one command of a word and whole numbers; resolves with what follows `OK`. */
  command(word: string, ...numbers: number[]): Promise<string> {
    let line = word;
    for (const number of numbers) {
      assert(Number.isSafeInteger(number) && number >= 0, `${word}: ${number} is a whole number`);
      line += ` 0x${number.toString(16)}`;
    }
    return this.#send(line);
  }

  /** One access of 1, 2 or 4 bytes. */
  async read(address: PhysAddr, size: 1 | 2 | 4): Promise<number> {
    const answer = await this.command(size === 4 ? 'readl' : size === 2 ? 'readw' : 'readb', address);
    // Padded to 64 bits, of which the upper half is zero.
    return Number.parseInt(answer, 16);
  }

  async write(address: PhysAddr, size: 1 | 2 | 4, value: number): Promise<void> {
    assert(value >= 0 && value < 2 ** (8 * size), `${value} fits ${size} bytes`);
    await this.command(size === 4 ? 'writel' : size === 2 ? 'writew' : 'writeb', address, value);
  }

  async read64(address: PhysAddr): Promise<Word64> {
    const digits = (await this.command('readq', address)).slice(2).padStart(16, '0');
    return { high: Number.parseInt(digits.slice(0, 8), 16), low: Number.parseInt(digits.slice(8), 16) };
  }

  async write64(address: PhysAddr, value: Word64): Promise<void> {
    assert(Number.isSafeInteger(address) && address >= 0, `${address} is an address`);
    const word = (part: number): string => (part >>> 0).toString(16).padStart(8, '0');
    await this.#send(`writeq 0x${address.toString(16)} 0x${word(value.high)}${word(value.low)}`);
  }

  /** 32 bits of an I/O port. */
  async readPort(port: number): Promise<number> {
    return Number.parseInt(await this.command('inl', port), 16);
  }

  async writePort(port: number, value: number): Promise<void> {
    await this.command('outl', port, value);
  }

  /** Fills `into` with the bytes at `address`. */
  async readBlock(address: PhysAddr, into: Uint8Array): Promise<void> {
    const answers: Promise<string>[] = [];
    for (let at = 0; at < into.length; at += BLOCK_BYTES) {
      answers.push(this.command('b64read', address + at, Math.min(BLOCK_BYTES, into.length - at)));
    }
    const texts = await Promise.all(answers);
    texts.forEach((text, index) => {
      const bytes = Buffer.from(text, 'base64');
      const expected = Math.min(BLOCK_BYTES, into.length - index * BLOCK_BYTES);
      if (bytes.length !== expected) throw this.#protocolError(`b64read gave ${bytes.length} bytes of ${expected}`);
      into.set(bytes, index * BLOCK_BYTES);
    });
  }

  /** Writes bytes at `address`; they are taken before this returns. */
  async writeBlock(address: PhysAddr, from: Uint8Array): Promise<void> {
    const answers: Promise<string>[] = [];
    for (let at = 0; at < from.length; at += BLOCK_BYTES) {
      const length = Math.min(BLOCK_BYTES, from.length - at);
      const text = Buffer.from(from.buffer, from.byteOffset + at, length).toString('base64');
      assert(Number.isSafeInteger(address) && address >= 0, `${address} is an address`);
      answers.push(this.#send(`b64write 0x${(address + at).toString(16)} 0x${length.toString(16)} ${text}`));
    }
    await Promise.all(answers);
  }

  #send(line: string): Promise<string> {
    if (this.#gone !== null) return Promise.reject(this.#gone);
    this.#outgoing += `${line}\n`;
    if (!this.#isFlushing) {
      this.#isFlushing = true;
      queueMicrotask(() => this.#flush());
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ command: line, resolve, reject });
      if (this.#timer === null) this.#watch();
    });
  }

  #flush(): void {
    this.#isFlushing = false;
    if (this.#gone === null) this.#socket.write(this.#outgoing, 'latin1');
    this.#outgoing = '';
  }

  /** One timer for all: it fires at the latest two periods after the last answer. */
  #watch(): void {
    this.#answersAtCheck = this.#answers;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.outstanding === 0 || this.#gone !== null) return;
      if (this.#answers !== this.#answersAtCheck) this.#watch();
      // Answers that lie in the socket because this thread was busy are read first.
      else setImmediate(() => this.#lookAgain());
    }, this.#timeoutMs);
    // A test or a command that is done does not wait for it; one that waits for an answer keeps the socket open anyway.
    this.#timer.unref();
  }

  #lookAgain(): void {
    if (this.outstanding === 0 || this.#timer !== null) return;
    if (this.#answers === this.#answersAtCheck) this.#timeOut();
    else this.#watch();
  }

  #timeOut(): void {
    if (this.#gone !== null) return;
    const { command } = this.#waiting[this.#first] as Waiting;
    this.#process.discard(
      new QemuError({
        code: 'QEMU_TIMEOUT',
        path: `qemu (process ${this.#process.pid})`,
        message: `no answer to '${abbreviated(command)}' for ${this.#timeoutMs / 1000} s; the process was killed`,
        hint: 'start another machine; if the computer is very busy, allow more time',
      }),
    );
  }

  #receive(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      let line = chunk.toString('latin1', start, end);
      if (this.#incoming.length > 0) {
        line = Buffer.concat(this.#incoming).toString('latin1') + line;
        this.#incoming = [];
      }
      this.#answer(line);
      start = end + 1;
    }
    if (start < chunk.length) this.#incoming.push(chunk.subarray(start));
  }

  #answer(line: string): void {
    const waiting = this.#waiting[this.#first];
    if (waiting === undefined) {
      this.#process.discard(this.#protocolError(`'${abbreviated(line)}' answers nothing that was asked`));
      return;
    }
    if (++this.#first === 1024) {
      this.#waiting.splice(0, this.#first);
      this.#first = 0;
    }
    this.#answers++;
    if (line === 'OK' || line.startsWith('OK ')) waiting.resolve(line.slice(3));
    else waiting.reject(this.#protocolError(`'${abbreviated(waiting.command)}' was answered '${abbreviated(line)}'`));
  }

  #fail(error: QemuError): void {
    this.#gone = error;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const lost = this.#waiting.splice(0).slice(this.#first);
    this.#first = 0;
    for (const { reject } of lost) reject(error);
  }

  #protocolError(message: string): QemuError {
    return new QemuError({
      code: 'QEMU_PROTOCOL',
      path: `qemu (process ${this.#process.pid})/qtest`,
      message,
      hint: 'this QEMU speaks another qtest than the engine knows: use a release that was tested',
    });
  }
}

function abbreviated(line: string): string {
  return line.length > 80 ? `${line.slice(0, 77)}...` : line;
}
