import assert from 'node:assert/strict';
import { machine } from 'node:os';
import { test } from 'node:test';
import { errorWithCode, FixtureReader, linesFrom } from './_fixture-reader.ts';
import { collectCpuFrequency, collectPressure, collectStat, collectThermalZones, cpuCollector } from './linux-cpu.ts';
import { collectDisks, collectRaid } from './linux-disk.ts';
import { fileSystemCollector } from './linux-filesystem.ts';
import { collectMemory, collectVmstat } from './linux-memory.ts';
import { collectArp, collectBonding, collectNetworkAttributes, collectNetworkTraffic } from './linux-network.ts';
import {
  collectConntrack,
  collectNetstat,
  collectSockstat,
  collectSoftnet,
  collectUdpQueues,
} from './linux-protocols.ts';
import {
  collectEntropy,
  collectLoad,
  collectOpenFiles,
  collectOs,
  collectUname,
  timeCollector,
} from './linux-system.ts';
import type { Collect } from './proc-text.ts';

const NET = '/sys/class/net/eth0';
const MD = '/sys/block/md0/md';

// A claim, the collector, the host's files, and what comes out.
const cases: readonly (readonly [string, Collect, Readonly<Record<string, string | Error>>, readonly string[]])[] = [
  [
    'the lines of /proc/stat that are no processors',
    collectStat,
    {
      '/proc/stat':
        'cpu  1 2\nintr 7 1 2 3\nctxt 9\nbtime 1700000000\nprocesses 4\nprocs_running 2\nprocs_blocked 0\nsoftirq 1\n',
    },
    [
      'node_boot_time_seconds 1700000000',
      'node_context_switches_total 9',
      'node_forks_total 4',
      'node_intr_total 7',
      'node_procs_blocked 0',
      'node_procs_running 2',
    ],
  ],
  [
    'frequencies are in hertz; processors without them are left out',
    collectCpuFrequency,
    {
      '/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq': '2400000\n',
      '/sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq': errorWithCode('EINVAL'),
      '/sys/devices/system/cpu/cpufreq/x': '',
    },
    ['node_cpu_scaling_frequency_hertz{cpu="0"} 2400000000'],
  ],
  [
    'temperatures are in degrees',
    collectThermalZones,
    {
      '/sys/class/thermal/thermal_zone0/type': 'x86_pkg_temp\n',
      '/sys/class/thermal/thermal_zone0/temp': '42500\n',
      '/sys/class/thermal/cooling_device0/type': 'Fan',
    },
    ['node_thermal_zone_temp{type="x86_pkg_temp",zone="0"} 42.5'],
  ],
  [
    'pressure in seconds; all tasks never wait for the processor',
    collectPressure,
    {
      '/proc/pressure/cpu': 'some avg10=0.00 total=1500000\nfull avg10=0.00 total=0\n',
      '/proc/pressure/io': 'some avg10=0.00 total=2\nfull avg10=0.00 total=1\n',
    },
    [
      'node_pressure_cpu_waiting_seconds_total 1.5',
      'node_pressure_io_stalled_seconds_total 0.000001',
      'node_pressure_io_waiting_seconds_total 0.000002',
    ],
  ],
  [
    'memory in bytes, counts as they are, parentheses into the name',
    collectMemory,
    { '/proc/meminfo': 'MemTotal:       16 kB\nActive(anon):    2 kB\nHugePages_Total:   3\n' },
    ['node_memory_Active_anon_bytes 2048', 'node_memory_HugePages_Total 3', 'node_memory_MemTotal_bytes 16384'],
  ],
  [
    'of virtual memory the paging',
    collectVmstat,
    { '/proc/vmstat': 'nr_free_pages 5\npgpgin 1\npswpout 2\npgmajfault 3\noom_kill 4\npgsteal_kswapd 6\n' },
    ['node_vmstat_oom_kill 4', 'node_vmstat_pgmajfault 3', 'node_vmstat_pgpgin 1', 'node_vmstat_pswpout 2'],
  ],
  [
    'disks: sectors and milliseconds in bytes and seconds; partitions and devices in memory are left out',
    collectDisks,
    {
      '/proc/diskstats':
        '   8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n   8 1 sda1 1 2 3 4 5 6 7 8 9 10 11\n   7 0 loop0 0 0\n 259 2 nvme0n1p1 0 0\n 253 0 zram0 0 0\n',
      '/run/udev/data/b8:0': 'S:disk/by-id/x\nE:ID_MODEL=Fast\nE:ID_SERIAL_SHORT=S1\nE:ID_WWN=0x5\n',
    },
    [
      'node_disk_info{device="sda",major="8",minor="0",path="",wwn="0x5",model="Fast",serial="S1",revision=""} 1',
      'node_disk_io_now{device="sda"} 9',
      'node_disk_io_time_seconds_total{device="sda"} 0.01',
      'node_disk_io_time_weighted_seconds_total{device="sda"} 0.011',
      'node_disk_read_bytes_total{device="sda"} 1536',
      'node_disk_read_time_seconds_total{device="sda"} 0.004',
      'node_disk_reads_completed_total{device="sda"} 1',
      'node_disk_reads_merged_total{device="sda"} 2',
      'node_disk_write_time_seconds_total{device="sda"} 0.008',
      'node_disk_writes_completed_total{device="sda"} 5',
      'node_disk_writes_merged_total{device="sda"} 6',
      'node_disk_written_bytes_total{device="sda"} 3584',
    ],
  ],
  [
    'a degraded array that recovers',
    collectRaid,
    {
      [`${MD}/array_state`]: 'clean\n',
      [`${MD}/raid_disks`]: '3\n',
      [`${MD}/sync_action`]: 'recover\n',
      [`${MD}/sync_completed`]: '100 / 400\n',
      [`${MD}/dev-sda/state`]: 'in_sync\n',
      [`${MD}/dev-sdb/state`]: 'faulty\n',
      [`${MD}/dev-sdc/state`]: 'spare\n',
      '/sys/block/md0/size': '400\n',
      '/sys/block/sda/size': '400\n',
    },
    [
      'node_md_blocks{device="md0"} 200',
      'node_md_blocks_synced{device="md0"} 50',
      'node_md_disks{device="md0",state="active"} 1',
      'node_md_disks{device="md0",state="failed"} 1',
      'node_md_disks{device="md0",state="spare"} 1',
      'node_md_disks_required{device="md0"} 3',
      'node_md_state{device="md0",state="active"} 0',
      'node_md_state{device="md0",state="inactive"} 0',
      'node_md_state{device="md0",state="recovering"} 1',
      'node_md_state{device="md0",state="resync"} 0',
      'node_md_state{device="md0",state="check"} 0',
    ],
  ],
  [
    'traffic by device, also of a name with a colon',
    collectNetworkTraffic,
    {
      '/proc/net/dev':
        'Inter-| Receive | Transmit\n face |bytes packets errs\neth0:1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n',
      '/sys/class/net/eth0:1/statistics/rx_nohandler': '17\n',
    },
    [
      'node_network_receive_bytes_total{device="eth0:1"} 1',
      'node_network_receive_compressed_total{device="eth0:1"} 7',
      'node_network_receive_drop_total{device="eth0:1"} 4',
      'node_network_receive_errs_total{device="eth0:1"} 3',
      'node_network_receive_fifo_total{device="eth0:1"} 5',
      'node_network_receive_frame_total{device="eth0:1"} 6',
      'node_network_receive_multicast_total{device="eth0:1"} 8',
      'node_network_receive_nohandler_total{device="eth0:1"} 17',
      'node_network_receive_packets_total{device="eth0:1"} 2',
      'node_network_transmit_bytes_total{device="eth0:1"} 9',
      'node_network_transmit_carrier_total{device="eth0:1"} 15',
      'node_network_transmit_colls_total{device="eth0:1"} 14',
      'node_network_transmit_compressed_total{device="eth0:1"} 16',
      'node_network_transmit_drop_total{device="eth0:1"} 12',
      'node_network_transmit_errs_total{device="eth0:1"} 11',
      'node_network_transmit_fifo_total{device="eth0:1"} 13',
      'node_network_transmit_packets_total{device="eth0:1"} 10',
    ],
  ],
  [
    'attributes of a device; those it does not have are left out',
    collectNetworkAttributes,
    {
      [`${NET}/operstate`]: 'up\n',
      [`${NET}/address`]: '02:00\n',
      [`${NET}/flags`]: '0x1003\n',
      [`${NET}/speed`]: '1000\n',
      [`${NET}/carrier`]: errorWithCode('EINVAL'),
      [`${NET}/ifalias`]: '\n',
      '/sys/class/net/bonding_masters': '\n',
    },
    [
      'node_network_flags{device="eth0"} 4099',
      'node_network_info{device="eth0",operstate="up",address="02:00",broadcast="",duplex="",ifalias=""} 1',
      'node_network_speed_bytes{device="eth0"} 125000000',
      'node_network_up{device="eth0"} 1',
    ],
  ],
  [
    'neighbours by device',
    collectArp,
    {
      '/proc/net/arp':
        'IP address HW type Flags HW address Mask Device\n192.0.2.1 0x1 0x2 02:fc * eth0\n192.0.2.2 0x1 0x2 02:fd * eth0\n192.0.2.3 0x1 0x2 02:fe * eth1\n',
    },
    ['node_arp_entries{device="eth0"} 2', 'node_arp_entries{device="eth1"} 1'],
  ],
  [
    'bonds and their devices that are up, also of an old kernel',
    collectBonding,
    {
      '/sys/class/net/bonding_masters': 'bond0\n',
      '/sys/class/net/bond0/bonding/slaves': 'eth0 eth1 eth2\n',
      '/sys/class/net/bond0/lower_eth0/bonding_slave/mii_status': 'up\n',
      '/sys/class/net/bond0/slave_eth1/bonding_slave/mii_status': 'up\n',
      '/sys/class/net/bond0/lower_eth2/bonding_slave/mii_status': 'down\n',
    },
    ['node_bonding_active{master="bond0"} 2', 'node_bonding_slaves{master="bond0"} 3'],
  ],
  [
    'the protocol counters that alerts use',
    collectNetstat,
    {
      '/proc/net/netstat':
        'TcpExt: SyncookiesSent EmbryonicRsts ListenDrops\nTcpExt: 1 2 3\nIpExt: InOctets InNoRoutes\nIpExt: 4 5\n',
      '/proc/net/snmp': 'Tcp: MaxConn CurrEstab InErrs\nTcp: -1 6 7\n',
      '/proc/net/snmp6': 'Ip6InOctets 8\nUdpLite6InErrors 9\nIcmp6OutMsgs 10\nIp6InReceives 11\n',
    },
    [
      'node_netstat_Icmp6_OutMsgs 10',
      'node_netstat_Ip6_InOctets 8',
      'node_netstat_IpExt_InOctets 4',
      'node_netstat_TcpExt_ListenDrops 3',
      'node_netstat_TcpExt_SyncookiesSent 1',
      'node_netstat_Tcp_CurrEstab 6',
      'node_netstat_Tcp_InErrs 7',
      'node_netstat_UdpLite6_InErrors 9',
    ],
  ],
  [
    'sockets; memory also in bytes; a host without IPv6',
    collectSockstat,
    { '/proc/net/sockstat': 'sockets: used 3\nTCP: inuse 1 mem 2\n' },
    [
      'node_sockstat_TCP_inuse 1',
      'node_sockstat_TCP_mem 2',
      'node_sockstat_TCP_mem_bytes 8192',
      'node_sockstat_sockets_used 3',
    ],
  ],
  [
    'packets by processor, by number where the kernel gives it',
    collectSoftnet,
    {
      '/proc/net/softnet_stat':
        '000000ff 00000001 00000002 0 0 0 0 0 0 0 0 0 00000004 0 0\n00000010 00000000 00000000\n',
    },
    [
      'node_softnet_dropped_total{cpu="4"} 1',
      'node_softnet_dropped_total{cpu="1"} 0',
      'node_softnet_processed_total{cpu="4"} 255',
      'node_softnet_processed_total{cpu="1"} 16',
      'node_softnet_times_squeezed_total{cpu="4"} 2',
      'node_softnet_times_squeezed_total{cpu="1"} 0',
    ],
  ],
  [
    'queues of UDP sockets, summed',
    collectUdpQueues,
    {
      '/proc/net/udp':
        '  sl local rem st tx_queue rx_queue\n 1: 00:1 00:0 07 0000000A:00000010 00\n 2: 00:1 00:0 07 00000001:00000000 00\n',
    },
    ['node_udp_queues{queue="tx",ip="v4"} 11', 'node_udp_queues{queue="rx",ip="v4"} 16'],
  ],
  [
    'connection tracking, summed over processors; columns the kernel dropped are left out',
    collectConntrack,
    {
      '/proc/sys/net/netfilter/nf_conntrack_count': '5\n',
      '/proc/sys/net/netfilter/nf_conntrack_max': '100\n',
      '/proc/net/stat/nf_conntrack': 'entries found drop\n00000005 0000000a 00000001\n00000005 00000001 00000000\n',
    },
    [
      'node_nf_conntrack_entries 5',
      'node_nf_conntrack_entries_limit 100',
      'node_nf_conntrack_stat_drop 1',
      'node_nf_conntrack_stat_found 11',
    ],
  ],
  [
    'load',
    collectLoad,
    { '/proc/loadavg': '0.50 1.25 2.00 1/123 456\n' },
    ['node_load1 0.5', 'node_load15 2', 'node_load5 1.25'],
  ],
  [
    'open files',
    collectOpenFiles,
    { '/proc/sys/fs/file-nr': '777\t0\t9223372\n' },
    ['node_filefd_allocated 777', 'node_filefd_maximum 9223372'],
  ],
  [
    'names of the kernel',
    collectUname,
    {
      '/proc/sys/kernel/ostype': 'Linux\n',
      '/proc/sys/kernel/osrelease': '6.1\n',
      '/proc/sys/kernel/version': '#1 SMP\n',
      '/proc/sys/kernel/hostname': 'vm\n',
      '/proc/sys/kernel/domainname': '(none)\n',
    },
    [
      `node_uname_info{sysname="Linux",release="6.1",version="#1 SMP",machine="${machine()}",nodename="vm",domainname="(none)"} 1`,
    ],
  ],
  [
    'the distribution, values quoted or not',
    collectOs,
    { '/usr/lib/os-release': 'NAME="A \\"B\\""\nID=debian\nVERSION_ID=\'12.4.1\'\nHOME_URL="x"\n' },
    [
      'node_os_info{build_id="",id="debian",id_like="",image_id="",image_version="",name="A "B"",pretty_name="",variant="",variant_id="",version="",version_codename="",version_id="12.4.1"} 1',
      'node_os_version{id="debian",id_like="",name="A "B""} 12.4',
    ],
  ],
  [
    'entropy',
    collectEntropy,
    { '/proc/sys/kernel/random/entropy_avail': '256\n', '/proc/sys/kernel/random/poolsize': '256\n' },
    ['node_entropy_available_bits 256', 'node_entropy_pool_size_bits 256'],
  ],
];
for (const [claim, collect, files, want] of cases) {
  test(claim, async () => assert.deepEqual(await linesFrom(collect, new FixtureReader(files)), want));
}

// Files that are not as the kernel writes them, or not there.
const bad: readonly (readonly [string, Collect, Readonly<Record<string, string | Error>>, RegExp])[] = [
  [
    'a processor line with a word',
    cpuCollector(),
    { '/proc/stat': 'cpu0 1 2 x 4\n' },
    /HostFormatError: \/proc\/stat: "x" is not in the expected format/,
  ],
  ['a memory line without a number', collectMemory, { '/proc/meminfo': 'MemTotal: lots kB\n' }, /HostFormatError/],
  ['more names than values', collectNetstat, { '/proc/net/netstat': 'TcpExt: A B\nTcpExt: 1\n' }, /HostFormatError/],
  ['a device line cut short', collectNetworkTraffic, { '/proc/net/dev': 'a\nb\neth0: 1 2 3\n' }, /HostFormatError/],
  ['no /proc', collectLoad, {}, /ENOENT/],
  ['no bonds', collectBonding, {}, /NoDataError/],
  ['no arrays', collectRaid, { '/sys/block/sda/size': '1' }, /NoDataError/],
  ['no connection tracking', collectConntrack, {}, /NoDataError/],
  ['no pressure', collectPressure, {}, /NoDataError/],
  [
    'a file that may not be read',
    collectConntrack,
    { '/proc/sys/net/netfilter/nf_conntrack_count': errorWithCode('EACCES') },
    /EACCES/,
  ],
];
for (const [claim, collect, files, want] of bad) {
  test(`fails: ${claim}`, () => assert.rejects(linesFrom(collect, new FixtureReader(files)), want));
}

const idleOf = (lines: readonly string[]): string => lines.find((line) => line.includes('mode="idle"'))!;
const ioWaitOf = (lines: readonly string[]): string => lines.find((line) => line.includes('mode="iowait"'))!;

test('processor times are in seconds; a kernel without the last columns gives zeros', async () => {
  const lines = await linesFrom(
    cpuCollector(),
    new FixtureReader({ '/proc/stat': 'cpu  9 9\ncpu3 150 20 30 400 5\nintr 1\n' }),
  );
  assert.deepEqual(lines, [
    'node_cpu_guest_seconds_total{cpu="3",mode="user"} 0',
    'node_cpu_guest_seconds_total{cpu="3",mode="nice"} 0',
    'node_cpu_seconds_total{cpu="3",mode="user"} 1.5',
    'node_cpu_seconds_total{cpu="3",mode="nice"} 0.2',
    'node_cpu_seconds_total{cpu="3",mode="system"} 0.3',
    'node_cpu_seconds_total{cpu="3",mode="idle"} 4',
    'node_cpu_seconds_total{cpu="3",mode="iowait"} 0.05',
    'node_cpu_seconds_total{cpu="3",mode="irq"} 0',
    'node_cpu_seconds_total{cpu="3",mode="softirq"} 0',
    'node_cpu_seconds_total{cpu="3",mode="steal"} 0',
  ]);
});

test('a mode that falls a little stays; a processor that was away starts anew', async () => {
  const collect = cpuCollector();
  const read = (idle: number, iowait: number): Promise<string[]> =>
    linesFrom(collect, new FixtureReader({ '/proc/stat': `cpu0 0 0 0 ${idle} ${iowait}\n` }));
  await read(1000, 50);
  const after = await read(999, 40);
  assert.equal(idleOf(after), 'node_cpu_seconds_total{cpu="0",mode="idle"} 10');
  assert.equal(ioWaitOf(after), 'node_cpu_seconds_total{cpu="0",mode="iowait"} 0.5');
  const back = await read(100, 1);
  assert.equal(idleOf(back), 'node_cpu_seconds_total{cpu="0",mode="idle"} 1');
  assert.equal(ioWaitOf(back), 'node_cpu_seconds_total{cpu="0",mode="iowait"} 0.01');
});

const SIZE = { blockBytes: 4096, blocks: 100, freeBlocks: 50, availableBlocks: 40, files: 10, freeFiles: 5 };

test('file systems: sizes, escaped names; kernel file systems and repeated mounts are left out', async () => {
  const mounts =
    '/dev/sda1 / ext4 rw,relatime 0 0\nproc /proc proc rw 0 0\n/dev/sdb /data\\040x xfs ro 0 0\n/dev/sda1 / ext4 rw 0 0\noverlay /x overlay rw 0 0\n';
  const reader = new FixtureReader(
    { '/proc/1/mounts': errorWithCode('EACCES'), '/proc/self/mounts': mounts },
    { '/': SIZE, '/data x': errorWithCode('EIO') },
  );
  const root = '{device="/dev/sda1",fstype="ext4",mountpoint="/"}';
  const data = '{device="/dev/sdb",fstype="xfs",mountpoint="/data x"}';
  assert.deepEqual(await linesFrom(fileSystemCollector(), reader), [
    `node_filesystem_avail_bytes${root} 163840`,
    `node_filesystem_device_error${root} 0`,
    `node_filesystem_device_error${data} 1`,
    `node_filesystem_files${root} 10`,
    `node_filesystem_files_free${root} 5`,
    `node_filesystem_free_bytes${root} 204800`,
    `node_filesystem_readonly${root} 0`,
    `node_filesystem_readonly${data} 1`,
    `node_filesystem_size_bytes${root} 409600`,
  ]);
});

test('a mount that hangs is an error of that mount', async () => {
  const never = new Promise<typeof SIZE>(() => {});
  const reader = new FixtureReader(
    { '/proc/1/mounts': 'srv:/x /mnt/x nfs rw 0 0\n/dev/sda / ext4 rw 0 0\n' },
    { '/mnt/x': never, '/': SIZE },
  );
  const lines = await linesFrom(fileSystemCollector(1), reader);
  assert(lines.includes('node_filesystem_device_error{device="srv:/x",fstype="nfs",mountpoint="/mnt/x"} 1'));
  assert(lines.includes('node_filesystem_size_bytes{device="/dev/sda",fstype="ext4",mountpoint="/"} 409600'));
});

test('the time is the clock’s', async () => {
  const folder = '/sys/devices/system/clocksource/clocksource0';
  const files = { [`${folder}/available_clocksource`]: 'tsc hpet \n', [`${folder}/current_clocksource`]: 'tsc\n' };
  const lines = await linesFrom(
    timeCollector(() => 1_700_000_000_123),
    new FixtureReader(files),
  );
  assert.deepEqual(
    lines.filter((line) => !line.startsWith('node_time_zone')),
    [
      'node_time_clocksource_available_info{device="0",clocksource="tsc"} 1',
      'node_time_clocksource_available_info{device="0",clocksource="hpet"} 1',
      'node_time_clocksource_current_info{device="0",clocksource="tsc"} 1',
      'node_time_seconds 1700000000.123',
    ],
  );
});
