/**
 * The house rules as functions over source files: floors, forbidden arrows, circles, where Node may be used, chance and time. Some
 * floors of the table are still empty: their place is decided.
 */

export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
}

/** What an engine implements. */
const CONTRACTS: readonly string[] = ['engine/register', 'engine/transfer'];

/** What each floor may import besides core and itself. The longest prefix that matches a file is its floor. */
export const FLOORS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  pcie: [],
  block: [],
  'nvme/spec': [],
  'rdma/spec': [],
  evidence: ['pcie'],
  machine: ['pcie', 'evidence'],
  case: ['evidence', 'machine', 'pcie'],
  iommu: ['pcie'],
  p2p: ['pcie', 'machine'],
  dma: ['block', 'iommu', 'p2p', 'pcie', 'machine'],
  fabric: ['pcie', 'iommu'],
  flow: ['pcie', 'machine', 'p2p'],
  doctor: ['machine', 'iommu', 'pcie', 'p2p', 'evidence', 'case', 'flow'],
  'nvme/device': ['nvme/spec', 'fabric'],
  'nvme/driver': ['nvme/spec', 'dma', 'block', 'engine/register'],
  'rdma/device': ['rdma/spec', 'fabric'],
  'rdma/driver': ['rdma/spec', 'dma', 'block', 'engine/register'],
  'engine/register': ['pcie'],
  'engine/transfer': ['engine/register', 'dma', 'block', 'pcie'],
  'engine/index': CONTRACTS,
  'engine/sim': [...CONTRACTS, 'pcie', 'machine', 'iommu', 'fabric', 'nvme/device', 'rdma/device'],
  'engine/qemu': [...CONTRACTS, 'pcie', 'machine', 'iommu'],
  'engine/linux': [...CONTRACTS, 'pcie', 'machine', 'iommu'],
  scenario: ['*'],
  report: ['*'],
  index: ['*'],
  export: ['*'],
  survey: ['*'],
  web: ['*'],
  cli: ['*'],
};

/** Floors from the top down that may import everything below, and what stands beside or above them. */
const ABOVE: Readonly<Record<string, readonly string[]>> = {
  scenario: ['report', 'index', 'export', 'survey', 'web', 'cli'],
  report: ['index', 'export', 'survey', 'web', 'cli'],
  index: ['export', 'survey', 'web', 'cli'],
  export: ['index', 'survey', 'web', 'cli'],
  survey: ['index', 'export', 'web', 'cli'],
  web: ['index', 'cli'],
  cli: ['index', 'web'],
};

/** The only folders that may use Node's own modules. */
const NODE_FOLDERS = ['machine/read/live/', 'engine/qemu/', 'engine/linux/', 'survey/', 'cli/'];

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

/** Files that may know each other, and why. */
const MUTUAL: readonly { readonly files: readonly string[]; readonly why: string }[] = [
  {
    files: ['fabric/bus.ts', 'fabric/live-function.ts'],
    why: 'a bus holds functions, and each function stands on a bus: one thing in two files, each long enough',
  },
];

/**
 * Files that import each other in a circle, directly or not, types included: each circle sorted, and one sentence. A circle of types
 * breaks nothing at run time, and none of its files can be read alone.
 */
export function circles(files: ReadonlyMap<string, string>): string[] {
  const imports = new Map<string, readonly string[]>();
  for (const [path, text] of files) {
    if (path.endsWith('.test.ts')) continue;
    const targets = [...withoutComments(text).matchAll(IMPORT)].map((match) => (match[1] ?? match[2]) as string);
    imports.set(
      path,
      targets.filter((target) => target.startsWith('.')).map((target) => resolve(path, target)),
    );
  }
  return stronglyConnected(imports)
    .filter((circle) => circle.length > 1)
    .map((circle) => circle.sort())
    .filter((circle) => !MUTUAL.some(({ files: known }) => known.join() === circle.join()))
    .map((circle) => `${circle.join(', ')}: import each other in a circle`);
}

/** Tarjan's strongly connected components, without recursion: a chain of imports may be long. */
function stronglyConnected(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const waiting = new Set<string>();
  const found: string[][] = [];
  const enter = (node: string): void => {
    order.set(node, order.size);
    lowest.set(node, order.get(node) as number);
    stack.push(node);
    waiting.add(node);
  };
  const lower = (node: string, to: number): void => {
    lowest.set(node, Math.min(lowest.get(node) as number, to));
  };
  const leave = (node: string): void => {
    if (lowest.get(node) !== order.get(node)) return;
    const members = stack.splice(stack.indexOf(node));
    for (const member of members) waiting.delete(member);
    found.push(members);
  };
  for (const start of graph.keys()) {
    if (order.has(start)) continue;
    enter(start);
    const path = [{ node: start, next: 0 }];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const target = graph.get(top.node)?.[top.next++];
      if (target === undefined) {
        path.pop();
        const above = path.at(-1);
        if (above !== undefined) lower(above.node, lowest.get(top.node) as number);
        leave(top.node);
      } else if (graph.has(target)) {
        if (!order.has(target)) {
          enter(target);
          path.push({ node: target, next: 0 });
        } else if (waiting.has(target)) lower(top.node, order.get(target) as number);
      }
    }
  }
  return found;
}

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
    return floorRule(path, resolved) ?? indexRule(path, resolved);
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

/** An index is for those outside: what stands in the house is imported where it is, so that who needs what can be seen. */
function indexRule(path: string, target: string): string | null {
  if (!target.endsWith('/index.ts') || path === 'index.ts') return null;
  return `house code imports a file, not the list of ${target}`;
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
