/**
 * Block devices on Linux: /proc/diskstats, what udev knows of them, software RAID.
 */
import type { HostReader } from './host-reader.ts';
import { columnsOf, decimal, linesOf, listOptional, NoDataError, readOptional, type Collect } from './proc-text.ts';

const DISKSTATS = '/proc/diskstats';
const UDEV = '/run/udev/data';
/** Partitions, and devices in memory or of a file. */
const IGNORED_DEVICES = /^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$/;
/** The kernel counts sectors of this size, whatever the device's. */
const SECTOR_BYTES = 512;
const MILLI = 1e-3;

/** Columns after the device's name: family, factor, help. Source: kernel, admin-guide/iostats. */
const COLUMNS: readonly (readonly [string, number, string])[] = [
  ['node_disk_reads_completed_total', 1, 'Reads completed.'],
  ['node_disk_reads_merged_total', 1, 'Reads merged into others.'],
  ['node_disk_read_bytes_total', SECTOR_BYTES, 'Bytes read.'],
  ['node_disk_read_time_seconds_total', MILLI, 'Seconds spent by all reads.'],
  ['node_disk_writes_completed_total', 1, 'Writes completed.'],
  ['node_disk_writes_merged_total', 1, 'Writes merged into others.'],
  ['node_disk_written_bytes_total', SECTOR_BYTES, 'Bytes written.'],
  ['node_disk_write_time_seconds_total', MILLI, 'Seconds spent by all writes.'],
  ['node_disk_io_now', 1, 'Reads and writes under way.'],
  ['node_disk_io_time_seconds_total', MILLI, 'Seconds in which the device was busy.'],
  [
    'node_disk_io_time_weighted_seconds_total',
    MILLI,
    'Seconds in which the device was busy, times the requests under way.',
  ],
  ['node_disk_discards_completed_total', 1, 'Discards completed.'],
  ['node_disk_discards_merged_total', 1, 'Discards merged into others.'],
  ['node_disk_discarded_sectors_total', 1, 'Sectors discarded.'],
  ['node_disk_discard_time_seconds_total', MILLI, 'Seconds spent by all discards.'],
  ['node_disk_flush_requests_total', 1, 'Flushes completed.'],
  ['node_disk_flush_requests_time_seconds_total', MILLI, 'Seconds spent by all flushes.'],
];

export const collectDisks: Collect = async (reader, out) => {
  for (const line of linesOf(await reader.readText(DISKSTATS))) {
    const [major, minor, device, ...columns] = columnsOf(line);
    if (device === undefined || IGNORED_DEVICES.test(device)) continue;
    const info = await readUdev(reader, `${UDEV}/b${major}:${minor}`);
    out.gauge('node_disk_info', 'What is known of a device.', 1, {
      device,
      major: major!,
      minor: minor!,
      path: info.get('ID_PATH') ?? '',
      wwn: info.get('ID_WWN') ?? '',
      model: info.get('ID_MODEL') ?? '',
      serial: info.get('SCSI_IDENT_SERIAL') ?? info.get('ID_SERIAL_SHORT') ?? '',
      revision: info.get('ID_REVISION') ?? '',
    });
    for (const [i, text] of columns.entries()) {
      const column = COLUMNS[i];
      if (!column) break; // Of a newer kernel.
      const [family, factor, help] = column;
      const type = family.endsWith('_total') ? 'counter' : 'gauge';
      out[type](family, help, scale(decimal(DISKSTATS, text), factor), { device });
    }
  }
};

/** Milliseconds divide exactly where a product would round. */
const scale = (value: number, factor: number): number => (factor === MILLI ? value / 1000 : value * factor);

/** `E:NAME=value` lines. */
async function readUdev(reader: HostReader, path: string): Promise<ReadonlyMap<string, string>> {
  const text = (await readOptional(reader, path)) ?? '';
  const pairs = linesOf(text).flatMap((line): [string, string][] => {
    const [, name, value] = /^E:([^=]+)=(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, value!]];
  });
  return new Map(pairs);
}

const BLOCK = '/sys/block';
const RAID_STATES = ['active', 'inactive', 'recovering', 'resync', 'check'] as const;

/** Software RAID (md): how many disks an array needs and has. Source: kernel, admin-guide/md. */
export const collectRaid: Collect = async (reader, out) => {
  const devices = (await listOptional(reader, BLOCK)).filter((name) => /^md\d+$/.test(name));
  let seen = false;
  for (const device of devices) {
    const folder = `${BLOCK}/${device}/md`;
    const arrayState = await readOptional(reader, `${folder}/array_state`);
    if (arrayState === null) continue;
    seen = true;
    const required = decimal(`${folder}/raid_disks`, (await readOptional(reader, `${folder}/raid_disks`)) ?? '0');
    const counts = { active: 0, failed: 0, spare: 0 };
    for (const member of (await listOptional(reader, folder)).filter((name) => name.startsWith('dev-'))) {
      const flags = ((await readOptional(reader, `${folder}/${member}/state`)) ?? '').split(',');
      if (flags.includes('faulty')) counts.failed++;
      else if (flags.includes('in_sync')) counts.active++;
      else if (flags.includes('spare')) counts.spare++;
    }
    out.gauge('node_md_disks_required', 'Disks that an array needs.', required, { device });
    for (const [state, count] of Object.entries(counts)) {
      out.gauge('node_md_disks', 'Disks of an array, by state.', count, { device, state });
    }
    const action = (await readOptional(reader, `${folder}/sync_action`)) ?? 'idle';
    const state = raidState(arrayState, action);
    for (const each of RAID_STATES) {
      out.gauge('node_md_state', 'Whether an array is in a state.', each === state ? 1 : 0, { device, state: each });
    }
    const sectors = decimal(`${BLOCK}/${device}/size`, (await readOptional(reader, `${BLOCK}/${device}/size`)) ?? '0');
    const [, done] = /^(\d+) \/ \d+$/.exec((await readOptional(reader, `${folder}/sync_completed`)) ?? '') ?? [];
    out.gauge('node_md_blocks', 'Blocks of 1 KiB of an array.', sectors / 2, { device });
    out.gauge(
      'node_md_blocks_synced',
      'Blocks of an array that are in sync.',
      (done === undefined ? sectors : Number(done)) / 2,
      { device },
    );
  }
  if (!seen) throw new NoDataError('there is no software RAID');
};

function raidState(arrayState: string, action: string): (typeof RAID_STATES)[number] {
  if (action === 'recover') return 'recovering';
  if (action === 'resync' || action === 'check') return action;
  return arrayState === 'inactive' || arrayState === 'clear' ? 'inactive' : 'active';
}
