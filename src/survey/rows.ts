/** Worker threads over a list of files. A worker that crashes costs its own file only: another one takes its place. */

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { SurveyRow } from './row.ts';

/**
 * One row a file, in the order of `files`: what the worker answered, or that it crashed. `worker` is the URL of a module that
 * answers each name with a row; `progress` is called with how many files are done, of how many.
 */
export async function surveyRows(
  files: readonly string[],
  worker: URL,
  progress: (done: number, all: number) => void,
): Promise<SurveyRow[]> {
  const rows = new Map<number, SurveyRow>();
  let next = 0;
  const lane = async (): Promise<void> => {
    let thread: WorkerThread | null = null;
    while (next < files.length) {
      const index = next++;
      thread ??= new WorkerThread(worker);
      const row: SurveyRow = await thread.ask(files[index] as string);
      rows.set(index, row);
      if (row.kind === 'crashed') thread = null;
      progress(rows.size, files.length);
    }
    await thread?.end();
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), files.length) }, lane));
  return files.map((_, index) => rows.get(index) as SurveyRow);
}

/** A worker that is asked one file after the other; where it ends, the file that it was asked for has that as its row. */
class WorkerThread {
  readonly #thread: Worker;
  #asked: { readonly file: string; readonly resolve: (row: SurveyRow) => void } | null = null;
  #ended: string | null = null;

  constructor(url: URL) {
    this.#thread = new Worker(url);
    this.#thread.on('message', (row: SurveyRow) => this.#answer(row));
    this.#thread.on('error', (error: unknown) => {
      this.#crash(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    });
    this.#thread.on('exit', (code) => {
      this.#ended = `the worker ended with ${code}`;
      this.#crash(this.#ended);
    });
  }

  ask(file: string): Promise<SurveyRow> {
    return new Promise((resolve) => {
      this.#asked = { file, resolve };
      if (this.#ended === null) this.#thread.postMessage(file);
      else this.#crash(this.#ended);
    });
  }

  end(): Promise<number> {
    return this.#thread.terminate();
  }

  /** What a dying worker still says goes nowhere. */
  #answer(row: SurveyRow): void {
    this.#asked?.resolve(row);
    this.#asked = null;
  }

  #crash(words: string): void {
    if (this.#asked !== null) this.#answer({ kind: 'crashed', file: this.#asked.file, words });
  }
}
