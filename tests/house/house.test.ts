import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkFile, FLOORS } from './rules.ts';

const ROOT = new URL('../../', import.meta.url);

function sources(): string[] {
  return readdirSync(new URL('src/', ROOT), { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts'));
}

test('HOUSE1: every import in src/ goes down the floors, Node stays in its folders, chance and time are handed in', () => {
  const files = sources();
  const violations = files.flatMap((path) => checkFile(path, readFileSync(new URL(`src/${path}`, ROOT), 'utf8')));
  console.log(`checked ${files.length} files on ${Object.keys(FLOORS).length} floors`);
  expect(violations.map(({ file, line, rule }) => `${file}:${line}: ${rule}`)).toEqual([]);
});

describe('HOUSE2: each rule fires', () => {
  const cases: [what: string, path: string, text: string, rule: RegExp][] = [
    [
      'the fabric reads the prediction',
      'fabric/a.ts',
      "import { x } from '../p2p/distance.ts';",
      /fabric may not import p2p/,
    ],
    [
      'the fabric reads the mapping',
      'fabric/a.ts',
      "import type { x } from '../dma/mapping.ts';",
      /fabric may not import dma/,
    ],
    [
      'the driver knows the device',
      'nvme/driver/a.ts',
      "import { x } from '../device/controller.ts';",
      /nvme\/driver may not import nvme\/device/,
    ],
    [
      'the driver knows an engine',
      'nvme/driver/a.ts',
      "import { x } from '../../engine/sim/sim.ts';",
      /may not import engine\/sim/,
    ],
    ['core looks up', 'core/a.ts', "import { x } from '../pcie/bdf.ts';", /core may not import pcie/],
    [
      'a re-export is an import',
      'pcie/a.ts',
      "export { x } from '../machine/machine.ts';",
      /pcie may not import machine/,
    ],
    ['a lazy import is an import', 'dma/a.ts', "const x = await import('../cli/main.ts');", /dma may not import cli/],
    [
      'scenario calls the command line',
      'scenario/a.ts',
      "import { x } from '../cli/main.ts';",
      /scenario may not import cli/,
    ],
    [
      'Node below the border',
      'machine/read/a.ts',
      "import { readFileSync } from 'node:fs';",
      /node: modules are only for/,
    ],
    [
      'evidence knows the machine',
      'evidence/a.ts',
      "import { x } from '../machine/machine.ts';",
      /may not import machine/,
    ],
    ['a dependency in evidence', 'evidence/a.ts', "import { z } from 'zod';", /no run-time dependency/],
    ['a dependency in the core of the house', 'dma/a.ts', "import { z } from 'zod';", /no run-time dependency/],
    ['a folder without a floor', 'attic/a.ts', "import { x } from '../core/hex.ts';", /stands on no floor/],
    ['chance of its own', 'p2p/a.ts', 'const x = Math.random();', /chance comes from Prng/],
    ['time of its own', 'fabric/a.ts', 'const x = Date.now();', /time comes from Clock/],
    ['a test alone', 'core/a.test.ts', "test.only('x', () => {});", /no \.only/],
    ['a barrel', 'core/index.ts', "export * from './hex.ts';", /lists its names by hand/],
  ];
  test.each(cases)('%s', (_what, path, text, rule) => {
    const violations = checkFile(path, `// first line\n${text}\n`);
    expect(violations.map((violation) => violation.rule).join('\n')).toMatch(rule);
    expect(violations[0]?.line).toBe(2);
  });
  test('comments and strings of other text are no imports', () => {
    expect(
      checkFile('fabric/a.ts', "/* import { x } from '../p2p/distance.ts' */\n// Math.random\nconst x = 1;\n"),
    ).toEqual([]);
  });
});

test('HOUSE3: every subpath of package.json is built and names a file', () => {
  const { exports } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as {
    exports: Record<string, string | { types: string; default: string }>;
  };
  const sourcesOf = Object.values(exports).filter((target) => typeof target !== 'string');
  expect(sourcesOf.length).toBeGreaterThan(5);
  for (const target of sourcesOf) {
    const source = target.default.replace('./dist/', 'src/').replace(/\.js$/, '.ts');
    expect(existsSync(new URL(source, ROOT)), source).toBe(true);
  }
});

test('HOUSE4: the files in git name no registry host and no private folder', () => {
  const files = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' }).split('\n').filter(Boolean);
  const forbidden = new RegExp(
    ['registry\\.npm', 'js\\.org', 'deb\\.debian', '/w' + 'ork/', '\\.libr' + 'ary'].join('|'),
  );
  const found = files.filter((file) => {
    if (file.endsWith('.gz') || !existsSync(new URL(file, ROOT))) return false;
    return forbidden.test(readFileSync(new URL(file, ROOT), 'utf8'));
  });
  expect(found).toEqual([]);
});
