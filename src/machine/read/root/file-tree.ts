/** A tree of files as a reader needs it, and one kept in memory with its links. */

/** No attribute of sysfs or file of proc that a reader asks for comes near this many bytes. */
export const FILE_MAX: number = 16 * 1024 * 1024;

/** Something that has the name of a file of a capture and is none. */
export interface PassedOver {
  readonly path: string;
  /** `is a folder, not a file`. */
  readonly why: string;
}

export interface FileTree {
  /** Names in a folder, links followed; null where there is no such folder or it may not be read. */
  list(path: string): readonly string[] | null;
  /** Bytes of a file, links followed; null where there is none, it may not be read, or it is one of those passed over. */
  read(path: string): Uint8Array | null;
  /** What was asked for and is there, and is not what a capture holds, in the order in which it was asked for. */
  readonly passedOver: readonly PassedOver[];
  /** The path with all links followed, without leading slash; null where it leads nowhere. */
  resolve(path: string): string | null;
  /** What the symbolic link at `path` points to, as written, whether or not that was captured; null where it is no link. */
  linkTarget(path: string): string | null;
}

/** Keeps what was passed over, each path once. */
export class PassedOverList {
  readonly items: PassedOver[] = [];
  readonly #paths = new Set<string>();

  folder(path: string): null {
    return this.#add(path, 'is a folder where a file is wanted');
  }

  special(path: string): null {
    return this.#add(path, 'is neither a file nor a folder');
  }

  tooLarge(path: string, bytes: number): null {
    return this.#add(path, `has ${bytes} bytes, and ${FILE_MAX} are read at most`);
  }

  #add(path: string, why: string): null {
    if (!this.#paths.has(path)) this.items.push({ path, why });
    this.#paths.add(path);
    return null;
  }
}

interface Folder {
  readonly kind: 'folder';
  readonly entries: Map<string, Node>;
}
type Node = Folder | { readonly kind: 'file'; readonly bytes: Uint8Array } | { readonly kind: 'link'; target: string };

/** As many links in one path as Linux follows before it says ELOOP. */
const LINKS_MAX = 40;

/** Files, folders and symbolic links in memory. No path leads out of it: `..` at the top stays at the top. */
export class MemoryTree implements FileTree {
  readonly #root: Folder = { kind: 'folder', entries: new Map() };
  readonly #passedOver = new PassedOverList();

  get passedOver(): readonly PassedOver[] {
    return this.#passedOver.items;
  }

  /** Adds a file; folders on the way are made. A later file of the same name wins. Not added below a file or a link. */
  addFile(path: string, bytes: Uint8Array): void {
    this.#add(path, { kind: 'file', bytes });
  }

  /** Adds a symbolic link; the target is relative to the link's folder, or absolute from the top of this tree. */
  addLink(path: string, target: string): void {
    this.#add(path, { kind: 'link', target });
  }

  #add(path: string, node: Node): void {
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) return;
    let folder = this.#root;
    for (const part of parts) {
      let next = folder.entries.get(part);
      if (next === undefined) {
        next = { kind: 'folder', entries: new Map() };
        folder.entries.set(part, next);
      }
      if (next.kind !== 'folder') return;
      folder = next;
    }
    folder.entries.set(name, node);
  }

  list(path: string): readonly string[] | null {
    const node = this.#find(path)?.node;
    return node?.kind === 'folder' ? [...node.entries.keys()] : null;
  }

  read(path: string): Uint8Array | null {
    const node = this.#find(path)?.node;
    if (node === undefined || node.kind === 'link') return null;
    if (node.kind === 'folder') return this.#passedOver.folder(path);
    return node.bytes.length > FILE_MAX ? this.#passedOver.tooLarge(path, node.bytes.length) : node.bytes;
  }

  resolve(path: string): string | null {
    return this.#find(path)?.path ?? null;
  }

  linkTarget(path: string): string | null {
    const slash = path.lastIndexOf('/');
    const folder = this.#find(path.slice(0, Math.max(0, slash)))?.node;
    const node = folder?.kind === 'folder' ? folder.entries.get(path.slice(slash + 1)) : undefined;
    return node?.kind === 'link' ? node.target : null;
  }

  #find(path: string): { node: Node; path: string } | null {
    const pending = partsOf(path).reverse();
    const trail: string[] = [];
    const folders: Folder[] = [this.#root];
    let links = 0;
    for (;;) {
      const part = pending.pop();
      const folder = folders[folders.length - 1] as Folder;
      if (part === undefined) return { node: folder, path: trail.join('/') };
      if (part === '..') {
        trail.pop();
        if (folders.length > 1) folders.pop();
        continue;
      }
      const node = folder.entries.get(part);
      if (node === undefined) return null;
      if (node.kind === 'link') {
        if (++links > LINKS_MAX) return null;
        if (node.target.startsWith('/')) {
          folders.length = 1;
          trail.length = 0;
        }
        for (const step of partsOf(node.target, true).reverse()) pending.push(step);
        continue;
      }
      trail.push(part);
      if (node.kind === 'file') return pending.length === 0 ? { node, path: trail.join('/') } : null;
      folders.push(node);
    }
  }
}

function partsOf(path: string, keepUp = false): string[] {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && !keepUp) parts.pop();
    else parts.push(part);
  }
  return parts;
}
