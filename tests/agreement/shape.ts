/**
 * A pair of functions by the two legs that lead to it from where they meet. A verdict depends on nothing else, so the legs
 * are what is enumerated.
 *
 *            out, up, rp              above the common node, where there is anything
 *                |
 *               top                   the common node
 *              /   \
 *            c1     p1                the divergence ports
 *             |      |
 *            c2     p2  ...           the last of each leg are client and provider; an empty leg ends at `top`
 *
 * A leg is written letter by letter from the top: `de` is a downstream port and an endpoint below it.
 */

/** What stands where the legs meet, and above; `hostBridge` and `hostBridges` (one, or one each) have no node there. */
export type Common =
  | 'function'
  | 'switch'
  /** A switch below a further switch. */
  | 'innerSwitch'
  | 'rootPort'
  | 'downstreamPort'
  | 'pciBridge'
  | 'hostBridge'
  | 'hostBridges';

export interface Shape {
  readonly common: Common;
  readonly client: string;
  readonly provider: string;
}

/** r root port, u/d switch ports, e endpoint, f function of a shared device, b bridge to PCI, c PCI device, i integrated endpoint. */
const NEXT: Readonly<Record<string, string>> = { r: 'eub', u: 'd', d: 'eub', e: '', f: '', b: 'cb', c: '', i: '' };
/** What a leg may begin with below each common node. */
const FIRST: Readonly<Record<Common, string>> = {
  function: '',
  switch: 'd',
  innerSwitch: 'd',
  rootPort: 'feub',
  downstreamPort: 'feub',
  pciBridge: 'cb',
  hostBridge: 'ri',
  hostBridges: 'ri',
};
/** Below one port there is one device: two legs that both leave it are functions of that device. */
const ONE_LINK: readonly Common[] = ['rootPort', 'downstreamPort'];

/** All legs of exactly `length` nodes below a common node. */
export function legsOf(common: Common, length: number): string[] {
  let legs = [''];
  for (let at = 0; at < length; at++) {
    legs = legs.flatMap((leg) => {
      const next = leg === '' ? FIRST[common] : NEXT[leg[leg.length - 1] as string];
      return [...(next ?? '')].map((letter) => leg + letter);
    });
  }
  return legs;
}

/** Whether such a machine can be built, and the pair meets where the shape says. */
export function isPossible({ common, client, provider }: Shape): boolean {
  const empty = client === '' || provider === '';
  if (common === 'function') return client === '' && provider === '';
  if (common === 'hostBridge' || common === 'hostBridges') return !empty;
  if (!ONE_LINK.includes(common)) return client !== '' || provider !== '';
  if (empty) return !(client + provider).startsWith('f') && client !== provider;
  return client === 'f' && provider === 'f';
}

/** All shapes with legs of up to `longest` nodes. */
export function allShapes(longest: number): Shape[] {
  const shapes: Shape[] = [];
  for (const common of Object.keys(FIRST) as Common[]) {
    for (let c = 0; c <= longest; c++) {
      for (let p = 0; p <= longest; p++) {
        for (const client of legsOf(common, c)) {
          for (const provider of legsOf(common, p)) {
            const shape = { common, client, provider };
            if (isPossible(shape)) shapes.push(shape);
          }
        }
      }
    }
  }
  return shapes;
}

/** Name of the client's and of the provider's node in the tree that `growLegs` grows. */
export function endsOf({ client, provider }: Shape): { client: string; provider: string } {
  return {
    client: client === '' ? 'top' : `c${client.length}`,
    provider: provider === '' ? 'top' : `p${provider.length}`,
  };
}

/** Names of the nodes that may have Access Control Services: ports that look down, functions that have siblings. */
export function acsNodes(shape: Shape): string[] {
  const names: string[] = [];
  const isSwitch = shape.common === 'switch' || shape.common === 'innerSwitch';
  if (isSwitch || shape.common === 'downstreamPort' || shape.common === 'pciBridge') names.push('rp');
  if (shape.common === 'innerSwitch') names.push('out');
  if (isSwitch || shape.common === 'function' || ONE_LINK.includes(shape.common)) names.push('top');
  for (const [side, leg] of [
    ['c', shape.client],
    ['p', shape.provider],
  ] as const) {
    [...leg].forEach((letter, at) => {
      if ('rdefu'.includes(letter)) names.push(`${side}${at + 1}`);
    });
  }
  return names;
}

/** `switch de/de`. */
export function formatShape({ common, client, provider }: Shape): string {
  return `${common} ${client}/${provider}`;
}

/** Reads what `formatShape` writes; null where it is none. */
export function parseShape(text: string): Shape | null {
  const match = /^(\w+) ([a-z]*)\/([a-z]*)$/.exec(text);
  if (match === null || !((match[1] as string) in FIRST)) return null;
  const shape = { common: match[1] as Common, client: match[2] as string, provider: match[3] as string };
  const known = (leg: string): boolean => legsOf(shape.common, leg.length).includes(leg);
  return known(shape.client) && known(shape.provider) && isPossible(shape) ? shape : null;
}
