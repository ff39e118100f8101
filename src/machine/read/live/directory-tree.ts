/**
 * A folder on disk as a tree of files. Confined: symbolic links are followed by hand, an absolute target counts from the
 * folder and `..` at its top stays there, so that nothing outside is ever read.
 */

import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { plainBytes } from '../../../core/bytes.ts';
import { FILE_MAX, type FileTree, type PassedOver, PassedOverList } from '../root/file-tree.ts';

/** As many links in one path as Linux follows before it says ELOOP. */
const LINKS_MAX = 40;

export class DirectoryTree implements FileTree {
  readonly #root: string;
  /** Folder paths already followed: path as asked -> path without links, null where it leads nowhere. */
  readonly #folders = new Map<string, string | null>([['', '']]);
  readonly #unreadable: string[] = [];
  readonly #passedOver = new PassedOverList();

  /** @param root the folder on disk that is the top of the tree */
  constructor(root: string) {
    this.#root = root;
  }

  /** Paths that are there and may not be read, in the order in which they were asked for. */
  get unreadable(): readonly string[] {
    return this.#unreadable;
  }

  get passedOver(): readonly PassedOver[] {
    return this.#passedOver.items;
  }

  list(path: string): readonly string[] | null {
    const real = this.#follow(path);
    if (real === null) return null;
    try {
      return readdirSync(this.#onDisk(real)).sort();
    } catch (error) {
      this.#remember(real, error);
      return null;
    }
  }

  read(path: string): Uint8Array | null {
    const real = this.#follow(path);
    if (real === null) return null;
    try {
      const stats = lstatSync(this.#onDisk(real));
      if (stats.isDirectory()) return this.#passedOver.folder(path);
      // A FIFO would block and a device never end: neither is part of a capture.
      if (!stats.isFile()) return this.#passedOver.special(path);
      if (stats.size > FILE_MAX) return this.#passedOver.tooLarge(path, stats.size);
      return plainBytes(readFileSync(this.#onDisk(real)));
    } catch (error) {
      this.#remember(real, error);
      return null;
    }
  }

  resolve(path: string): string | null {
    return this.#follow(path);
  }

  linkTarget(path: string): string | null {
    const parts = partsOf(path);
    const name = parts.pop();
    const folder = this.#follow(parts.join('/'));
    if (name === undefined || folder === null) return null;
    try {
      return readlinkSync(this.#onDisk(folder === '' ? name : `${folder}/${name}`));
    } catch {
      return null;
    }
  }

  #onDisk(path: string): string {
    return join(this.#root, path);
  }

  #remember(path: string, error: unknown): void {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EACCES' || code === 'EPERM') this.#unreadable.push(path);
  }

  /** The path without links, or null where it leads nowhere. */
  #follow(path: string): string | null {
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) return '';
    // The folders repeat, the last step seldom does.
    const folder = this.#followFolder(parts.join('/'));
    return folder === null ? null : this.#walk(folder, [name]);
  }

  #followFolder(path: string): string | null {
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const slash = path.lastIndexOf('/');
    const above = this.#followFolder(slash < 0 ? '' : path.slice(0, slash));
    const real = above === null ? null : this.#walk(above, [path.slice(slash + 1)]);
    this.#folders.set(path, real);
    return real;
  }

  /** Takes `steps` (last first) from a folder without links. */
  #walk(from: string, steps: string[]): string | null {
    const trail = partsOf(from);
    let links = 0;
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      if (step === '..') {
        trail.pop();
        continue;
      }
      trail.push(step);
      const path = trail.join('/');
      const stats = this.#stat(path);
      if (stats === null || (steps.length > 0 && !stats.isDirectory() && !stats.isSymbolicLink())) return null;
      if (!stats.isSymbolicLink()) continue;
      if (++links > LINKS_MAX) return null;
      trail.pop();
      const target = readlinkSync(this.#onDisk(path));
      if (target.startsWith('/')) trail.length = 0;
      steps.push(
        ...target
          .split('/')
          .filter((part) => part !== '' && part !== '.')
          .reverse(),
      );
    }
    return trail.join('/');
  }

  #stat(path: string): Stats | null {
    try {
      return lstatSync(this.#onDisk(path));
    } catch (error) {
      this.#remember(path, error);
      return null;
    }
  }
}

function partsOf(path: string): string[] {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return parts;
}
