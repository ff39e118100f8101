/** The house rules as functions over a source file: floors, forbidden arrows, where Node may be used, chance and time. */

export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
}

/** What each floor may import besides core and itself. The longest prefix that matches a file is its floor. */
export const FLOORS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  pcie: [],
  block: [],
  'nvme/spec': [],
  evidence: ['pcie'],
  machine: ['pcie', 'evidence'],
  case: ['evidence', 'machine', 'pcie'],
  iommu: ['pcie'],
  p2p: ['pcie', 'machine'],
  dma: ['block', 'iommu', 'p2p', 'pcie', 'machine'],
  fabric: ['pcie', 'iommu'],
  doctor: ['machine', 'iommu', 'pcie', 'p2p', 'evidence', 'case'],
  'nvme/device': ['nvme/spec', 'fabric'],
  'nvme/driver': ['nvme/spec', 'dma', 'block', 'engine/contract'],
  'engine/contract': ['pcie'],
  'engine/sim': ['engine/contract', 'pcie', 'machine', 'iommu', 'fabric', 'nvme/device'],
  'engine/qemu': ['engine/contract', 'pcie', 'machine', 'iommu'],
  scenario: ['*'],
  report: ['*'],
  cli: ['*'],
  index: ['*'],
};

/** Floors from the top down that may import everything below, and what stands beside or above them. */
const ABOVE: Readonly<Record<string, readonly string[]>> = {
  scenario: ['report', 'index', 'cli'],
  report: ['index', 'cli'],
  index: ['cli'],
  cli: [],
};

/** The only folders that may use Node's own modules. */
const NODE_FOLDERS = ['machine/read/live/', 'engine/qemu/', 'cli/'];

/** What the project exists for: no run-time dependency. */
const WITHOUT_DEPENDENCIES = ['core/', 'pcie/', 'evidence/', 'p2p/', 'block/', 'iommu/', 'dma/', 'fabric/'];

/** The floor of a file below src/, or null where it belongs to none. */
export function floorOf(path: string): string | null {
  const names = Object.keys(FLOORS).sort((a, b) => b.length - a.length);
  return (
    names.find((name) => path === `${name}.ts` || path.startsWith(`${name}/`) || path.startsWith(`${name}.`)) ?? null
  );
}

const IMPORT =
  /(?:^|[\s;}])(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|(?:^|[\s(])import\s*\(?\s*['"]([^'"]+)['"]/gm;

/** Checks one file. `path` is relative to src/, with forward slashes. */
export function checkFile(path: string, text: string): Violation[] {
  const violations: Violation[] = [];
  const isTest = path.endsWith('.test.ts');
  const report = (index: number, rule: string): void => {
    violations.push({ file: `src/${path}`, line: text.slice(0, index).split('\n').length, rule });
  };
  const code = withoutComments(text);
  for (const match of code.matchAll(IMPORT)) {
    const target = (match[1] ?? match[2]) as string;
    const rule = importRule(path, target, isTest);
    if (rule !== null) report((match.index ?? 0) + match[0].indexOf(target), rule);
  }
  for (const { pattern, rule, inTests } of WORDS) {
    if (isTest && !inTests) continue;
    for (const match of code.matchAll(pattern)) report(match.index ?? 0, rule);
  }
  return violations;
}

const WORDS: readonly { pattern: RegExp; rule: string; inTests: boolean }[] = [
  { pattern: /\bMath\.random\b/g, rule: 'chance comes from Prng, handed in', inTests: false },
  {
    pattern: /\b(?:Date\.now|new Date\(\)|performance\.now)/g,
    rule: 'time comes from Clock, handed in',
    inTests: false,
  },
  { pattern: /\b(?:test|describe|it)\.only\b/g, rule: 'no .only is left behind', inTests: true },
  { pattern: /^export \* from/gm, rule: 'an index lists its names by hand', inTests: true },
];

function importRule(path: string, target: string, isTest: boolean): string | null {
  if (target.startsWith('.')) {
    const resolved = resolve(path, target);
    // What several floors' tests share lies in tests/.
    if (isTest && resolved.startsWith('tests/')) return null;
    return floorRule(path, resolved);
  }
  if (isTest) return null;
  if (target.startsWith('node:')) {
    return NODE_FOLDERS.some((folder) => path.startsWith(folder))
      ? null
      : `node: modules are only for ${NODE_FOLDERS.join(', ')}`;
  }
  const folder = WITHOUT_DEPENDENCIES.find((name) => path.startsWith(name));
  return folder === undefined ? null : `${folder} has no run-time dependency, and '${target}' is one`;
}

/** The arrow rule between two files below src/, or null where it is allowed. */
function floorRule(path: string, target: string): string | null {
  const from = floorOf(path);
  const to = floorOf(target);
  if (from === null) return `src/${path} stands on no floor: add its folder to tests/house/rules.ts`;
  if (to === null) return `${target} stands on no floor`;
  if (from === to || to === 'core') return null;
  const allowed = FLOORS[from] as readonly string[];
  if (allowed.includes('*') && !(ABOVE[from] as readonly string[]).includes(to)) return null;
  return allowed.includes(to) ? null : `${from} may not import ${to}`;
}

function resolve(path: string, target: string): string {
  const parts = path.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** The text with comments blanked out, lines kept. */
function withoutComments(text: string): string {
  const blank = (match: string): string => match.replace(/[^\n]/g, ' ');
  return text
    .replace(/\/\*[\s\S]*?\*\//g, blank)
    .replace(/(^|[^:'"`\\])\/\/[^\n]*/g, (match, before: string) => before + blank(match.slice(before.length)));
}
