import { expect, test } from 'vitest';
import { selectFunction } from '../../machine/selector.ts';
import { buildTree } from '../../pcie/build-tree.ts';
import { devicePath } from './device-path.ts';

const { hierarchy } = buildTree({
  rootBuses: [
    {
      hostBridge: null,
      children: [
        {
          kind: 'rootPort',
          below: [
            {
              kind: 'switch',
              ports: [
                { below: [{ kind: 'endpoint', functions: [{}, {}] }] },
                { below: [{ kind: 'endpoint', functions: [{}] }] },
              ],
            },
          ],
        },
      ],
    },
  ],
});

test('a path names the function on the root bus in full, then device and function of each step', () => {
  const paths = hierarchy.functions.map((_, index) => devicePath(hierarchy, index));
  const root = hierarchy.functions[0]?.name;
  expect(paths).toEqual([
    root,
    `${root}/00.0`,
    `${root}/00.0/00.0`,
    `${root}/00.0/01.0`,
    `${root}/00.0/00.0/00.0`,
    `${root}/00.0/00.0/00.1`,
    `${root}/00.0/01.0/00.0`,
  ]);
});

test('every path selects the function that it was made of', () => {
  for (const [index, fn] of hierarchy.functions.entries()) {
    expect(selectFunction(hierarchy, devicePath(hierarchy, index) ?? '', 'X')).toBe(fn);
  }
});
