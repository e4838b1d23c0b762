/**
 * Network protocols on Linux: counters of IP, TCP and UDP, sockets, queues, connection tracking.
 */
import {
  columnsOf,
  decimal,
  hexadecimal,
  HostFormatError,
  linesOf,
  readOptional,
  readRequired,
  type Collect,
} from './proc-text.ts';

/** Of several hundred counters the few that alerts and dashboards use. */
const NETSTAT_FIELDS = new RegExp(
  '^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)' +
    '|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)' +
    '|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)' +
    '|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$',
);
const NETSTAT_GAUGES = new Set(['Ip_Forwarding', 'Tcp_CurrEstab']);

export const collectNetstat: Collect = async (reader, out) => {
  const add = (field: string, value: number): void => {
    if (!NETSTAT_FIELDS.test(field)) return;
    out[NETSTAT_GAUGES.has(field) ? 'gauge' : 'counter'](
      `node_netstat_${field}`,
      `Protocol statistic ${field}.`,
      value,
    );
  };
  for (const path of ['/proc/net/netstat', '/proc/net/snmp']) {
    const lines = linesOf(await reader.readText(path));
    for (let i = 0; i + 1 < lines.length; i += 2) {
      // A line of names, then one of values.
      const [protocol, ...names] = columnsOf(lines[i]!);
      const [same, ...values] = columnsOf(lines[i + 1]!);
      if (protocol !== same || names.length !== values.length) throw new HostFormatError(path, lines[i]!);
      for (const [n, name] of names.entries()) add(`${protocol!.slice(0, -1)}_${name}`, decimal(path, values[n]));
    }
  }
  const path = '/proc/net/snmp6';
  for (const line of linesOf((await readOptional(reader, path)) ?? '')) {
    const [name, value] = columnsOf(line);
    add(name!.replace('6', '6_'), decimal(path, value));
  }
};

export const collectSockstat: Collect = async (reader, out) => {
  const pageBytes = await reader.pageBytes();
  for (const path of ['/proc/net/sockstat', '/proc/net/sockstat6']) {
    for (const line of linesOf((await readOptional(reader, path)) ?? '')) {
      const [head, ...pairs] = columnsOf(line);
      const protocol = head!.slice(0, -1);
      for (let i = 0; i + 1 < pairs.length; i += 2) {
        const name = pairs[i]!;
        const value = decimal(path, pairs[i + 1]);
        out.gauge(`node_sockstat_${protocol}_${name}`, `Sockets of ${protocol}: ${name}.`, value);
        if (name === 'mem')
          out.gauge(
            `node_sockstat_${protocol}_mem_bytes`,
            `Sockets of ${protocol}: memory in bytes.`,
            value * pageBytes,
          );
      }
    }
  }
};

/** What each processor took off the network. Source: kernel, net/core, softnet_seq_show. */
export const collectSoftnet: Collect = async (reader, out) => {
  const path = '/proc/net/softnet_stat';
  const INDEX_COLUMN = 12; // Since Linux 5.10, for processors that come and go.
  for (const [row, line] of linesOf(await reader.readText(path)).entries()) {
    const columns = columnsOf(line);
    const [processed, dropped, squeezed] = columns.slice(0, 3).map((text) => hexadecimal(path, text));
    const index = columns[INDEX_COLUMN];
    const cpu = String(index === undefined ? row : hexadecimal(path, index));
    out.counter('node_softnet_processed_total', 'Packets processed.', processed ?? 0, { cpu });
    out.counter('node_softnet_dropped_total', 'Packets dropped because the queue was full.', dropped ?? 0, { cpu });
    out.counter(
      'node_softnet_times_squeezed_total',
      'Times that work was left when the budget ran out.',
      squeezed ?? 0,
      { cpu },
    );
  }
};

/** Bytes that wait in UDP sockets. */
export const collectUdpQueues: Collect = async (reader, out) => {
  const QUEUES_COLUMN = 4; // tx:rx
  for (const [ip, path] of [
    ['v4', '/proc/net/udp'],
    ['v6', '/proc/net/udp6'],
  ] as const) {
    const text = await readOptional(reader, path);
    if (text === null) continue;
    let [tx, rx] = [0, 0];
    for (const line of linesOf(text).slice(1)) {
      const [sent, received] = (columnsOf(line)[QUEUES_COLUMN] ?? '').split(':');
      tx += hexadecimal(path, sent);
      rx += hexadecimal(path, received);
    }
    out.gauge('node_udp_queues', 'Bytes in the queues of UDP sockets.', tx, { queue: 'tx', ip });
    out.gauge('node_udp_queues', 'Bytes in the queues of UDP sockets.', rx, { queue: 'rx', ip });
  }
};

const CONNTRACK_STATS = [
  'found',
  'invalid',
  'ignore',
  'insert',
  'insert_failed',
  'drop',
  'early_drop',
  'search_restart',
];

export const collectConntrack: Collect = async (reader, out) => {
  const folder = '/proc/sys/net/netfilter';
  const count = await readRequired(reader, `${folder}/nf_conntrack_count`);
  const limit = await readRequired(reader, `${folder}/nf_conntrack_max`);
  out.gauge('node_nf_conntrack_entries', 'Connections tracked.', decimal(folder, count.trim()));
  out.gauge('node_nf_conntrack_entries_limit', 'Most connections that can be tracked.', decimal(folder, limit.trim()));
  const path = '/proc/net/stat/nf_conntrack';
  const [head, ...rows] = linesOf((await readOptional(reader, path)) ?? '').map(columnsOf);
  if (head === undefined) return;
  for (const field of CONNTRACK_STATS) {
    const column = head.indexOf(field);
    if (column < 0) continue;
    const sum = rows.reduce((total, row) => total + hexadecimal(path, row[column]), 0);
    out.gauge(`node_nf_conntrack_stat_${field}`, `Connection tracking, ${field}, all processors.`, sum);
  }
};
