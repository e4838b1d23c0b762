/**
 * Network devices on Linux: traffic, attributes, neighbours, bonds.
 */
import {
  columnsOf,
  decimal,
  hexadecimal,
  HostFormatError,
  linesOf,
  listOptional,
  NoDataError,
  readOptional,
  readRequired,
  type Collect,
} from './proc-text.ts';

const DEV = '/proc/net/dev';
const ARP = '/proc/net/arp';
const CLASS = '/sys/class/net';

/** Columns of /proc/net/dev after the device. */
const RECEIVE = ['bytes', 'packets', 'errs', 'drop', 'fifo', 'frame', 'compressed', 'multicast'];
const TRANSMIT = ['bytes', 'packets', 'errs', 'drop', 'fifo', 'colls', 'carrier', 'compressed'];

export const collectNetworkTraffic: Collect = async (reader, out) => {
  for (const line of linesOf(await reader.readText(DEV)).slice(2)) {
    const colon = line.lastIndexOf(':');
    if (colon < 0) throw new HostFormatError(DEV, line);
    const device = line.slice(0, colon).trim();
    const columns = columnsOf(line.slice(colon + 1));
    for (const [i, field] of [
      ...RECEIVE.map((name) => `receive_${name}`),
      ...TRANSMIT.map((name) => `transmit_${name}`),
    ].entries()) {
      out.counter(`node_network_${field}_total`, `Network device statistic ${field}.`, decimal(DEV, columns[i]), {
        device,
      });
    }
    const nohandler = await readOptional(reader, `${CLASS}/${device}/statistics/rx_nohandler`);
    if (nohandler !== null) {
      out.counter('node_network_receive_nohandler_total', 'Packets that no protocol took.', decimal(DEV, nohandler), {
        device,
      });
    }
  }
};

/** A device's attributes that are numbers: file, family, type. Source: kernel, ABI/testing/sysfs-class-net. */
const ATTRIBUTES: readonly (readonly [string, string, 'gauge' | 'counter'])[] = [
  ['addr_assign_type', 'address_assign_type', 'gauge'],
  ['carrier', 'carrier', 'gauge'],
  ['carrier_changes', 'carrier_changes_total', 'counter'],
  ['carrier_down_count', 'carrier_down_changes_total', 'counter'],
  ['carrier_up_count', 'carrier_up_changes_total', 'counter'],
  ['dev_id', 'device_id', 'gauge'],
  ['dormant', 'dormant', 'gauge'],
  ['flags', 'flags', 'gauge'],
  ['ifindex', 'iface_id', 'gauge'],
  ['iflink', 'iface_link', 'gauge'],
  ['link_mode', 'iface_link_mode', 'gauge'],
  ['mtu', 'mtu_bytes', 'gauge'],
  ['name_assign_type', 'name_assign_type', 'gauge'],
  ['netdev_group', 'net_dev_group', 'gauge'],
  ['speed', 'speed_bytes', 'gauge'],
  ['tx_queue_len', 'transmit_queue_length', 'gauge'],
  ['type', 'protocol_type', 'gauge'],
];
const TEXTS = ['operstate', 'address', 'broadcast', 'duplex', 'ifalias'] as const;
/** Megabits a second in bytes a second. */
const MEGABIT_BYTES = 125_000;

export const collectNetworkAttributes: Collect = async (reader, out) => {
  for (const device of await listOptional(reader, CLASS)) {
    if (device === 'bonding_masters') continue;
    const read = (file: string): Promise<string | null> => readOptional(reader, `${CLASS}/${device}/${file}`);
    const [operstate, address, broadcast, duplex, ifalias] = await Promise.all(TEXTS.map(read));
    const texts = { operstate, address, broadcast, duplex, ifalias };
    const labels = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, text ?? '']));
    out.gauge('node_network_info', 'What is known of a device.', 1, { device, ...labels });
    out.gauge('node_network_up', 'Whether a device is operational.', operstate === 'up' ? 1 : 0, { device });
    const values = await Promise.all(ATTRIBUTES.map(([file]) => read(file)));
    for (const [i, [file, family, type]] of ATTRIBUTES.entries()) {
      const text = values[i];
      if (text === null || text === undefined || text === '') continue;
      const path = `${CLASS}/${device}/${file}`;
      const number = text.startsWith('0x') ? hexadecimal(path, text) : decimal(path, text);
      out[type](
        `node_network_${family}`,
        `Network device attribute ${file}.`,
        file === 'speed' ? number * MEGABIT_BYTES : number,
        { device },
      );
    }
  }
};

/** Neighbours by device. */
export const collectArp: Collect = async (reader, out) => {
  const counts = new Map<string, number>();
  for (const line of linesOf(await readRequired(reader, ARP)).slice(1)) {
    const device = columnsOf(line).pop()!;
    counts.set(device, (counts.get(device) ?? 0) + 1);
  }
  for (const [device, count] of counts)
    out.gauge('node_arp_entries', 'Neighbours known by address resolution.', count, { device });
};

export const collectBonding: Collect = async (reader, out) => {
  const masters = await readOptional(reader, `${CLASS}/bonding_masters`);
  if (masters === null) throw new NoDataError('there are no bonds');
  for (const master of columnsOf(masters).filter((name) => name !== '')) {
    const slaves = columnsOf((await readOptional(reader, `${CLASS}/${master}/bonding/slaves`)) ?? '').filter(
      (name) => name !== '',
    );
    const states = await Promise.all(
      slaves.map(async (slave) => {
        const [now, old] = await Promise.all(
          ['lower', 'slave'].map((link) =>
            readOptional(reader, `${CLASS}/${master}/${link}_${slave}/bonding_slave/mii_status`),
          ),
        );
        return now ?? old;
      }),
    );
    out.gauge('node_bonding_slaves', 'Devices in a bond.', slaves.length, { master });
    out.gauge(
      'node_bonding_active',
      'Devices in a bond that are up.',
      states.filter((state) => state === 'up').length,
      { master },
    );
  }
};
