/** Diagnoses whose evidence is single registers: links, resizable BARs, addresses, serial numbers. */

import { expect, test } from 'vitest';
import { checkMachine } from '../../src/doctor/check-machine.ts';
import type { DiagnosisId, Finding } from '../../src/doctor/finding.ts';
import { buildMachine } from '../../src/machine/build.ts';
import type { Machine } from '../../src/machine/machine.ts';
import { POLICIES } from '../../src/p2p/policy.ts';
import { formatBdf } from '../../src/pcie/bdf.ts';
import { buildTree } from '../../src/pcie/build-tree.ts';
import { ConfigSpace } from '../../src/pcie/config-space.ts';
import type { DeviceDescription, RootBusDescription } from '../../src/pcie/describe.ts';
import { LISTED } from './machines.ts';

type Edit = (view: DataView, express: number) => void;

function card(name: string, vendorId = 0x1002): DeviceDescription {
  return {
    kind: 'endpoint',
    name,
    functions: [{ vendorId, deviceId: 0x74a1, classCode: 0x030200, bars: [{ size: 2 ** 28, prefetchable: true }] }],
  };
}

/** A machine whose named functions have registers changed. */
function edited(rootBuses: readonly RootBusDescription[], edits: Readonly<Record<string, Edit>>): Machine {
  const tree = buildTree({ rootBuses });
  const nameOf = new Map([...tree.names].map(([name, bdf]) => [formatBdf(bdf), name]));
  const functions = tree.facts.map((facts) => {
    const edit = edits[nameOf.get(formatBdf(facts.bdf)) ?? ''];
    if (edit === undefined) return facts;
    const bytes = new Uint8Array(4096);
    bytes.set(facts.config.bytes);
    let express = bytes[0x34] as number;
    while (express !== 0 && bytes[express] !== 0x10) express = bytes[express + 1] as number;
    edit(new DataView(bytes.buffer), express);
    return { ...facts, config: new ConfigSpace(bytes) };
  });
  return buildMachine({ source: 'described', functions, cpu: { vendor: 'GenuineIntel', family: 6 }, kernel: '6.12.1' });
}

function two(memory64?: number): RootBusDescription[] {
  const link = { speedGts: 16, width: 16 };
  return [
    {
      hostBridge: LISTED,
      ...(memory64 === undefined ? {} : { memory64 }),
      children: [
        { kind: 'rootPort', name: 'p', link, below: [card('a')] },
        { kind: 'rootPort', name: 'q', link, below: [card('b')] },
      ],
    },
  ];
}

function findings(machine: Machine, id: DiagnosisId): Finding[] {
  return checkMachine(machine, POLICIES['linux-6.12']).findings.filter((finding) => finding.id === id);
}

/** Link Status: width in bits 9:4, speed in bits 3:0. */
const link =
  (speed: number, width: number): Edit =>
  (view, express) =>
    view.setUint16(express + 0x12, (width << 4) | speed, true);

test('LINK-DEGRADED: fewer lanes than both ends can is a warning with both registers', () => {
  const [finding] = findings(edited(two(), { a: link(4, 8), p: link(4, 8) }), 'LINK-DEGRADED');
  expect(finding).toMatchObject({ severity: 'warning', sure: 'certain' });
  expect(finding?.evidence.map(({ value }) => value)).toEqual(['x8 16 GT/s', 'x8 16 GT/s']);
  expect(findings(edited(two(), {}), 'LINK-DEGRADED')).toEqual([]);
});

test('LINK-DEGRADED: a slow link with all lanes is a question, never a fault', () => {
  expect(findings(edited(two(), { a: link(1, 16), p: link(1, 16) }), 'LINK-DEGRADED')).toMatchObject([
    { severity: 'note', sure: 'open' },
  ]);
});

/** A Resizable BAR capability for BAR0 as the last extended one: sizes as bits from 1 MiB at bit 4 on, the size in use as log2 of MiB. */
function rebar(now: number, sizes: number): Edit {
  return (view) => {
    let at = 0x100;
    for (let steps = 0; steps < 64; steps++) {
      const next = view.getUint32(at, true) >>> 20;
      if (next === 0) break;
      at = next;
    }
    const header = view.getUint32(at, true);
    const place = 0xf00;
    if ((header & 0xffff) === 0) view.setUint32(0x100, ((place << 20) | 0x10000 | 0x0b) >>> 0, true);
    else view.setUint32(at, (header | (place << 20)) >>> 0, true);
    view.setUint32(place, 0x10015, true);
    view.setUint32(place + 4, sizes, true);
    view.setUint32(place + 8, (now << 8) | (1 << 5), true);
  };
}

test('BAR-SMALL: a BAR below the largest size of its Resizable BAR capability', () => {
  const sizes = (1 << (8 + 4)) | (1 << (15 + 4));
  const [finding] = findings(edited(two(), { a: rebar(8, sizes) }), 'BAR-SMALL');
  expect(finding?.title).toContain('256 MiB of up to 32 GiB');
  expect(findings(edited(two(), { a: rebar(15, sizes) }), 'BAR-SMALL')).toEqual([]);
});

test('ADDR-MASK: a BAR above 44 bits beside GPUs that may not reach it, and none below', () => {
  expect(findings(edited(two(2 ** 45), {}), 'ADDR-MASK')).toMatchObject([{ severity: 'note', sure: 'open' }]);
  expect(findings(edited(two(2 ** 40), {}), 'ADDR-MASK')).toEqual([]);
});

test('HIDDEN-LINK: two switches of one chip by vendor and device below two root ports; of two makers it is none', () => {
  const switches = (second: number): Machine =>
    edited(
      [
        {
          hostBridge: LISTED,
          children: [0x1000, second].map((vendorId, index) => ({
            kind: 'rootPort' as const,
            below: [
              {
                kind: 'switch' as const,
                upstream: { vendorId, deviceId: 0xc030 },
                ports: [{ below: [card(`card${index}`)] }],
              },
            ],
          })),
        },
      ],
      {},
    );
  expect(findings(switches(0x1000), 'HIDDEN-LINK')).toMatchObject([{ severity: 'note' }]);
  expect(findings(switches(0x1001), 'HIDDEN-LINK')).toEqual([]);
});
