import { expect, test } from 'vitest';
import { recognise } from '../recognise.ts';

const blocks = (text: string) => recognise(text, 'f').blocks;
const items = (text: string) => blocks(text).flatMap(({ items }) => items);

const gpu = (address: string, bar: string, width = 40): string => {
  const key = (depth: number, name: string, value: string): string =>
    `${`${' '.repeat(4 * depth)}${name}`.padEnd(width)}: ${value}`;
  return [
    `GPU ${address}`,
    key(1, 'Product Name', 'NVIDIA A40'),
    key(1, 'Persistence Mode', 'Enabled'),
    key(1, 'Minor Number', '3'),
    '    PCI',
    key(2, 'Bus', '0x19'),
    key(2, 'Device Id', '0x223510DE'),
    key(2, 'Bus Id', address),
    '        GPU Link Info',
    '            PCIe Generation',
    key(4, 'Max', '4'),
    key(4, 'Current', '1'),
    key(4, 'Host Max', '5'),
    '            Link Width',
    key(4, 'Max', '16x'),
    key(4, 'Current', '8x'),
    key(2, 'Replays Since Reset', '7'),
    key(1, 'Performance State', 'P8'),
    '    FB Memory Usage',
    key(2, 'Total', '46068 MiB'),
    '    BAR1 Memory Usage',
    key(2, 'Total', bar),
    key(2, 'Used', '1 MiB'),
    '    Conf Compute Protected Memory Usage',
    key(2, 'Total', '0 MiB'),
    '    Clocks',
    key(2, 'Max', '99'),
  ].join('\n');
};
const WHOLE = `
==============NVSMI LOG==============

Timestamp                                 : Tue Jul 22 20:50:11 2025
Driver Version                            : 575.51.03
CUDA Version                              : 12.9

Attached GPUs                             : 2
${gpu('00000000:19:00.0', '65536 MiB')}

${gpu('00000000:C1:00.0', '256 MiB', 54)}
`;
const FIRST = {
  what: 'device',
  device: { index: 0, numbering: 'nvml', address: '0000:19:00.0' },
  product: 'NVIDIA A40',
  link: { generation: { current: 1, max: 4, hostMax: 5 }, width: { current: 8, max: 16 } },
  bar1Size: 65536 * 1024 ** 2,
  memorySize: 46068 * 1024 ** 2,
  minorNumber: 3,
  id: { vendor: 0x10de, device: 0x2235 },
  performanceState: 'P8',
  facts: { 'Persistence Mode': 'Enabled', 'Replays Since Reset': '7' },
};

test('a whole listing', () => {
  expect(blocks(WHOLE)).toMatchObject([{ kind: 'nvidia-smi-q', isComplete: true }]);
  expect(items(WHOLE)).toMatchObject([
    { what: 'setting', name: 'Driver Version', value: '575.51.03' },
    { what: 'setting', name: 'CUDA Version' },
    { what: 'setting', name: 'Attached GPUs', value: '2' },
    FIRST,
    { device: { index: 1, address: '0000:c1:00.0' }, bar1Size: 256 * 1024 ** 2 },
  ]);
});

test("without its indentation, quoted, or with a later release's words", () => {
  const flat = WHOLE.replace(/^ +/gm, '');
  expect(items(flat)).toMatchObject(items(WHOLE).map((item) => ({ ...item })));
  expect(items(WHOLE.replace(/^/gm, '> ')).length).toBe(5);
  const later = WHOLE.replaceAll('Current   ', 'Device Current').replace(
    /^( +)Max( +): 4$/gm,
    '$1Max$2: 4\n$1Device Max : 5',
  );
  expect(items(later).length).toBe(5);
});

test('through grep, where the GPUs have no headers, the same fact again is the next GPU', () => {
  const text = `$ nvidia-smi -q | grep -i bar -A 3
    BAR1 Memory Usage
        Total                             : 256 MiB
        Used                              : 1 MiB
--
    BAR1 Memory Usage
        Total                             : 32768 MiB
`;
  expect(items(text)).toMatchObject([
    { device: { index: 0, address: null }, bar1Size: 256 * 1024 ** 2 },
    { device: { index: 1, address: null }, bar1Size: 32768 * 1024 ** 2 },
  ]);
});

test('the second GPU alone has no number', () => {
  expect(items(`$ nvidia-smi -i 1 -q\n${gpu('00000000:C1:00.0', '256 MiB')}`)).toMatchObject([
    { device: { index: null, address: '0000:c1:00.0' } },
  ]);
});

test('a listing that was cut says so', () => {
  expect(blocks(WHOLE.slice(0, 1000))[0]?.isComplete).toBe(false);
});

test('what is not there is left out', () => {
  const text = gpu('00000000:19:00.0', 'N/A').replace('NVIDIA A40', '[Unknown Error]').replace(/: 4$/m, ': N/A');
  const [item] = items(text);
  expect(item).not.toHaveProperty('bar1Size');
  expect(item).not.toHaveProperty('product');
  expect(item).toMatchObject({ link: { generation: { current: 1, max: null } } });
});

test('the same as XML', () => {
  const text = `<?xml version="1.0" ?>
<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">
<nvidia_smi_log>
	<driver_version>575.51.03</driver_version>
	<attached_gpus>1</attached_gpus>
	<gpu id="00000000:19:00.0">
		<product_name>NVIDIA A40</product_name>
		<persistence_mode>Enabled</persistence_mode>
		<minor_number>3</minor_number>
		<pci>
			<pci_device_id>223510DE</pci_device_id>
			<pci_bus_id>00000000:19:00.0</pci_bus_id>
			<pci_gpu_link_info>
				<pcie_gen><max_link_gen>4</max_link_gen><current_link_gen>1</current_link_gen><max_host_link_gen>5</max_host_link_gen></pcie_gen>
				<link_widths><max_link_width>16x</max_link_width><current_link_width>8x</current_link_width></link_widths>
			</pci_gpu_link_info>
			<replay_counter>7</replay_counter>
		</pci>
		<performance_state>P8</performance_state>
		<fb_memory_usage><total>46068 MiB</total></fb_memory_usage>
		<bar1_memory_usage><total>65536 MiB</total></bar1_memory_usage>
	</gpu>
</nvidia_smi_log>
Thanks`;
  expect(items(text)).toMatchObject([{ name: 'Driver Version' }, { name: 'Attached GPUs' }, FIRST]);
  expect(blocks(text).map(({ kind, fromLine }) => `${kind} ${fromLine}`)).toEqual(['nvidia-smi-q 1', 'unknown 24']);
});

test('a listing of something else is none', () => {
  expect(blocks('GPU 0000\nName: x').map(({ kind }) => kind)).toEqual(['unknown']);
  expect(blocks('Link Width is 16x').map(({ kind }) => kind)).toEqual(['unknown']);
});
