/** ACS on the fabric: facts 5.2 and 5.3, port by port. The decision itself is enumerated in acs-decision.test.ts. */

import { expect, test } from 'vitest';
import type { AddressType } from '../../src/fabric/index.ts';
import { nestedSwitches, switchWithTwoEndpoints, twoFunctions, twoRootPorts } from './trees.ts';

const BYTES = [1, 2, 3, 4];

test('E4: same switch, ACS clear: write, read and completion turn round inside the switch', () => {
  const bench = switchWithTwoEndpoints();
  expect(bench.road(() => bench.write('a', bench.bus('b'), BYTES))).toEqual([
    'write a:issue dspA:peer dspB:downstream b:accept',
  ]);
  expect(bench.road(() => bench.read('a', bench.bus('b'), 4))).toEqual([
    'read a:issue dspA:peer dspB:downstream b:accept',
    'completion b:issue dspB:peer dspA:downstream a:accept',
  ]);
  expect(bench.fabric.counters).toMatchObject({ requestsAtRootComplex: 0, completionsAtRootComplex: 0 });
});

test("E5: request redirect on the client's port alone sends requests up, completions come back directly", () => {
  const bench = switchWithTwoEndpoints({ acsA: ['RR'], acsRp: ['UF'] });
  expect(bench.road(() => bench.read('a', bench.bus('b'), 4))).toEqual([
    'read a:issue dspA:redirect usp:upstream rp:redirect rc:forward rp:downstream usp:downstream dspB:downstream b:accept',
    'completion b:issue dspB:peer dspA:downstream a:accept',
  ]);
  // The other direction is not redirected: only the port that a request comes in by is asked.
  expect(bench.road(() => bench.write('b', bench.bus('a'), BYTES))).toEqual([
    'write b:issue dspB:peer dspA:downstream a:accept',
  ]);
});

test("E6: RR and EC at the provider's port and CR at the client's do not touch requests of the client", () => {
  const bench = switchWithTwoEndpoints({ acsA: ['CR'], acsB: { control: 0x24, egressVector: [0xffffffff] } });
  expect(bench.road(() => bench.read('a', bench.bus('b'), 4))).toEqual([
    'read a:issue dspA:peer dspB:downstream b:accept',
    'completion b:issue dspB:peer dspA:downstream a:accept',
  ]);
});

test('E7: redirect at a port below the divergence changes nothing: the way there is up anyway', () => {
  const bench = nestedSwitches({ inner: ['RR', 'CR'] });
  expect(bench.road(() => bench.read('a', bench.bus('b'), 4))).toEqual([
    'read a:issue inner:upstream uspInner:upstream outerA:peer outerB:downstream b:accept',
    'completion b:issue outerB:peer outerA:downstream uspInner:downstream inner:downstream a:accept',
  ]);
  expect(bench.fabric.counters).toMatchObject({ requestsAtRootComplex: 0, completionsAtRootComplex: 0 });
});

test("E8: completion redirect at the provider's port: writes stay below, strict reads come back through the root complex", () => {
  const bench = switchWithTwoEndpoints({ acsB: ['CR'], acsRp: ['UF'] });
  expect(bench.road(() => bench.write('a', bench.bus('b'), BYTES))).toEqual([
    'write a:issue dspA:peer dspB:downstream b:accept',
  ]);
  const [, completion] = bench.road(() => expect(bench.read('a', bench.bus('b'), 4).bytes).toEqual(BYTES));
  expect(completion).toBe(
    'completion b:issue dspB:redirect usp:upstream rp:redirect rc:forward rp:downstream usp:downstream dspA:downstream a:accept',
  );
  const relaxed = bench.road(() => bench.read('a', bench.bus('b'), 4, { relaxedOrdering: true }));
  expect(relaxed[1]).toBe('completion b:issue dspB:peer dspA:downstream a:accept');
});

test.each(['drop', 'unsupportedRequest', 'writesOnly'] as const)(
  'E8: a redirected completion is lost where the root complex is set to %s, and the requester times out',
  (rootComplex) => {
    const bench = switchWithTwoEndpoints({ acsB: ['CR'], acsRp: ['UF'], rootComplex });
    const answer = bench.read('a', bench.bus('b'), 4);
    expect(answer).toMatchObject({ status: 'timeout', fate: 'completionLost', bytes: [255, 255, 255, 255] });
    expect(bench.write('a', bench.bus('b'), BYTES).fate).toBe('delivered');
    expect(bench.fabric.errors.entries.at(-1)).toMatchObject({ at: bench.index('a'), aer: 'completionTimeout' });
  },
);

test('E9: translation blocking stops translated requests anywhere on the path, and untranslated ones nowhere', () => {
  for (const at of ['a', 'b'] as const) {
    const bench = switchWithTwoEndpoints(at === 'a' ? { acsA: ['TB'] } : { acsB: ['TB'] });
    const [from, to, port] = at === 'a' ? ['a', 'b', 'dspA'] : ['b', 'a', 'dspB'];
    const address = bench.bus(to);
    expect(bench.write(from, address, BYTES, { addressType: 'translated' })).toMatchObject({
      fate: 'acsViolation',
      reason: 'translationBlocking',
      at: bench.index(port),
    });
    expect(bench.read(from, address, 4, { addressType: 'translated' }).status).toBe('CA');
    expect(bench.write(from, address, BYTES).fate).toBe('delivered');
    // The other client's port does not block.
    expect(bench.write(to, bench.bus(from), BYTES, { addressType: 'translated' }).fate).toBe('delivered');
  }
  const above = nestedSwitches({ outer: ['TB'] });
  expect(above.write('a', above.bus('b'), BYTES, { addressType: 'translated' }).fate).toBe('acsViolation');
  expect(above.write('a', above.bus('c'), BYTES, { addressType: 'translated' }).fate).toBe('delivered');
});

test('E10: direct translated with redirect: translated requests go straight, untranslated ones are redirected; TB beats DT', () => {
  const bench = switchWithTwoEndpoints({ acsA: ['RR', 'DT'], acsRp: ['UF'] });
  const translated = bench.road(() => bench.write('a', bench.bus('b'), BYTES, { addressType: 'translated' }));
  expect(translated).toEqual(['write a:issue dspA:peer dspB:downstream b:accept']);
  expect(bench.road(() => bench.write('a', bench.bus('b'), BYTES))[0]).toContain('dspA:redirect');
  const blocking = switchWithTwoEndpoints({ acsA: ['TB', 'DT'] });
  expect(blocking.write('a', blocking.bus('b'), BYTES, { addressType: 'translated' }).reason).toBe(
    'translationBlocking',
  );
});

test('E61: source validation blocks a requester ID whose bus is not below the port; without it the lie passes', () => {
  const spoofed = { requesterId: 0x7700 };
  const validating = switchWithTwoEndpoints({ acsA: ['SV'] });
  expect(validating.write('a', validating.bus('b'), BYTES, spoofed)).toMatchObject({
    status: 'posted',
    fate: 'acsViolation',
    reason: 'sourceValidation',
    at: validating.index('dspA'),
  });
  expect(validating.bytes('b', 0, 4)).toEqual([0, 0, 0, 0]);
  expect(validating.write('a', validating.bus('b'), BYTES).fate).toBe('delivered');
  const trusting = switchWithTwoEndpoints();
  expect(trusting.write('a', trusting.bus('b'), BYTES, spoofed).fate).toBe('delivered');
  // A read under a false name is answered to somebody else.
  expect(trusting.read('a', trusting.bus('b'), 4, { requesterId: trusting.fn('b').requesterId })).toMatchObject({
    status: 'timeout',
    fate: 'completionLost',
    reason: 'samePort',
  });
});

const ADDRESS_TYPES: readonly AddressType[] = ['untranslated', 'translated'];

test('E62: at a switch port every combination of RR, EC, vector bit and DT does what the table says', () => {
  for (const addressType of ADDRESS_TYPES) {
    for (let combination = 0; combination < 16; combination++) {
      const redirects = (combination & 1) !== 0;
      const controls = (combination & 2) !== 0;
      const bit = (combination & 4) !== 0;
      const translates = (combination & 8) !== 0;
      const control = (redirects ? 4 : 0) | (controls ? 0x20 : 0) | (translates ? 0x40 : 0);
      // dspB is port 1 of the switch.
      const bench = switchWithTwoEndpoints({ acsA: { control, egressVector: [bit ? 2 : ~2 >>> 0] }, acsRp: ['UF'] });
      const [road] = bench.road(() => bench.write('a', bench.bus('b'), BYTES, { addressType }));
      let wanted = 'dspA:peer';
      if (!(addressType === 'translated' && translates) && (!controls || bit)) {
        if (redirects) wanted = 'dspA:redirect';
        else if (controls) wanted = 'dspA:stop';
      }
      expect(road, JSON.stringify({ redirects, controls, bit, translates, addressType })).toContain(wanted);
    }
  }
});

test('E62: the vector of a root port names root ports', () => {
  for (const bit of [0, 1]) {
    const bench = twoRootPorts();
    const portNumber = bench.fn('rpB').egressNumber;
    const { registers } = bench.fn('rpA');
    bench.fn('rpA').writeConfig(registers.acs + 8, 4, bit << portNumber);
    bench.fn('rpA').setAcsControl(0x20);
    const answer = bench.write('a', bench.cpu('b'), BYTES);
    expect(answer.fate).toBe(bit ? 'acsViolation' : 'delivered');
    // RAM is no peer.
    expect(bench.write('a', 0x1000, BYTES).fate).toBe('delivered');
  }
});

test('E62: functions with an internal route ask their own egress control, by function number', () => {
  for (const bit of [false, true]) {
    const acs = { control: 0x20, capability: 0x6c, egressVector: [bit ? 2 : 0] };
    const bench = twoFunctions({ acs, rules: { internalPeerRoute: true } });
    const answer = bench.write('f0', bench.bus('f1'), BYTES);
    expect(answer).toMatchObject(bit ? { fate: 'acsViolation', at: bench.index('f0') } : { fate: 'delivered' });
    expect(bench.read('f0', bench.bus('f1'), 4).status).toBe(bit ? 'CA' : 'SC');
  }
});

test('E63: back through the own port: up with upstream forwarding, by rule without', () => {
  const own = { a: { bars: [{ size: 2 ** 20 }] } };
  const forwarding = switchWithTwoEndpoints({ ...own, acsA: ['UF'], acsRp: ['UF'] });
  const [road] = forwarding.road(() => forwarding.write('a', forwarding.bus('a'), BYTES));
  expect(road).toBe(
    'write a:issue dspA:redirect usp:upstream rp:redirect rc:forward rp:downstream usp:downstream dspA:downstream a:accept',
  );
  for (const [rule, fate, end] of [
    ['unsupportedRequest', 'unsupportedRequest', 'dspA:stop'],
    ['drop', 'dropped', 'dspA:stop'],
    ['reflect', 'delivered', 'dspA:reflect dspA:downstream a:accept'],
    ['upstream', 'delivered', 'rp:redirect rc:forward rp:downstream usp:downstream dspA:downstream a:accept'],
  ] as const) {
    const bench = switchWithTwoEndpoints({ ...own, acsRp: ['UF'], rules: { samePortAtDownstreamPort: rule } });
    const roads = bench.road(() => expect(bench.write('a', bench.bus('a'), BYTES).fate).toBe(fate));
    expect(roads[0]?.endsWith(end), roads[0]).toBe(true);
  }
});

test('E63: the same at a root port, for two functions of one device', () => {
  for (const [rule, fate] of [
    ['unsupportedRequest', 'unsupportedRequest'],
    ['drop', 'dropped'],
    ['reflect', 'delivered'],
    ['upstream', 'delivered'],
  ] as const) {
    const bench = twoFunctions({ rules: { samePortAtRootPort: rule } });
    expect(bench.write('f0', bench.bus('f1'), BYTES).fate).toBe(fate);
    const status = { unsupportedRequest: 'UR', drop: 'timeout', reflect: 'SC', upstream: 'SC' }[rule];
    expect(bench.read('f0', bench.bus('f1'), 4).status).toBe(status);
  }
});

test('a redirected request below a root port without upstream forwarding is at its own port again: undefined, by rule', () => {
  const bench = switchWithTwoEndpoints({ acsA: ['RR'] });
  expect(bench.write('a', bench.bus('b'), BYTES)).toMatchObject({
    fate: 'unsupportedRequest',
    reason: 'samePort',
    at: bench.index('rp'),
  });
  const usual = switchWithTwoEndpoints({ acsA: ['RR'], rules: { samePortAtRootPort: 'upstream' } });
  expect(usual.write('a', usual.bus('b'), BYTES).fate).toBe('delivered');
});

test('every violation is logged at the port as AER has it: status bit 21, header of the first TLP', () => {
  const bench = switchWithTwoEndpoints({ acsA: ['SV', 'TB'] });
  bench.write('a', bench.bus('b') + 8, BYTES, { requesterId: 0x7700 });
  bench.write('a', bench.bus('b'), BYTES, { addressType: 'translated' });
  const port = bench.fn('dspA');
  const { registers } = port;
  expect(port.readConfig(registers.aer + 4, 4)).toBe(1 << 21);
  expect(port.readConfig(registers.aer + 0x18, 4) & 0x1f).toBe(21);
  const address = bench.bus('b') + 8;
  expect([0, 4, 8, 12].map((at) => port.readConfig(registers.aer + 0x1c + at, 4))).toEqual([
    0x60000001,
    0x770000ff,
    Math.floor(address / 2 ** 32),
    address % 2 ** 32,
  ]);
  expect(port.readConfig(registers.express + 0x0a, 2) & 0xf).toBe(0x2);
  // Software clears the status by writing ones to it.
  port.writeConfig(registers.aer + 4, 4, 0xffffffff);
  expect(port.readConfig(registers.aer + 4, 4)).toBe(0);
  expect(bench.fabric.errors.entries.map((error) => [error.at, error.aer])).toEqual([
    [bench.index('dspA'), 'acsViolation'],
    [bench.index('dspA'), 'acsViolation'],
  ]);
});

test('E17: ACS written at run time decides from the next TLP on', () => {
  const bench = switchWithTwoEndpoints({ acsRp: ['UF'] });
  const road = () => bench.road(() => bench.write('a', bench.bus('b'), BYTES))[0];
  expect(road()).toContain('dspA:peer');
  bench.fn('dspA').setAcsControl(0x0c);
  expect(road()).toContain('dspA:redirect');
  bench.fn('dspA').setAcsControl(0);
  expect(road()).toContain('dspA:peer');
});

/** The directional rule for two ports of one switch, as the 2026 patches state it: what must stay below the root port. */
function staysBelow(requesterPort: number, completerPort: number): { request: boolean; completion: boolean } {
  return { request: (requesterPort & 0x24) === 0, completion: (completerPort & 0x08) === 0 };
}

test('E65: where request and completion are direct at the divergence ports, neither reaches the root complex', () => {
  const address = switchWithTwoEndpoints().bus('b');
  let direct = 0;
  for (let a = 0; a < 128; a++) {
    for (let b = 0; b < 128; b++) {
      const bench = controlled(a, b);
      const { counters } = bench.fabric;
      const answer = bench.read('a', address, 4);
      const { request, completion } = staysBelow(a, b);
      if (request) expect(counters.requestsAtRootComplex).toBe(0);
      if (request && completion) {
        direct++;
        expect(answer.status).toBe('SC');
        expect(counters.completionsAtRootComplex).toBe(0);
      }
      if (request && !completion) expect(counters.completionsAtRootComplex).toBe(1);
    }
  }
  expect(direct).toBe(32 * 64);
});

const shared = switchWithTwoEndpoints({ acsRp: ['UF'] });

/** One switch for 16384 settings: the counters begin anew with each. */
function controlled(a: number, b: number) {
  shared.fn('dspA').setAcsControl(a);
  shared.fn('dspB').setAcsControl(b);
  shared.fabric.counters.requestsAtRootComplex = 0;
  shared.fabric.counters.completionsAtRootComplex = 0;
  return shared;
}
