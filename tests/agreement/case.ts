/**
 * One case: a shape, the ACS registers of its nodes, and the conditions under which the client sends. Written as a line that
 * `npm run agree -- --case '...'` takes, so that whatever fails can be run again alone:
 *
 *     switch de/dude c1=RR+UF p3=CR iommu=on translated offset
 */

import { ACS_BITS } from 'p2pdma/pcie';
import { acsNodes, formatShape, parseShape, type Shape } from './shape.ts';

export type IommuSetting = 'off' | 'on' | 'passthrough';
export const IOMMU_SETTINGS: readonly IommuSetting[] = ['off', 'on', 'passthrough'];

export interface Conditions {
  readonly iommu: IommuSetting;
  /** The client sends with AT = translated. */
  readonly translated: boolean;
  /** Bus addresses differ from CPU addresses. */
  readonly offset: boolean;
  /** Functions of one device reach each other inside it, and say so by an ACS capability. */
  readonly internal: boolean;
}

export const PLAIN: Conditions = { iommu: 'off', translated: false, offset: false, internal: false };

export interface Case {
  readonly shape: Shape;
  /** By name of the node: ACS Control in bits 6:0, and EGRESS_VECTOR. Nodes left out have all bits off. */
  readonly acs: ReadonlyMap<string, number>;
  readonly conditions: Conditions;
}

/** Beside the control bits: every bit of the egress control vector is set. */
export const EGRESS_VECTOR = 0x80;

const WORDS: readonly (readonly [string, number])[] = [
  ...ACS_BITS.map((bit) => [bit.short, bit.mask] as const),
  ['EV', EGRESS_VECTOR],
];

/** `RR+UF`; EV stands for the egress control vector. */
export function wordText(word: number): string {
  return WORDS.filter(([, mask]) => word & mask)
    .map(([name]) => name)
    .join('+');
}

/** Nodes of a case that have an ACS capability. Functions of a device have one only where they can reach each other inside. */
export function acsNodesOf(shape: Shape, conditions: Pick<Conditions, 'internal'>): string[] {
  return acsNodes(shape).filter((name) => conditions.internal || letterOf(shape, name) !== 'f');
}

/** The letter of a node of a leg, or '' for the nodes that are on none. */
export function letterOf(shape: Shape, name: string): string {
  const leg = name[0] === 'c' ? shape.client : name[0] === 'p' ? shape.provider : '';
  return leg[Number(name.slice(1)) - 1] ?? '';
}

/** A case as a line. */
export function formatCase({ shape, acs, conditions }: Case): string {
  const parts = [formatShape(shape)];
  for (const [name, word] of acs) if (word !== 0) parts.push(`${name}=${wordText(word)}`);
  if (conditions.iommu !== 'off') parts.push(`iommu=${conditions.iommu}`);
  for (const flag of ['translated', 'offset', 'internal'] as const) if (conditions[flag]) parts.push(flag);
  return parts.join(' ');
}

/** Reads what `formatCase` writes. Throws an Error that says what is wrong. */
export function parseCase(text: string): Case {
  const [common, legs, ...rest] = text.trim().split(/\s+/);
  const shape = parseShape(`${common} ${legs}`);
  if (shape === null) throw new Error(`'${common} ${legs}' is no shape: write for instance 'switch de/de'`);
  const acs = new Map<string, number>();
  const conditions = { ...PLAIN };
  for (const word of rest) {
    const [name, value] = word.split('=') as [string, string | undefined];
    if (name === 'iommu' && IOMMU_SETTINGS.includes(value as IommuSetting)) conditions.iommu = value as IommuSetting;
    else if (value === undefined && (name === 'translated' || name === 'offset' || name === 'internal')) {
      conditions[name] = true;
    } else if (value !== undefined && acsNodes(shape).includes(name)) acs.set(name, parseWord(value));
    else throw new Error(`'${word}' is not understood; nodes of this shape are ${acsNodes(shape).join(', ')}`);
  }
  for (const name of acs.keys()) {
    if (!acsNodesOf(shape, conditions).includes(name)) throw new Error(`${name} has ACS only with 'internal'`);
  }
  return { shape, acs, conditions };
}

function parseWord(text: string): number {
  let word = 0;
  for (const name of text.split('+')) {
    const mask = WORDS.find(([short]) => short === name)?.[1];
    if (mask === undefined) throw new Error(`'${name}' is no bit of ACS: ${WORDS.map(([short]) => short).join(', ')}`);
    word |= mask;
  }
  return word;
}
