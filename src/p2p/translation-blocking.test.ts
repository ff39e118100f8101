import { expect, test } from 'vitest';
import { present } from '../core/assert.ts';
import type { Machine } from '../machine/machine.ts';
import { buildTree } from '../pcie/build-tree.ts';
import type { AcsDescription } from '../pcie/describe.ts';
import { divergenceOf, TLP_CLASSES } from './directional.ts';
import { JudgeContext } from './judge.ts';
import { POLICIES } from './policy.ts';

/** Provider and client below one switch, the client below a further switch; ACS of the two ports above the client. */
function nested(outer: AcsDescription, inner: AcsDescription) {
  const endpoint = (name: string) => ({ kind: 'endpoint' as const, name, functions: [{}] });
  const tree = buildTree({
    rootBuses: [
      {
        children: [
          {
            kind: 'rootPort',
            below: [
              {
                kind: 'switch',
                name: 'common',
                ports: [
                  { below: [endpoint('provider')] },
                  {
                    name: 'outer',
                    acs: outer,
                    below: [{ kind: 'switch', ports: [{ name: 'inner', acs: inner, below: [endpoint('client')] }] }],
                  },
                ],
              },
            ],
          },
        ],
      },
    ],
  });
  const { hierarchy, names } = tree;
  const index = (name: string): number => hierarchy.indexOf(present(names.get(name), name));
  const machine: Machine = {
    source: 'described',
    hierarchy,
    ram: [],
    iomem: [],
    cpu: null,
    kernel: null,
    cmdline: null,
    iommuGroupTypes: new Map(),
    notes: [],
  };
  const context = new JudgeContext(machine, POLICIES.directional);
  const pair = { provider: index('provider'), client: index('client'), common: index('common') };
  const routes = TLP_CLASSES.map((tlpClass) => [tlpClass.translated, divergenceOf(context, pair, tlpClass)] as const);
  return { routes, index };
}

test('E9: Translation Blocking anywhere between client and common port blocks translated requests, and no others', () => {
  for (const where of ['outer', 'inner'] as const) {
    const tb: AcsDescription = ['TB', 'DT'];
    const { routes, index } = where === 'outer' ? nested(tb, 'clear') : nested('clear', tb);
    for (const [translated, { route, at }] of routes) {
      expect([translated, route, at]).toEqual([
        translated,
        translated ? 'blocked' : 'direct',
        translated ? [index(where)] : [],
      ]);
    }
  }
  for (const [, { route }] of nested('clear', 'clear').routes) expect(route).toBe('direct');
});
