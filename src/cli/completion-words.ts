/** The words that completion offers: values of options, and what may stand as an argument. */

import { DIAGNOSES } from '../doctor/table.ts';
import { SET_NAMES } from '../machine/selector.ts';
import { POLICY_NAMES } from '../p2p/policy.ts';
import type { ArgumentEntry } from './command-tree.ts';
import { examples, scenarioNames } from './examples-folder.ts';

const IDS = DIAGNOSES.map(({ id }) => id);

const VALUES: Readonly<Record<string, readonly string[]>> = {
  '--policy': POLICY_NAMES,
  '--explain': IDS,
  '--only': IDS,
  '--fail-on': ['error', 'warning', 'note', 'never'],
  '--cpu': ['AuthenticAMD:23', 'GenuineIntel:6'],
  '--providers': SET_NAMES,
  '--clients': SET_NAMES,
  '--classify': ['flags', 'lookup', 'page', 'premapped', 'certified'],
  '--iommu': ['on', 'off', 'passthrough'],
  '--engine': ['sim', 'qemu', 'both'],
};

/** The values of an option by its long name; none where any text, or a file, may follow. */
export function valuesOf(long: string): readonly string[] {
  return VALUES[long] ?? [];
}

/** The words that may stand as an argument; beside those of a machine or a scenario, files may. */
export function wordsOf(takes: ArgumentEntry['takes']): readonly string[] {
  switch (takes) {
    case 'machine':
      return ['live', ...examples().map(({ name }) => `example:${name}`)];
    case 'scenario':
      return scenarioNames().map((name) => `example:${name}`);
    case 'shell':
      return ['bash', 'zsh', 'fish'];
  }
}
