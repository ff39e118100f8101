import { describe, expect, test } from 'vitest';
import { recognise } from '../recognise.ts';

const HEAD = '\tGPU0\tGPU1\tNIC0\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID';
const ROWS = [
  'GPU0\t X \tPHB\tPIX\t0-15\t0\t\tN/A',
  'GPU1\tPHB\t X \tSYS\t16-31\t1\t\tN/A',
  'NIC0\tPIX\tSYS\t X \t\t\t\t',
];
const LEGEND = `
Legend:

  X    = Self
  SYS  = Connection traversing PCIe as well as the SMP interconnect between
NUMA nodes (e.g., QPI/UPI)
  PHB  = Connection traversing PCIe as well as a PCIe Host Bridge (typically the CPU)
  PIX  = Connection traversing at most a single PCIe bridge
  NV#  = Connection traversing a bonded set of # NVLinks

NIC Legend:

  NIC0: mlx5_3
`;
const WHOLE = `${[HEAD, ...ROWS].join('\n')}\n${LEGEND}`;

const blocks = (text: string) => recognise(text, 'f').blocks;
const pairs = (text: string): string[] =>
  blocks(text).flatMap(({ items }) =>
    items.flatMap((item) =>
      'what' in item && item.what === 'pair' ? `${item.from.label}-${item.to.label} ${item.value}` : [],
    ),
  );
const ALL = [
  'GPU0-GPU0 X',
  'GPU0-GPU1 PHB',
  'GPU0-NIC0 PIX',
  'GPU1-GPU0 PHB',
  'GPU1-GPU1 X',
  'GPU1-NIC0 SYS',
  'NIC0-GPU0 PIX',
  'NIC0-GPU1 SYS',
  'NIC0-NIC0 X',
];

describe('a matrix of classes is read however it was pasted', () => {
  test.each<[how: string, change: (text: string) => string]>([
    ['with tabs', (text) => text],
    ['with blanks', (text) => text.replaceAll('\t', '    ')],
    ['with single blanks', (text) => text.replace(/[\t ]+/g, ' ')],
    ['quoted', (text) => text.replace(/^/gm, '> ')],
    [
      'with a header that was underlined',
      (text) => text.replace('GPU0\tGPU1', '\u001b[4mGPU0\tGPU1').replace('ID', 'ID\u001b[0m'),
    ],
    ['with CRLF', (text) => text.replaceAll('\n', '\r\n')],
    ['in a fence', (text) => `\`\`\`\n${text}\n\`\`\``],
    ['as a table of Markdown', (text) => text.replace(/^.*\t.*$/gm, (line) => `|${line.replaceAll('\t', ' | ')} |`)],
    ['without a legend', (text) => text.slice(0, text.indexOf('\nLegend'))],
    ['with rows that a terminal broke', (text) => text.replace(/\t(PIX|SYS)\t/g, '\n$1\t')],
    ['with affinity broken off', (text) => text.replace(/\t(\d+-\d+)/g, '\n$1')],
    ['with a broken header', (text) => text.replace('\tNIC0\tCPU', '\nNIC0\tCPU')],
    ['without labels above', (text) => text.slice(text.indexOf('\n') + 1)],
    ['after a prompt', (text) => `me@host:~$ nvidia-smi topo -m\n${text}`],
    ['between other lines', (text) => `Hello\n${text}\nThanks`],
  ])('%s', (_how, change) => {
    const text = change(WHOLE);
    expect(pairs(text)).toEqual(ALL);
    expect(blocks(text).filter(({ kind }) => kind === 'nvidia-smi-topo')).toMatchObject([
      { isComplete: true, doubt: null },
    ]);
  });

  test('names of NICs from the legend, old labels as names, and affinity', () => {
    const items = blocks(WHOLE)[0]?.items ?? [];
    expect(items.find((item) => 'to' in item && item.to.label === 'NIC0')).toMatchObject({
      to: { sort: 'nic', index: 0, numbering: 'nic', name: 'mlx5_3' },
    });
    expect(items.filter((item) => 'what' in item && item.what === 'device')).toMatchObject([
      { device: { index: 0, numbering: 'nvml' }, cpuList: '0-15', numaNode: 0 },
      { device: { index: 1 }, cpuList: '16-31', numaNode: 1 },
    ]);
    const old = '\tGPU0\tmlx5_bond_0\tCPU Affinity\nGPU0\t X \tSOC\t0-7\nmlx5_bond_0\tSOC\t X \t';
    expect(blocks(old)[0]?.items).toMatchObject([
      { value: 'X' },
      { value: 'SYS', raw: 'SOC', to: { sort: 'nic', name: 'mlx5_bond_0' } },
      { what: 'device', cpuList: '0-7' },
      { value: 'SYS' },
      { value: 'X' },
    ]);
    expect(blocks(old)[0]?.items[2]).not.toHaveProperty('numaNode');
  });

  test('a single GPU has one row', () => {
    expect(pairs('\tGPU0\tCPU Affinity\tNUMA Affinity\nGPU0\t X \t0-7\t0')).toEqual(['GPU0-GPU0 X']);
  });

  test('what was asked for is in the command above', () => {
    const asked = (command: string) => blocks(`$ ${command}\n${WHOLE}`)[0]?.items[0];
    expect(asked('nvidia-smi topo -m')).toMatchObject({ asked: 'm' });
    expect(asked('nvidia-smi topo -mp')).toMatchObject({ asked: 'mp' });
    expect(blocks(WHOLE)[0]?.items[0]).toMatchObject({ asked: null });
  });
});

describe('what is missing or odd is said', () => {
  test('rows that are not there, and rows that were cut', () => {
    expect(blocks([HEAD, ROWS[0]].join('\n'))[0]?.isComplete).toBe(false);
    expect(pairs([HEAD, ROWS[0], 'GPU1\tPHB'].join('\n'))).toEqual([...ALL.slice(0, 3), 'GPU1-GPU0 PHB']);
    expect(blocks([HEAD, ROWS[0], '...', ROWS[2]].join('\n'))[0]?.isComplete).toBe(false);
    expect(pairs([HEAD, ROWS[0], '...', ROWS[2]].join('\n'))).toEqual([...ALL.slice(0, 3), ...ALL.slice(6)]);
  });

  test('two halves that differ', () => {
    expect(blocks(WHOLE.replace('GPU1\tPHB', 'GPU1\tSYS'))[0]?.doubt).toBe(
      'the two halves differ: GPU0 and GPU1: PHB, SYS',
    );
  });

  test('the same matrix twice is one, two that differ are two', () => {
    expect(blocks(`${WHOLE}\n${WHOLE}`).map(({ isSuperseded }) => isSuperseded)).toEqual([true, false]);
    expect(blocks(`${WHOLE}\n${WHOLE.replaceAll('PHB', 'NODE')}`).map(({ isSuperseded }) => isSuperseded)).toEqual([
      false,
      false,
    ]);
  });
});

describe('a matrix of grants', () => {
  const P2P =
    ' \tGPU0\tGPU1\t\n GPU0\tX\tCNS\t\n GPU1\tCNS\tX\t\n\nLegend:\n\n  X    = Self\n  CNS  = Chipset not supported\n  DR   = Disabled by regkey\n';

  test.each(['OK', 'CNS', 'GNS', 'TNS', 'NS', 'DR', 'U'])('%s', (word) => {
    const text = P2P.replaceAll('\tCNS', `\t${word}`);
    expect(blocks(text)).toMatchObject([{ kind: 'nvidia-smi-p2p', isComplete: true }]);
    expect(pairs(text)).toEqual(['GPU0-GPU0 X', `GPU0-GPU1 ${word}`, `GPU1-GPU0 ${word}`, 'GPU1-GPU1 X']);
  });

  test.each([
    ['$ nvidia-smi topo -p2p r', 'r'],
    ['$ nvidia-smi topo -p2p rw', 'rw'],
    ['# nvidia-smi topo --p2p_status=n', 'n'],
    ['$ make', null],
  ])('below %j it is of %s', (command, asked) => {
    expect(blocks(`${command}\n${P2P}`).at(-1)?.items[0]).toMatchObject({ relation: 'status', asked });
  });

  test('both matrices in one paste are told apart, in either order', () => {
    expect(blocks(`${WHOLE}\n${P2P}`).map(({ kind }) => kind)).toEqual(['nvidia-smi-topo', 'nvidia-smi-p2p']);
    expect(blocks(`${P2P}\n${WHOLE}`).map(({ kind }) => kind)).toEqual(['nvidia-smi-p2p', 'nvidia-smi-topo']);
    expect(blocks(`${P2P.slice(0, 40)}\n${WHOLE}`).map(({ kind }) => kind)).toEqual([
      'nvidia-smi-p2p',
      'nvidia-smi-topo',
    ]);
  });
});

test.each([
  'GPU0 is slow',
  '\tGPU0\tGPU1\n',
  'GPU0 X',
  '       GPU0         GPU1\nGPU0   0            40\nGPU1   40           0',
  'GPU0 GPU1 GPU2 are here',
])('%j is neither', (text) => {
  expect(blocks(text).map(({ kind }) => kind)).toEqual(['unknown']);
});
