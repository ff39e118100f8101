import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkFile, circles, FLOORS } from './rules.ts';

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
    [
      'a driver of a network card knows the card',
      'rdma/driver/a.ts',
      "import type { x } from '../device/nic.ts';",
      /rdma\/driver may not import rdma\/device/,
    ],
    ['flow runs transfers', 'flow/a.ts', "import { x } from '../fabric/fabric.ts';", /flow may not import fabric/],
    ['a case is judged', 'case/a.ts', "import { x } from '../p2p/judge.ts';", /case may not import p2p/],
    [
      'a contract knows an engine',
      'engine/register/a.ts',
      "import type { x } from '../sim/sim-engine.ts';",
      /engine\/register may not import engine\/sim/,
    ],
    [
      'a contract of transfers knows the fabric',
      'engine/transfer/a.ts',
      "import type { x } from '../../fabric/hop.ts';",
      /engine\/transfer may not import fabric/,
    ],
    [
      'the engine of the live kernel knows the simulator',
      'engine/linux/a.ts',
      "import { x } from '../sim/sim-engine.ts';",
      /engine\/linux may not import engine\/sim/,
    ],
    [
      'a view calls the command line',
      'report/a.ts',
      "import { x } from '../cli/main.ts';",
      /report may not import cli/,
    ],
    ['a view uses Node', 'report/a.ts', "import { readFileSync } from 'node:fs';", /node: modules are only for/],
    ['an exporter knows the page', 'export/a.ts', "import { x } from '../web/page.ts';", /export may not import web/],
    ['an exporter uses Node', 'export/a.ts', "import { x } from 'node:path';", /node: modules are only for/],
    [
      'the survey calls the command line',
      'survey/a.ts',
      "import { x } from '../cli/a.ts';",
      /survey may not import cli/,
    ],
    ['the page calls the command line', 'web/a.ts', "import { x } from '../cli/main.ts';", /web may not import cli/],
    ['the command line is part of a page', 'cli/a.ts', "import { x } from '../web/page.ts';", /cli may not import web/],
    [
      'an index is imported in the house',
      'dma/a.ts',
      "import { x } from '../core/index.ts';",
      /imports a file, not the list of core\/index\.ts/,
    ],
    ['a test alone', 'core/a.test.ts', "test.only('x', () => {});", /no \.only/],
    ['a barrel', 'core/index.ts', "export * from './hex.ts';", /lists its names by hand/],
  ];
  test.each(cases)('%s', (_what, path, text, rule) => {
    const violations = checkFile(path, `// first line\n${text}\n`);
    expect(violations.map((violation) => violation.rule).join('\n')).toMatch(rule);
    expect(violations[0]?.line).toBe(2);
  });
  test('the live kernel, the survey and the command line may use Node; the front door lists indexes', () => {
    const node = "import { readFileSync } from 'node:fs';\n";
    for (const path of ['engine/linux/a.ts', 'survey/a.ts', 'cli/a.ts'])
      expect(checkFile(path, node), path).toEqual([]);
    expect(checkFile('index.ts', "export { x } from './core/index.ts';\n")).toEqual([]);
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

describe('HOUSE5: no files import each other in a circle, types included', () => {
  test('in src/ there is none but what is named with its reason', () => {
    const texts = new Map(sources().map((path) => [path, readFileSync(new URL(`src/${path}`, ROOT), 'utf8')]));
    expect(circles(texts)).toEqual([]);
  });

  test('a circle fires: of two, of three through a type and a lazy import, and not a diamond', () => {
    const importing = (...targets: string[]): string =>
      targets.map((target) => `import type { x } from '${target}';\n`).join('');
    const two = new Map([
      ['pcie/a.ts', importing('./b.ts')],
      ['pcie/b.ts', importing('./a.ts')],
      ['pcie/c.ts', importing('./a.ts')],
    ]);
    expect(circles(two)).toEqual(['pcie/a.ts, pcie/b.ts: import each other in a circle']);
    const three = new Map([
      ['p2p/a.ts', importing('./b.ts')],
      ['p2p/b.ts', "export type { x } from './c.ts';\n"],
      ['p2p/c.ts', "const load = () => import('./a.ts');\n"],
    ]);
    expect(circles(three)).toEqual(['p2p/a.ts, p2p/b.ts, p2p/c.ts: import each other in a circle']);
    const diamond = new Map([
      ['dma/a.ts', importing('./b.ts', './c.ts')],
      ['dma/b.ts', importing('./d.ts')],
      ['dma/c.ts', importing('./d.ts')],
      ['dma/d.ts', ''],
      ['dma/d.test.ts', importing('./a.ts')],
    ]);
    expect(circles(diamond)).toEqual([]);
  });
});
