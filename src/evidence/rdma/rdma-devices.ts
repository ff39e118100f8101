/**
 * Which RDMA device is which: the lines of ibdev2netdev and ibv_devinfo.
 *
 *   0000:18:00.0 mlx5_0 (MT4129 - MCX75310AAS-NEAT) ... fw 28.39.1002 port 1 (ACTIVE) ==> ib0 (Up)      -v
 *   mlx5_0 port 1 ==> ib0 (Up)
 *   hca_id: mlx5_0
 */

import { deviceLabel, printedAddress } from '../measured/device-label.ts';
import type { DeviceItem } from '../measured/items.ts';
import { type Recogniser, tableOf } from '../recogniser.ts';

export type RdmaDeviceItem = DeviceItem & { readonly kind: 'rdma-topo' };

const NETDEV =
  /^\s*(?:([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]) )?([a-z][\w-]{2,30}) (?:\(.{1,80}?\) .{0,160}?)?port (\d{1,2}) (?:\(.{1,12}?\) {1,4})?==> ([\w.-]{1,20}) \((Up|Down)\)/i;
const HCA = /^\s*hca_id:\s+(\S{1,40})$/;
const DETAIL = /^\s+([a-z_]{3,20}):\s+(\S.{0,60})$/;
/** Details of ibv_devinfo that say what a device is and how it is connected; identities of the board and its owner do not. */
const KEPT: ReadonlySet<string> = new Set([
  'fw_ver',
  'vendor_part_id',
  'board_id',
  'state',
  'active_mtu',
  'link_layer',
]);

/** Recognises both. */
export const rdmaDevices: Recogniser<RdmaDeviceItem> = tableOf<RdmaDeviceItem>({
  kind: 'rdma-topo',
  words: ['==> ', 'hca_id:'],
  begins: ({ text }) => NETDEV.test(text) || HCA.test(text),
  continues: ({ text, isBlank }) => {
    if (isBlank) return 'passed';
    return NETDEV.test(text) || HCA.test(text) || DETAIL.test(text) || /^\s+port:\s+\d/.test(text) ? 'taken' : 'ended';
  },
  read: (lines, { file }) => {
    const items: RdmaDeviceItem[] = [];
    for (const { text, number } of lines) {
      const place = { kind: 'rdma-topo', file, line: number, what: 'device' } as const;
      const netdev = NETDEV.exec(text);
      const hca = HCA.exec(text)?.[1];
      const detail = DETAIL.exec(text);
      const last = items.at(-1);
      if (netdev !== null) {
        const [, address, name, port, network, state] = netdev as unknown as string[];
        const device = deviceLabel(name as string, 'nic', { name: name as string, ...printedAddress(address ?? '') });
        items.push({
          ...place,
          device,
          facts: { port: port as string, network: network as string, state: state as string },
        });
      } else if (hca !== undefined) items.push({ ...place, device: deviceLabel(hca, 'nic', { name: hca }), facts: {} });
      else if (detail !== null && last !== undefined && KEPT.has(detail[1] as string)) {
        items[items.length - 1] = { ...last, facts: { ...last.facts, [detail[1] as string]: detail[2] as string } };
      }
    }
    return { items };
  },
});
