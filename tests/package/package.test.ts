/** What is published: `npm pack` asked what it would put into the tarball. Nothing is built or written. */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

function packed(): string[] {
  const text = execFileSync('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [tarball] = JSON.parse(text) as { readonly files: readonly { readonly path: string }[] }[];
  return tarball?.files.map(({ path }) => path) ?? [];
}

test('HOUSE6: the tarball has the product, its maps and their sources, and nothing that only builds or tests it', () => {
  const paths = packed();
  const has = new Set(paths);
  for (const path of ['bin/p2pdma.js', 'dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js', 'src/index.ts']) {
    expect(has.has(path), path).toBe(true);
  }
  const others = /tsbuildinfo|\.test\.|^tests\/|^dist\/(?:scripts|bench|claims|agreement)\//;
  expect(paths.filter((path) => others.test(path))).toEqual([]);
  // A dist/ that was built before a file was moved holds both: only what has a source now is asked for its map.
  const sources = paths.filter((path) => path.startsWith('src/') && path.endsWith('.ts'));
  expect(sources.length).toBeGreaterThan(100);
  for (const path of sources) {
    const built = path.replace(/^src\//, 'dist/').replace(/\.ts$/, '');
    if (!existsSync(`${ROOT}${built}.js`)) continue;
    for (const end of ['.js', '.js.map', '.d.ts', '.d.ts.map']) expect(has.has(built + end), built + end).toBe(true);
  }
});
