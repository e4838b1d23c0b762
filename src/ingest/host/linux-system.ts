/**
 * The system as a whole on Linux: load, open files, names and versions, clocks, entropy.
 */
import { machine } from 'node:os';
import {
  columnsOf,
  decimal,
  HostFormatError,
  linesOf,
  NoDataError,
  readOptional,
  readRequired,
  type Collect,
} from './proc-text.ts';

export const collectLoad: Collect = async (reader, out) => {
  const path = '/proc/loadavg';
  const [load1, load5, load15] = columnsOf(await reader.readText(path));
  out.gauge('node_load1', '1 m load average.', decimal(path, load1));
  out.gauge('node_load5', '5 m load average.', decimal(path, load5));
  out.gauge('node_load15', '15 m load average.', decimal(path, load15));
};

export const collectOpenFiles: Collect = async (reader, out) => {
  const path = '/proc/sys/fs/file-nr';
  const [allocated, , maximum] = columnsOf(await reader.readText(path));
  out.gauge('node_filefd_allocated', 'Open files.', decimal(path, allocated));
  out.gauge('node_filefd_maximum', 'Most files that can be open.', decimal(path, maximum));
};

const UNAME_FILES = ['ostype', 'osrelease', 'version', 'hostname', 'domainname'];

export const collectUname: Collect = async (reader, out) => {
  const texts = await Promise.all(UNAME_FILES.map((file) => reader.readText(`/proc/sys/kernel/${file}`)));
  const [sysname = '', release = '', version = '', nodename = '', domainname = ''] = texts.map((text) => text.trim());
  const labels = { sysname, release, version, machine: machine(), nodename, domainname };
  out.gauge('node_uname_info', 'Names and versions of the kernel and the host.', 1, labels);
};

const OS_LABELS =
  'build_id id id_like image_id image_version name pretty_name variant variant_id version version_codename version_id'.split(
    ' ',
  );

/** Source: man 5 os-release. */
export const collectOs: Collect = async (reader, out) => {
  const text = (await readOptional(reader, '/etc/os-release')) ?? (await readOptional(reader, '/usr/lib/os-release'));
  if (text === null) throw new NoDataError('there is no os-release file');
  const values = new Map<string, string>();
  for (const line of linesOf(text)) {
    const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined) values.set(name.toLowerCase(), unquoteShell(value!));
  }
  const labels = Object.fromEntries(OS_LABELS.map((name) => [name, values.get(name) ?? '']));
  out.gauge('node_os_info', 'Names and versions of the distribution.', 1, labels);
  const [, version] = /^(\d+(?:\.\d+)?)/.exec(values.get('version_id') ?? '') ?? [];
  if (version === undefined) return;
  const { id = '', id_like = '', name = '' } = labels;
  out.gauge('node_os_version', 'The major and minor version of the distribution.', Number(version), {
    id,
    id_like,
    name,
  });
};

/** A value as a shell assigns it. */
function unquoteShell(text: string): string {
  const [, quoted] = /^"(.*)"$/.exec(text) ?? [];
  if (quoted !== undefined) return quoted.replaceAll(/\\(["$`\\])/g, '$1');
  return /^'(.*)'$/.exec(text)?.[1] ?? text;
}

const CLOCKSOURCE = '/sys/devices/system/clocksource/clocksource0';

/** The time of the host and where it gets it from. */
export const timeCollector =
  (nowMs: () => number): Collect =>
  async (reader, out) => {
    const now = new Date(nowMs());
    out.gauge('node_time_seconds', 'The time of the host, in Unix time.', now.getTime() / 1000);
    const zone = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(now);
    const name = zone.find((part) => part.type === 'timeZoneName')?.value ?? '';
    out.gauge(
      'node_time_zone_offset_seconds',
      'Seconds that the local time is ahead of UTC.',
      -now.getTimezoneOffset() * 60 + 0,
      { time_zone: name },
    );
    const available = await readOptional(reader, `${CLOCKSOURCE}/available_clocksource`);
    const current = await readOptional(reader, `${CLOCKSOURCE}/current_clocksource`);
    if (available === null || current === null) return;
    for (const clocksource of columnsOf(available)) {
      out.gauge('node_time_clocksource_available_info', 'Sources of time that the kernel could use.', 1, {
        device: '0',
        clocksource,
      });
    }
    out.gauge('node_time_clocksource_current_info', 'The source of time that the kernel uses.', 1, {
      device: '0',
      clocksource: current,
    });
  };

export const collectEntropy: Collect = async (reader, out) => {
  const folder = '/proc/sys/kernel/random';
  const available = await readRequired(reader, `${folder}/entropy_avail`);
  const size = await readRequired(reader, `${folder}/poolsize`);
  if (!/^\d+$/.test(available.trim())) throw new HostFormatError(folder, available);
  out.gauge('node_entropy_available_bits', 'Bits of entropy at hand.', decimal(folder, available.trim()));
  out.gauge('node_entropy_pool_size_bits', 'Bits that the entropy pool holds.', decimal(folder, size.trim()));
};
