/**
 * A second, deliberately plain reader of decoded listings, for comparison only: it squeezes all white space, so that
 * wrapping and tabs do not matter, and looks for whole phrases. It shares nothing with the product's.
 */

import type { PortType } from '../../src/pcie/express.ts';

export interface RecordedFunction {
  name: string;
  isBridge: boolean | null;
  buses: [primary: number, secondary: number, subordinate: number] | null;
  portType: PortType | 'conventional' | null;
  acs: [capability: number, control: number] | null;
  acsNamed: boolean;
  maxLink: [speed: number | null, width: number | null] | null;
  link: [speed: number | null, width: number | null] | null;
  /** I/O, memory and prefetchable window as `start-end`, inclusive, or `closed`. */
  windows: string[] | null;
  denied: boolean;
  asleep: boolean;
  verbose: boolean;
  numaNode: number | null;
  iommuGroup: number | null;
  driver: string | null;
  sizes: (number | null)[];
  ids: [vendor: number, device: number] | null;
}

const HEADER =
  /^(?:> ?)*((?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])((?:\/[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])*) (?=[A-Z0-9][^:]{1,60}: )/;

const BITS = ['SrcValid', 'TransBlk', 'ReqRedir', 'CmpltRedir', 'UpstreamFwd', 'EgressCtrl', 'DirectTrans'];

const TYPES: [RegExp, PortType][] = [
  [/^Endpoint\b/, 'endpoint'],
  [/^Legacy Endpoint\b/, 'legacyEndpoint'],
  [/^Root Port\b/, 'rootPort'],
  [/^Upstream Port\b/, 'upstreamPort'],
  [/^Downstream Port\b/, 'downstreamPort'],
  [/^PCI-Express to PCI\/PCI-X Bridge/, 'pcieToPci'],
  [/^PCI\/PCI-X to PCI-Express Bridge/, 'pciToPcie'],
  [/^Root Complex Integrated Endpoint\b/, 'rcIntegratedEndpoint'],
  [/^Root Complex Event Collector\b/, 'rcEventCollector'],
];

/** All functions of a decoded listing, by full name. */
export function recordedFunctions(text: string): Map<string, RecordedFunction> {
  const functions = new Map<string, RecordedFunction>();
  let name = '';
  let lines: string[] = [];
  const finish = (): void => {
    if (name !== '' && !functions.has(name)) functions.set(name, recorded(name, lines.join(' ').replace(/\s+/g, ' ')));
  };
  for (const line of text.split('\n')) {
    const match = HEADER.exec(line);
    if (match) {
      finish();
      const path = match[2] as string;
      const address = path === '' ? (match[1] as string) : (path.split('/').pop() as string);
      name = address.length > 7 ? address : `0000:${address}`;
      lines = [line.slice(match[0].length)];
    } else if (name !== '') lines.push(line);
  }
  finish();
  return functions;
}

function recorded(name: string, body: string): RecordedFunction {
  const pair = (key: string): [number | null, number | null] | null => {
    const match = new RegExp(`${key}: [^;]*?Speed (unknown|[\\d.]+)(?:GT/s)?(?: \\(\\w+\\))?, Width x(\\d+)`).exec(
      body,
    );
    return match ? [match[1] === 'unknown' ? null : Number(match[1]), Number(match[2])] : null;
  };
  const flags = (key: string): number | null => {
    const match = new RegExp(`${key}: ((?:\\w+[+-] ?){7})`).exec(body);
    if (!match) return null;
    return BITS.reduce((bits, bit, index) => bits | ((match[1] as string).includes(`${bit}+`) ? 1 << index : 0), 0);
  };
  const buses = / Bus: primary=(\w\w), secondary=(\w\w), subordinate=(\w\w)/.exec(body);
  const express = /Capabilities: \[\w+\] Express (?:\(v\d\) )?(\S.*)/.exec(body)?.[1];
  const capability = flags('ACSCap');
  const control = flags('ACSCtl');
  const verbose = / (?:Control: I\/O|Flags: (?:bus master|fast devsel|medium devsel|66MHz|slow devsel))/.test(body);
  const denied = body.includes('Capabilities: <access denied>');
  const ids = /\[([0-9a-f]{4}):([0-9a-f]{4})\]/.exec(body.split(' Subsystem:')[0] as string);
  const general = body.split(' Capabilities: ')[0] as string;
  return {
    name,
    isBridge: verbose ? buses !== null : null,
    buses: buses ? ([1, 2, 3].map((at) => Number.parseInt(buses[at] as string, 16)) as [number, number, number]) : null,
    portType: express
      ? (TYPES.find(([type]) => type.test(express))?.[1] ?? null)
      : verbose && !denied
        ? 'conventional'
        : null,
    acs: capability !== null && control !== null ? [capability, control] : null,
    acsNamed: /Capabilities: \[\w+(?: v\d+)?\] Access Control Services/.test(body),
    maxLink: pair('LnkCap'),
    link: pair('LnkSta'),
    windows: buses ? ['I/O', 'Memory', 'Prefetchable memory'].map((kind) => window(kind, body)) : null,
    denied,
    asleep: body.includes('!!! Unknown header type'),
    verbose,
    numaNode: number(/NUMA node:? (\d+)/.exec(body)),
    iommuGroup: number(/IOMMU group:? (\d+)/.exec(body)),
    driver: /Kernel driver in use: (\S+)/.exec(body)?.[1] ?? null,
    sizes: [...general.matchAll(/(?:Memory|I\/O ports) at (?:<\w+>|[0-9a-f]+)(?: \([^)]*\))?((?: \[[^\]]*\])*)/g)]
      .filter((match) => !/Expansion ROM $/.test(general.slice(0, match.index)))
      .map((match) => size(match[1] as string)),
    ids: ids ? [Number.parseInt(ids[1] as string, 16), Number.parseInt(ids[2] as string, 16)] : null,
  };
}

function number(match: RegExpExecArray | null): number | null {
  return match ? Number(match[1]) : null;
}

function size(remarks: string): number | null {
  const match = /\[size=(\d+)([KMGT]?)\]/.exec(remarks);
  return match ? Number(match[1]) * 1024 ** ' KMGT'.indexOf(match[2] || ' ') : null;
}

function window(kind: string, body: string): string {
  const match = new RegExp(` ${kind} behind bridge: (?:([0-9a-f]+)-([0-9a-f]+))?((?: ?\\[\\S+\\])*)`).exec(body);
  if (!match) return 'missing';
  const [base, limit] = [Number.parseInt(match[1] ?? '1', 16), Number.parseInt(match[2] ?? '0', 16)];
  return base > limit || /disabled|empty/.test(match[3] as string)
    ? 'closed'
    : `${base.toString(16)}-${limit.toString(16)}`;
}
