/** stdout with back-pressure: a million pairs are written as fast as the reader takes them, and never held in memory. And how wide it is. */

import { OutputError } from './errors.ts';

/** Text is handed to the stream in pieces of about this many characters. */
const CHUNK = 64 * 1024;

/** The reader of stdout has gone (`| head`): not an error, only a reason to stop. */
export class OutputClosed extends Error {
  override readonly name: string = 'OutputClosed';
}

export class Output {
  readonly #stream: NodeJS.WritableStream;
  #pending: string[] = [];
  #pendingLength = 0;
  #failure: Error | null = null;
  #wake: (() => void) | null = null;
  /** Whether anything was written: then an error cannot be a JSON document of its own any more. */
  started = false;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
    const resume = (): void => {
      this.#wake?.();
      this.#wake = null;
    };
    stream.on('drain', resume);
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure =
        error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED'
          ? new OutputClosed('stdout is closed')
          : new OutputError({
              code: 'OUTPUT_WRITE_FAILED',
              path: 'stdout',
              message: `could not be written: ${error.message}`,
              hint: 'see whether the disk is full',
              errno: error.code,
            });
      resume();
    });
  }

  /** Adds text without waiting. Returns true where `flush` is due. */
  append(text: string): boolean {
    this.#pending.push(text);
    this.#pendingLength += text.length;
    return this.#pendingLength >= CHUNK;
  }

  /** Hands everything to the stream and waits until it can take more. Throws `OutputClosed` where the reader has gone. */
  async flush(): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    if (this.#pendingLength === 0) return;
    const text = this.#pending.join('');
    this.#pending = [];
    this.#pendingLength = 0;
    this.started = true;
    if (!this.#stream.write(text)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      if (this.#failure !== null) throw this.#failure;
    }
  }

  /** Adds text and hands it on. */
  async write(text: string): Promise<void> {
    this.append(text);
    await this.flush();
  }

  /** Writes one JSON document and a newline. */
  async json(document: object): Promise<void> {
    await this.write(`${JSON.stringify(document, null, 2)}\n`);
  }

  /** Drops what was added and not yet handed on. */
  discard(): void {
    this.#pending = [];
    this.#pendingLength = 0;
  }
}

/** Below this, tables fall apart: lines that are too long for the terminal are easier to read. */
const NARROWEST = 40;

/**
 * Columns of the output: of the terminal, of `COLUMNS`, of the terminal of stderr (where a pager stands between), else 100.
 * A terminal without a known size says 0, which tells nothing.
 */
export function outputWidth(stdout: number | undefined, told: string | undefined, stderr: number | undefined): number {
  const columns = [stdout, Number.parseInt(told ?? '', 10), stderr].find((width) => width !== undefined && width > 0);
  return Math.max(NARROWEST, columns ?? 100);
}
