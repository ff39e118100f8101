/** Every check of the agreement is shown to fire: by a rule that is wrong, or a fabric that misbehaves. */

import { Prng } from 'p2pdma/core';
import type { RootComplexBehaviour, SamePortRule } from 'p2pdma/fabric';
import { expect, test } from 'vitest';
import { Bed } from './bed.ts';
import { BioRunner } from './bios.ts';
import { parseCase } from './case.ts';
import { Examiner } from './examine.ts';
import { growLegs } from './grow.ts';
import { LegBed, LegRunner } from './legs.ts';
import { reportCase } from './report.ts';
import { endsOf } from './shape.ts';

/** The complaints about a case when another rule is taken for our own. */
function complaintsOf(line: string, claim: 'directional' | 'linux-7.0'): readonly string[] {
  const runner = new LegRunner(() => {}, claim);
  return runner.run(parseCase(line)).complaints;
}

test.each([
  ['E65: busAddr, and the request dies', 'rootPort f/f', /^E65: busAddr, and by the bus address it dies: samePort$/],
  ['E65: busAddr, and the request reaches the root port', 'rootPort f/f top=UF', /^E65: busAddr, .* it is through$/],
  [
    'another type, and the fabric routes directly',
    'switch de/de p1=RR',
    /^thruHostBridge, and the fabric routes it directly$/,
  ],
  [
    'one function, and another type than busAddr',
    'function / top=RR',
    /^one function, and the rule says thruHostBridge$/,
  ],
])('%s: the rule of linux-7.0 is caught, ours is not', (_what, line, complaint) => {
  expect(complaintsOf(line, 'linux-7.0')).toEqual([expect.stringMatching(complaint)]);
  expect(complaintsOf(line, 'directional')).toEqual([]);
});

/** Complaints about `switch de/de c1=RR rp=UF`, whose pair goes through a root complex of this behaviour. */
function through(rootComplex: RootComplexBehaviour): { complaints: readonly string[]; audit: string[] } {
  const { shape, acs } = parseCase('switch de/de c1=RR rp=UF');
  const bed = new Bed(growLegs(shape, { offset: false, internal: false, bystanders: true }), { rootComplex });
  for (const [name, word] of acs) bed.setAcs(bed.index(name), word);
  const examiner = new Examiner(bed);
  const { client, provider } = endsOf(shape);
  const { complaints } = examiner.examine(bed.index(client), bed.index(provider));
  return { complaints, audit: examiner.ledger.audit() };
}

test('thruHostBridge, and the road ends: a root complex that does not forward is caught', () => {
  expect(through('forward')).toEqual({ complaints: [], audit: [] });
  expect(through('drop').complaints).toEqual(['thruHostBridge, and on that road it dies: rootComplexDrops']);
  expect(through('unsupportedRequest').complaints).toEqual([
    'thruHostBridge, and on that road it dies: rootComplexRefuses',
  ]);
});

test('bytes that change on the way are caught, in what is written, in what is read, and in the audit', () => {
  let complaints: readonly string[] = [];
  // One bit in 64 bytes changes: some of the payloads hold one.
  const { shape, acs } = parseCase('switch de/de c1=RR rp=UF');
  const bed = new Bed(growLegs(shape, { offset: false, internal: false, bystanders: true }), {
    rootComplex: 'corrupt',
  });
  for (const [name, word] of acs) bed.setAcs(bed.index(name), word);
  const examiner = new Examiner(bed);
  for (let count = 0; count < 20; count++) {
    complaints = [...complaints, ...examiner.examine(bed.index('c2'), bed.index('p2')).complaints];
  }
  expect(new Set(complaints)).toEqual(
    new Set(['the bytes written are not those that landed', 'the bytes read are not those that were there']),
  );
  expect(examiner.ledger.audit()).toEqual([expect.stringMatching(/^BAR 0 of .* differs from offset 0x/)]);
});

test('a byte anywhere else is found by the audit: in RAM, in a bystander', () => {
  const { bed, examiner } = new LegBed(parseCase('switch de/de').shape, parseCase('switch de/de').conditions);
  expect(examiner.ledger.audit()).toEqual([]);
  bed.fabric.ram.write(0x123456, Uint8Array.of(1));
  bed.fabric.barMemory(bed.index('xe'), 0).write(77, Uint8Array.of(1));
  expect(examiner.ledger.audit()).toEqual([
    'RAM differs from 0x123456 on',
    expect.stringMatching(/^BAR 0 of .* differs from offset 0x4d on$/),
  ]);
});

test('a TLP that arrives at another function is caught: the provider’s BAR was moved behind the judge’s back', () => {
  const { bed, examiner, client, provider } = new LegBed(
    parseCase('rootPort f/f internal').shape,
    parseCase('rootPort f/f internal').conditions,
  );
  const other = bed.index('xf');
  const [a, b] = [bed.fabric.function(provider), bed.fabric.function(other)];
  const [at, there] = [a.readConfig(0x10, 4), b.readConfig(0x10, 4)];
  const seen = bed.eye.write(client, provider, (at & ~0xf) >>> 0, Uint8Array.of(1));
  expect(seen.outcome).toBe('direct');
  a.writeConfig(0x10, 4, there);
  b.writeConfig(0x10, 4, at);
  expect(bed.eye.write(client, provider, (at & ~0xf) >>> 0, Uint8Array.of(1)).outcome).toBe('stray');
  expect(examiner.ledger.audit().length).toBe(2);
});

test('lists: a root complex that drops or corrupts is caught', () => {
  const complaintsBy = (rootComplex: RootComplexBehaviour): { complaints: string[]; audit: string[] } => {
    const description = growLegs(parseCase('hostBridge re/re').shape, {
      offset: false,
      internal: false,
      bystanders: true,
    });
    const bed = new Bed(description, { rootComplex });
    const { ledger } = new Examiner(bed);
    const runner = new BioRunner(bed, ledger);
    const chance = new Prng(1);
    const complaints: string[] = [];
    for (let count = 0; count < 40; count++) complaints.push(...runner.run(chance).complaints);
    return { complaints: [...new Set(complaints)], audit: ledger.audit() };
  };
  expect(complaintsBy('forward')).toEqual({ complaints: [], audit: [] });
  expect(complaintsBy('drop').complaints).toEqual(['a phys segment did not arrive: rootComplexDrops']);
  expect(complaintsBy('corrupt').audit.length).toBeGreaterThan(0);
});

test('siblings without a route: UF off is whatever the fabric is told for the undefined case, UF on goes up to the root complex', () => {
  const outcomes = (line: string, samePort: SamePortRule): string[] => {
    const { shape, acs } = parseCase(line);
    const description = growLegs(shape, { offset: false, internal: false, bystanders: true });
    const bed = new Bed(description, { rules: { samePortAtRootPort: samePort, samePortAtDownstreamPort: samePort } });
    for (const [name, word] of acs) bed.setAcs(bed.index(name), word);
    const examiner = new Examiner(bed);
    const { directional, byBus, reason } = examiner.examine(bed.index('c1'), bed.index('p1'));
    expect(examiner.ledger.audit()).toEqual([]);
    return [directional, byBus, reason];
  };
  for (const port of ['rootPort', 'downstreamPort']) {
    expect(outcomes(`${port} f/f`, 'unsupportedRequest')).toEqual(['notSupported', 'dies', 'samePort']);
    expect(outcomes(`${port} f/f`, 'drop')).toEqual(['notSupported', 'dies', 'samePort']);
    const above = port === 'rootPort' ? 'through' : 'direct';
    expect(outcomes(`${port} f/f`, 'reflect')).toEqual(['notSupported', above, 'none']);
    expect(outcomes(`${port} f/f`, 'upstream')).toEqual(['notSupported', 'through', 'none']);
  }
  // Below a switch the request is at its own port once more, that of the root complex: it needs Upstream Forwarding as well.
  expect(outcomes('rootPort f/f top=UF', 'unsupportedRequest')).toEqual(['thruHostBridge', 'through', 'none']);
  expect(outcomes('downstreamPort f/f top=UF rp=UF', 'unsupportedRequest')).toEqual([
    'thruHostBridge',
    'through',
    'none',
  ]);
  expect(outcomes('downstreamPort f/f top=UF', 'unsupportedRequest')).toEqual(['thruHostBridge', 'dies', 'samePort']);
});

test('a case that is told says what each rule says, how every TLP went, and where they differ', () => {
  const { lines, agrees } = reportCase(parseCase('switch de/de p1=RR'));
  const text = lines.join('\n');
  expect(agrees).toBe(true);
  expect(text).toMatch(/^linux-7\.0 {4}thruHostBridge {2}.*ACS redirect is set: p1 \(RR\)/m);
  expect(text).toMatch(/^directional {2}busAddr/m);
  expect(text).toMatch(/^write at 0x[0-9a-f]+: c2 issue, c1 peer, p1 downstream, p2 accept$/m);
  expect(text).toMatch(/^linux-7\.0 says thruHostBridge: tooStrict$/m);
});
