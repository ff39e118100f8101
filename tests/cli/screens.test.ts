/** The screens, as a reviewer reads them: tests/golden/. Names come from no pci.ids, so that they are the same everywhere. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Machine } from '../../src/machine/machine.ts';
import { readMachine } from '../../src/machine/read/read-machine.ts';
import { selectFunction, selectFunctions } from '../../src/machine/selector.ts';
import { JudgeContext } from '../../src/p2p/judge.ts';
import { POLICIES, type PolicyName, policyForKernel } from '../../src/p2p/policy.ts';
import { explain } from '../../src/report/explain/explanation.ts';
import { explainDocument } from '../../src/report/explain/json.ts';
import { explainLines } from '../../src/report/explain/text.ts';
import { matrixLines } from '../../src/report/matrix/text.ts';
import { topoLines } from '../../src/report/topo/text.ts';
import { namesFrom } from '../../src/report/words/names.ts';
import { styleOf } from '../../src/report/words/style.ts';
import { LISTED } from '../doctor/machines.ts';
import { type Edit, gpu, machineOfParts, oneSwitch } from '../doctor/twins.ts';

const view = { columns: 80, style: styleOf(false), names: namesFrom(null), full: false };

async function example(name: string): Promise<Machine> {
  return readMachine(
    readFileSync(new URL(`../../examples/machines/${name}.tar.gz`, import.meta.url)),
    `example:${name}`,
  );
}

/** What the golden file holds: how to renew it, then the screen. No line is wider than it may be. */
function screen(command: string, lines: Iterable<string>): string {
  const all = [...lines];
  // A kernel parameter is to be copied, and is never broken.
  const wide = all.filter((line) => line.length > view.columns && !/pci=|setpci|sys\/devices/.test(line));
  expect(wide).toEqual([]);
  return `# ${command}, 80 columns, without pci.ids\n# renew with: npx vitest run tests/cli/screens.test.ts -u\n\n${all.join('\n')}\n`;
}

const golden = (name: string): string => `../golden/${name}.txt`;

test.each<[file: string, machine: string, providers: string, clients: string, full: boolean]>([
  ['matrix-one-switch', 'one-switch', 'memory', 'endpoints', false],
  ['matrix-acs-on', 'acs-on', 'memory', 'memory', false],
  ['matrix-offset-groups', 'bus-offset', 'all', 'all', false],
  ['matrix-offset-full', 'bus-offset', 'all', 'all', true],
  ['matrix-no-provider', 'virtual-machine', 'memory', 'endpoints', false],
])('%s', async (file, name, providers, clients, full) => {
  const machine = await example(name);
  const question = {
    judge: new JudgeContext(machine, policyForKernel(machine.kernel)),
    providers: selectFunctions(machine.hierarchy, providers, '--providers'),
    clients: selectFunctions(machine.hierarchy, clients, '--clients'),
  };
  const command = `p2pdma matrix example:${name} --providers ${providers} --clients ${clients}${full ? ' --full' : ''}`;
  await expect(screen(command, matrixLines(question, { ...view, full }))).toMatchFileSnapshot(golden(file));
});

test.each(['one-switch', 'conventional-bridge', 'multi-function'])('topo-%s', async (name) => {
  const lines = topoLines(await example(name), view);
  await expect(screen(`p2pdma topo example:${name}`, lines)).toMatchFileSnapshot(golden(`topo-${name}`));
});

test.each<[file: string, machine: string, provider: string, client: string, policy?: PolicyName]>([
  ['explain-redirect', 'iommu-lazy-switch4-acs-off2', '03:00.0', '04:00.0'],
  ['explain-bus-address', 'iommu-lazy-switch4-acs-off2', '03:00.0', '06:00.0'],
  ['explain-four-ports', 'acs-on', '0001:05:00.0', '0001:08:00.0'],
  ['explain-move', 'one-switch', '04:00.0', '07:00.0'],
  ['explain-no-way', 'two-host-bridges-split', '0000:01:00.0', '0000:81:00.0'],
  ['explain-both-ways', 'one-switch', '03:00.0', '04:00.0', 'directional'],
])('%s', async (file, name, provider, client, policy) => {
  const machine = await example(name);
  const judge = new JudgeContext(machine, policy === undefined ? policyForKernel(machine.kernel) : POLICIES[policy]);
  const [p, c] = [provider, client].map((text) => judge.indexOf(selectFunction(machine.hierarchy, text, 'PROVIDER')));
  const command = `p2pdma explain example:${name} ${provider} ${client}${policy === undefined ? '' : ` --policy ${policy}`}`;
  const lines = explainLines(explain(judge, p as number, c as number), view);
  await expect(screen(command, lines)).toMatchFileSnapshot(golden(file));
});

test('explain: each hop tells of the link above it, and the narrowest one bounds the copy', () => {
  const link = { speedGts: 16, width: 16 } as const;
  const slow = { speedGts: 8, width: 1 } as const;
  const children = [
    { kind: 'rootPort' as const, name: 'p', link, below: [gpu('a')] },
    { kind: 'rootPort' as const, name: 'q', link: slow, below: [gpu('b')] },
  ];
  const machine = machineOfParts([{ hostBridge: LISTED, children }]);
  const judge = new JudgeContext(machine, POLICIES['linux-6.12']);
  const cards = judge.functions.flatMap((fn, index) => (fn.classCode === 0x0302 ? [index] : []));
  const explained = explain(judge, cards[0] as number, cards[1] as number);
  const lines = [...explainLines(explained, view)];
  expect(lines.join('\n')).toContain('the provider; link x16 16 GT/s;');
  expect(lines).toContain('  Narrowest link: x1 at 8 GT/s, 1.0 GB/s each way, above 0000:02:00.0');
  expect(explainDocument(explained)).toMatchObject({ road: { narrowest: { above: '0000:02:00.0', width: 1 } } });
});

test('explain: what the registers shut is told behind a good verdict, and no change is called needless then', () => {
  const command =
    (value: number): Edit =>
    (bytes) =>
      bytes.setUint16(4, value, true);
  const built = machineOfParts(oneSwitch('clear'), { edits: { x: command(2) } });
  const judge = new JudgeContext(built, POLICIES['linux-7.0']);
  const [a, b] = ['0000:03:00.0', '0000:04:00.0'].map((name) => judge.functions.findIndex((fn) => fn.name === name));
  const toldOf = (provider: number, client: number): string =>
    [...explainLines(explain(judge, provider, client), view)].join('\n');
  const shut = 'but now nothing passes: 0000:02:00.0 has Bus Master off and passes no request';
  expect(toldOf(b as number, a as number)).toContain(shut);
  expect(toldOf(b as number, a as number)).not.toContain('None is needed');
  // What comes down to the first card needs Memory Space only.
  expect(toldOf(a as number, b as number)).toContain('None is needed');
  // A card that no driver has is off by right, and so is the port above it.
  const edits = { a: command(2), x: command(2) };
  const idle = new JudgeContext(
    machineOfParts(oneSwitch('clear'), { sysfs: { a: { driver: undefined } }, edits }),
    POLICIES['linux-7.0'],
  );
  expect(explain(idle, b as number, a as number).shut).toEqual([]);
  expect(explainDocument(explain(judge, b as number, a as number))).toMatchObject({
    shut: [{ kind: 'busMaster', at: '0000:02:00.0' }],
  });
});

test('explain: a dump without root says which one command would tell', async () => {
  const text = `00:00.0 Host bridge: Some Corp Host
	Flags: bus master, fast devsel, latency 0

00:01.0 PCI bridge: Some Corp Port (prog-if 00 [Normal decode])
	Bus: primary=00, secondary=01, subordinate=01, sec-latency=0
	Capabilities: <access denied>

01:00.0 Non-Volatile memory controller: Some Corp Drive (prog-if 02 [NVM Express])
	Region 0: Memory at f0000000 (64-bit, non-prefetchable) [size=2M]
	Capabilities: <access denied>

01:00.1 Ethernet controller: Some Corp Card
	Region 0: Memory at f0200000 (64-bit, non-prefetchable) [size=2M]
	Capabilities: <access denied>
`;
  const machine = await readMachine(Buffer.from(text), 'host.txt');
  const judge = new JudgeContext(machine);
  const lines = explainLines(explain(judge, 2, 3), view);
  await expect(screen('p2pdma explain host.txt 01:00.0 01:00.1', lines)).toMatchFileSnapshot(golden('explain-unknown'));
});
