/** nvbandwidth with `-j`. Cells are strings; releases before v0.8 list no devices, so that their order is unknown. */

import { type DeviceLabel, deviceLabel, printedAddress } from '../measured/device-label.ts';
import { elements, type JsonForm, member, words } from '../measured/json-text.ts';
import { sameTable } from '../measured/measurement.ts';
import type { NvbandwidthItem } from './nvbandwidth.ts';
import { bandwidthCell, testOf } from './nvbandwidth-tests.ts';

const SETTINGS: readonly (readonly [key: string, name: string])[] = [
  ['version', 'nvbandwidth Version'],
  ['CUDA Runtime Version', 'CUDA Runtime Version'],
  ['Driver Version', 'Driver Version'],
];

/** Recognises this JSON. */
export const nvbandwidthJson: JsonForm<NvbandwidthItem> = {
  kind: 'nvbandwidth',
  sign: /"nvbandwidth"/,
  read: (value, line, { file }) => {
    const run = member(value, 'nvbandwidth');
    const place = { kind: 'nvbandwidth', file, line } as const;
    const items: NvbandwidthItem[] = [];
    for (const [key, name] of SETTINGS) {
      const setting = words(member(run, key));
      if (setting !== null) items.push({ ...place, what: 'setting', name, value: setting });
    }
    const devices = new Map<number, DeviceLabel>();
    for (const entry of elements(member(run, 'GPU Device list') ?? member(run, 'GPU Device info'))) {
      const match = /^(\d{1,3}): (.{1,100}?)(?: \(([0-9a-f:]{10,20})\))?(?::? \(.{0,80}\))?$/i.exec(words(entry) ?? '');
      if (match === null) continue;
      const [, index, product, address] = match as unknown as [string, string, string, string?];
      const device = deviceLabel(index, 'gpu', {
        index: Number(index),
        numbering: 'cuda',
        ...printedAddress(address ?? ''),
      });
      devices.set(Number(index), device);
      items.push({ ...place, what: 'device', device, product });
    }
    for (const entry of elements(member(run, 'testcases'))) {
      const name = words(member(entry, 'name')) ?? '';
      const status = words(member(entry, 'status'));
      const test = testOf(name);
      const title = words(member(entry, 'bandwidth_description')) ?? name;
      if (status !== null && status !== 'Passed') {
        items.push({ ...place, what: 'statement', says: 'not-run', text: `${name}: ${status}`, about: [] });
      }
      for (const [row, cells] of elements(member(entry, 'bandwidth_matrix')).entries()) {
        for (const [column, cell] of elements(cells).entries()) {
          const raw = words(cell) ?? 'null';
          items.push(bandwidthCell({ row, column, raw, line, file, test, title, devices }));
        }
      }
    }
    return items.length === 0 ? null : { items, subject: sameTable(items) };
  },
};
