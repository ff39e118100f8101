/** A case as a drawing: the tree of its legs, with what its ACS registers hold. */

import { type Case, letterOf, wordText } from './case.ts';
import { type Common, endsOf } from './shape.ts';

const KINDS: Readonly<Record<string, string>> = {
  r: 'root port',
  u: 'switch upstream port',
  d: 'switch downstream port',
  e: 'endpoint',
  f: 'function of one device',
  b: 'bridge to PCI',
  c: 'PCI device',
  i: 'integrated endpoint',
};
const TOPS: Readonly<Record<Common, string | null>> = {
  function: 'endpoint',
  switch: 'switch upstream port',
  innerSwitch: 'switch upstream port',
  rootPort: 'root port',
  downstreamPort: 'switch downstream port',
  pciBridge: 'bridge to PCI',
  hostBridge: null,
  hostBridges: null,
};

interface Node {
  readonly name: string;
  readonly kind: string;
  readonly below: Node[];
}

/** The lines of the drawing, the root first. */
export function draw(one: Case): string[] {
  const { shape, acs } = one;
  const legs = (['c', 'p'] as const).flatMap((side) => {
    const leg = side === 'c' ? shape.client : shape.provider;
    const nodes = [...leg].map((_, at): Node => node(one, `${side}${at + 1}`));
    nodes.forEach((above, at) => {
      if (nodes[at + 1]) above.below.push(nodes[at + 1] as Node);
    });
    return nodes.slice(0, 1);
  });
  const top = TOPS[shape.common];
  const ends = endsOf(shape);
  const lines: string[] = [];
  const put = ({ name, kind, below }: Node, first: string, rest: string): void => {
    const word = wordText(acs.get(name) ?? 0);
    const role = [name === ends.client ? 'client' : '', name === ends.provider ? 'provider' : ''].filter(Boolean);
    const parts = [`${name} ${kind}`, role.join(' and '), word === '' ? '' : `ACS ${word}`].filter(Boolean);
    lines.push(`${first}${parts.join(', ')}`);
    below.forEach((child, at) => {
      const last = at === below.length - 1;
      put(child, `${rest}${last ? '└─ ' : '├─ '}`, `${rest}${last ? '   ' : '│  '}`);
    });
  };
  if (top === null) {
    const bridges = shape.common === 'hostBridge' ? ['host bridge'] : ['host bridge', 'another host bridge'];
    bridges.forEach((name, at) => {
      lines.push(name);
      const below = shape.common === 'hostBridge' ? legs : legs.slice(at, at + 1);
      for (const [index, leg] of below.entries()) {
        const last = index === below.length - 1;
        put(leg, last ? '└─ ' : '├─ ', last ? '   ' : '│  ');
      }
    });
    return lines;
  }
  let root: Node = { name: 'top', kind: top, below: legs };
  if (shape.common === 'innerSwitch') root = { name: 'out', kind: KINDS['d'] as string, below: [root] };
  if (shape.common === 'downstreamPort' || shape.common === 'innerSwitch')
    root = { name: 'up', kind: KINDS['u'] as string, below: [root] };
  if (shape.common !== 'rootPort') root = { name: 'rp', kind: KINDS['r'] as string, below: [root] };
  put(root, '', '');
  return lines;
}

function node({ shape }: Case, name: string): Node {
  return { name, kind: KINDS[letterOf(shape, name)] ?? '', below: [] };
}
