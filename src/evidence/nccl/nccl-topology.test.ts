import { expect, test } from 'vitest';
import { recognise } from '../recognise.ts';

const FILE = `<system version="1">
  <cpu host_hash="0x1" numaid="1" affinity="ffff" arch="x86_64" vendor="AuthenticAMD" familyid="175" modelid="17">
    <pci busid="0000:41:00.0" class="0x060400" vendor="0x1000" device="0xc030" link_speed="32.0 GT/s PCIe" link_width="16">
      <pci busid="0000:43:00.0" class="0x030200" vendor="0x10de" device="0x2330" link_speed="2.5 GT/s PCIe" link_width="16">
        <gpu dev="2" sm="90" rank="5" gdr="1">
          <nvlink target="0000:05:00.0" count="4" tclass="0x068000"/>
        </gpu>
      </pci>
      <pci busid="0000:44:00.0" class="0x020700" vendor="0x15b3" device="0x1021" link_speed="" link_width="">
        <nic><net name="mlx5_7" dev="0" speed="400000" port="1" gdr="1"/></nic>
      </pci>
    </pci>
  </cpu>
</system>`;

const blocks = (text: string) => recognise(text, 'f').blocks;
const items = (text: string) => blocks(text).flatMap(({ items }) => items);

test('the tree, with its processor, links and names', () => {
  // 175 is family 0x0f with the extended family 0xa beside it: 0x19.
  const processor = { what: 'processor', numaNode: 1, vendor: 'AuthenticAMD', family: 0x19, model: 17 };
  const [first, ...rest] = items(FILE).filter(
    (item) => 'what' in item && item.what !== 'device' && item.what !== 'pair',
  );
  expect(first).toMatchObject(processor);
  expect(rest).toMatchObject([
    { function: '0000:41:00.0', parent: null, class: 0x0604, link: { speed: 32, width: 16, state: 'best' }, line: 3 },
    {
      function: '0000:43:00.0',
      parent: '0000:41:00.0',
      class: 0x0302,
      link: { speed: 2.5, state: 'current' },
      line: 4,
    },
    {
      function: '0000:44:00.0',
      parent: '0000:41:00.0',
      ids: { vendor: 0x15b3, device: 0x1021 },
      link: null,
      names: ['mlx5_7'],
    },
  ]);
});

test('GPUs and NICs are bound to addresses, with what NCCL says of them', () => {
  expect(items(FILE).filter((item) => 'device' in item || 'to' in item)).toMatchObject([
    {
      what: 'device',
      device: { index: 2, numbering: 'nvml', address: '0000:43:00.0' },
      indices: { rank: 5 },
      facts: { gdr: '1' },
      numaNode: 1,
    },
    { what: 'pair', relation: 'link-type', value: 'NVLINK', to: { address: '0000:05:00.0' } },
    { what: 'device', device: { name: 'mlx5_7', address: '0000:44:00.0' }, facts: { speed: '400000' } },
  ]);
});

test("links between AMD GPUs, whose numbers are not NVML's", () => {
  const text =
    '<system version="1"><cpu numaid="-1"><pci busid="0000:c1:00.0" class="0x038000"><gpu dev="0" gcn="910" rank="0">\n<xgmi target="0000:c2:00.0" count="1"/></gpu></pci></cpu></system>';
  expect(items(text)).toMatchObject([
    { what: 'processor', numaNode: null },
    { what: 'function', numaNode: null },
    { device: { numbering: 'drm' } },
    { value: 'XGMI' },
  ]);
});

test('a part of a file is read, and is not complete', () => {
  const part = FILE.split('\n').slice(2, 9).join('\n');
  expect(blocks(part)).toMatchObject([{ kind: 'nccl-topology', isComplete: false }]);
  expect(blocks(FILE.slice(0, 700))).toMatchObject([{ kind: 'nccl-topology', isComplete: false }]);
  expect(blocks(FILE)).toMatchObject([{ kind: 'nccl-topology', isComplete: true }]);
});

test('text after the file is not part of it, and other XML is none', () => {
  expect(blocks(`${FILE}\nThanks`).map(({ kind }) => kind)).toEqual(['nccl-topology', 'unknown']);
  expect(blocks('<?xml version="1.0"?>\n<other>\n</other>').map(({ kind }) => kind)).toEqual(['unknown']);
});
