/**
 * What `p2pdma check` finds in every dump of a folder and of the folders in it: a row a file, and the sums. Files are read by worker
 * threads; on a terminal stderr shows how far it is.
 *
 *   npm run survey -- FOLDER
 *
 * A file that is refused is a row with the code of the refusal. Exit 0 where every file has its row; 2 where no folder is named;
 * 3 where the folder cannot be read or holds no dump; 70 where a worker crashed over a file: that is a mistake of ours.
 */

import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { surveyRows } from './rows.ts';
import { surveyTable } from './table.ts';

/** What stands beside dumps: descriptions, topologies of other tools, and the drawings of lspci -t. */
const NO_DUMP = /\.(json|json\.gz|md|xml)$|lspci-(nn)?tv?\.txt$/;

const WORKER = new URL('./worker.js', import.meta.url);

const [folder] = process.argv.slice(2);
// A reader that has seen enough is no error.
process.stdout.on('error', () => process.exit());
process.exitCode = await survey(folder);

/** Runs the survey; returns the exit code. */
async function survey(root: string | undefined): Promise<number> {
  if (root === undefined) return refuse(2, 'FOLDER: is not named', 'npm run survey -- FOLDER');
  let found: Found;
  try {
    found = dumpsIn(root);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return refuse(3, `${root}: cannot be read: ${code ?? message}`, 'name a folder of dumps');
  }
  if (found.dumps.length === 0) {
    return refuse(3, `${root}: holds no dump`, 'name a folder of lspci listings, archives or captured folders');
  }
  const rows = await surveyRows(found.dumps, WORKER, progressOn(process.stderr));
  const lines = surveyTable(rows, (file) => relative(root, file), found.leftOut);
  process.stdout.write(`${lines.join('\n')}\n`);
  return rows.some(({ kind }) => kind === 'crashed') ? 70 : 0;
}

/** Files and captured folders, sorted; how many files are no dumps by their name. */
interface Found {
  readonly dumps: readonly string[];
  readonly leftOut: number;
}

function dumpsIn(root: string): Found {
  const dumps: string[] = [];
  let leftOut = 0;
  const walk = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const inner = join(path, entry.name);
      if (entry.isDirectory()) {
        if (readdirSync(inner).includes('sys')) dumps.push(inner);
        else walk(inner);
      } else if (NO_DUMP.test(entry.name)) leftOut++;
      else if (entry.isFile() || entry.isSymbolicLink()) dumps.push(inner);
    }
  };
  walk(root);
  return { dumps: dumps.sort(), leftOut };
}

/** Draws a bar on a terminal, and nothing elsewhere. */
function progressOn(stream: NodeJS.WriteStream): (done: number, all: number) => void {
  if (!stream.isTTY) return () => {};
  const width = 30;
  return (done, all) => {
    const full = Math.round((width * done) / all);
    stream.write(`\r[${'#'.repeat(full)}${'.'.repeat(width - full)}] ${done}/${all}${done === all ? '\n' : ''}`);
  };
}

function refuse(code: number, message: string, hint: string): number {
  process.stderr.write(`${message}\nhint: ${hint}\n`);
  return code;
}
