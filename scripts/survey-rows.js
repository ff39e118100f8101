/** Worker threads over a list of files. A worker that crashes costs its own file only: another one takes its place. */

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/**
 * One row a file, in the order of `files`: what the worker answered, or `{ file, crashed }` with the words of what ended it.
 * `worker` is the URL of a module that answers each name with a row; `progress` is told how many files are done, of how many.
 */
export async function surveyRows(files, worker, progress) {
  const rows = new Array(files.length);
  let next = 0;
  let done = 0;
  const lanes = Math.min(availableParallelism(), files.length);
  const lane = async () => {
    let thread = null;
    while (next < files.length) {
      const index = next++;
      thread ??= workerThread(worker);
      rows[index] = await thread.ask(files[index]);
      if (rows[index].crashed !== undefined) thread = null;
      progress(++done, files.length);
    }
    await thread?.end();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return rows;
}

/** A worker that is asked one file after the other; where it ends, the file that it was asked for has that as its row. */
function workerThread(url) {
  const thread = new Worker(url);
  let asked = null;
  let ended = null;
  const answer = (row) => {
    // What a dying worker still says is heard by nobody.
    asked?.resolve(row);
    asked = null;
  };
  const crash = (words) => asked !== null && answer({ file: asked.file, crashed: words });
  thread.on('message', answer);
  thread.on('error', (error) => crash(`${error?.name ?? 'Error'}: ${error?.message ?? error}`));
  thread.on('exit', (code) => {
    ended = `the worker ended with ${code}`;
    crash(ended);
  });
  return {
    ask: (file) =>
      new Promise((resolve) => {
        asked = { file, resolve };
        if (ended === null) thread.postMessage(file);
        else crash(ended);
      }),
    end: () => thread.terminate(),
  };
}
