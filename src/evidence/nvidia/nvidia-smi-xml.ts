/** `nvidia-smi -q -x`: the listing as XML. The names of elements differ a little from the listing's. */

import type { CleanLine } from '../clean/clean-line.ts';
import { deviceLabel, printedAddress } from '../measured/device-label.ts';
import type { DeviceItem, SettingItem } from '../measured/items.ts';
import { childrenOf, readXml, textAt, type XmlElement } from '../topology/xml.ts';
import { deviceFacts, type GpuFact } from './gpu-facts.ts';

type Item = (DeviceItem | SettingItem) & { readonly kind: 'nvidia-smi-q' };

const LINK = ['pci', 'pci_gpu_link_info'];

/** Where each fact stands, below `gpu`. */
const PATHS: readonly (readonly [fact: GpuFact, path: readonly string[]])[] = [
  ['product', ['product_name']],
  ['architecture', ['product_architecture']],
  ['minor', ['minor_number']],
  ['pciDevice', ['pci', 'pci_device_id']],
  ['generationMax', [...LINK, 'pcie_gen', 'max_link_gen']],
  ['generationCurrent', [...LINK, 'pcie_gen', 'current_link_gen']],
  ['generationDeviceMax', [...LINK, 'pcie_gen', 'max_device_link_gen']],
  ['generationHostMax', [...LINK, 'pcie_gen', 'max_host_link_gen']],
  ['widthMax', [...LINK, 'link_widths', 'max_link_width']],
  ['widthCurrent', [...LINK, 'link_widths', 'current_link_width']],
  ['bar1', ['bar1_memory_usage', 'total']],
  ['memory', ['fb_memory_usage', 'total']],
  ['state', ['performance_state']],
  ['persistence', ['persistence_mode']],
  ['addressing', ['addressing_mode']],
  ['gsp', ['gsp_firmware_version']],
  ['virtualization', ['gpu_virtualization_mode', 'virtualization_mode']],
  ['replays', ['pci', 'replay_counter']],
  ['rollovers', ['pci', 'replay_rollover_counter']],
];

/** Names of the listing for what stands above the GPUs. */
const OF_RUN: Readonly<Record<string, string>> = {
  driver_version: 'Driver Version',
  cuda_version: 'CUDA Version',
  attached_gpus: 'Attached GPUs',
};

/** The GPUs of such a text. */
export function gpusOfXml(lines: readonly CleanLine[], file: string): Item[] {
  const { root } = readXml(lines);
  const log = childrenOf(root, 'nvidia_smi_log')[0];
  if (log === undefined) return [];
  const items: Item[] = [];
  for (const { name, text, line } of log.children) {
    const setting = OF_RUN[name];
    if (setting !== undefined) {
      items.push({ kind: 'nvidia-smi-q', file, line, what: 'setting', name: setting, value: text });
    }
  }
  for (const [index, gpu] of childrenOf(log, 'gpu').entries()) {
    items.push({ kind: 'nvidia-smi-q', file, line: gpu.line, what: 'device', ...gpuOf(gpu, index) });
  }
  return items;
}

function gpuOf(gpu: XmlElement, index: number): Omit<DeviceItem, 'kind' | 'file' | 'line' | 'what'> {
  const facts = new Map<GpuFact, string>();
  for (const [fact, path] of PATHS) {
    const value = textAt(gpu, ...path);
    if (value !== null) facts.set(fact, value);
  }
  const address = printedAddress(gpu.attributes.get('id') ?? textAt(gpu, 'pci', 'pci_bus_id') ?? '');
  return {
    device: deviceLabel(`GPU${index}`, 'gpu', { index, numbering: 'nvml', ...address }),
    ...deviceFacts(facts),
  };
}
