/**
 * Devices that drivers of Kubernetes publish: `kubectl get resourceslices -o json` (resource.k8s.io v1, and the betas where attributes stand
 * within `basic`).
 */

import { deviceLabel, printedAddress } from '../measured/device-label.ts';
import type { DeviceItem } from '../measured/items.ts';
import { elements, type Json, type JsonForm, member, numeral, words } from '../measured/json-text.ts';

export type ResourceSliceItem = DeviceItem & { readonly kind: 'resource-slices' };

/** Attributes that name the function, the best first. */
const ADDRESSES = ['resource.kubernetes.io/pciBusID', 'dra.net/pciAddress', 'pciBusID', 'pciAddress'];
const ROOTS = ['resource.kubernetes.io/pcieRoot', 'dra.net/pcieRoot', 'pcieRoot'];
const NODES = ['resource.kubernetes.io/numaNode', 'dra.net/numaNode', 'numaNode'];

/** Recognises slices. */
export const resourceSlices: JsonForm<ResourceSliceItem> = {
  kind: 'resource-slices',
  sign: /"ResourceSlice(?:List)?"|"resource\.k8s\.io\//,
  read: (value, line, { file }) => {
    const list = elements(member(value, 'items'));
    const slices = (list.length > 0 ? list : [value]).filter((slice) => member(slice, 'kind') === 'ResourceSlice');
    const items = slices.flatMap((slice) =>
      elements(member(slice, 'spec', 'devices')).map((device) => itemOf(device, slice, { file, line })),
    );
    return slices.length === 0 ? null : { items };
  },
};

function itemOf(device: Json, slice: Json, place: { readonly file: string; readonly line: number }): ResourceSliceItem {
  const name = words(member(device, 'name')) ?? '';
  const attributes = member(device, 'attributes') ?? member(device, 'basic', 'attributes');
  const first = (keys: readonly string[], type: string): Json =>
    keys.map((key) => member(attributes, key, type)).find((value) => value !== null) ?? null;
  const address = printedAddress(words(first(ADDRESSES, 'string')) ?? '');
  const node = numeral(first(NODES, 'int'));
  const facts = {
    driver: words(member(slice, 'spec', 'driver')),
    node: words(member(slice, 'spec', 'nodeName')),
    pool: words(member(slice, 'spec', 'pool', 'name')),
    pcieRoot: words(first(ROOTS, 'string')),
    type: words(first(['type', 'dra.net/type'], 'string')),
  };
  const driver = facts.driver ?? '';
  const sort = /gpu/.test(driver)
    ? 'gpu'
    : /net|nic|sriov|rdma/.test(driver)
      ? 'nic'
      : /nvme|disk/.test(driver)
        ? 'drive'
        : 'unknown';
  return {
    kind: 'resource-slices',
    ...place,
    what: 'device',
    device: deviceLabel(name, sort, address),
    ...(node === null ? {} : { numaNode: node }),
    facts: Object.fromEntries(
      Object.entries(facts).flatMap(([key, value]) => (value === null ? [] : [[key, value] as const])),
    ),
  };
}
