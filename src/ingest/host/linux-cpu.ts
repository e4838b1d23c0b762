/**
 * Processors and scheduling on Linux: /proc/stat, frequencies.
 */
import { columnsOf, decimal, linesOf, listOptional, NoDataError, readOptional, type Collect } from './proc-text.ts';

const STAT = '/proc/stat';
const CPUS = '/sys/devices/system/cpu';
/** The kernel counts in hundredths of a second, whatever its own tick. Source: man 5 proc, USER_HZ. */
const TICKS_PER_SECOND = 100;
const MODES = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const;
const GUEST_MODES = ['user', 'nice'] as const;
const IDLE = MODES.indexOf('idle');
/** An idle time that falls by more means that the processor was away; less is the kernel's rounding. */
const RESET_SECONDS = 3;

/**
 * Seconds by processor and mode.
 *
 * The kernel's idle and iowait times sometimes fall a little, which a rate would take for a counter reset and add up whole.
 * So the collector remembers: a mode never falls, unless the processor was away.
 */
export function cpuCollector(): Collect {
  let previous = new Map<string, readonly number[]>();
  return async (reader, out) => {
    const current = new Map<string, readonly number[]>();
    for (const line of linesOf(await reader.readText(STAT))) {
      const [name, ...ticks] = columnsOf(line);
      const cpu = /^cpu(\d+)$/.exec(name!)?.[1];
      if (cpu === undefined) continue;
      const read = ticks.map((text) => decimal(STAT, text) / TICKS_PER_SECOND);
      const before = previous.get(cpu);
      const wasAway = before === undefined || read[IDLE]! < before[IDLE]! - RESET_SECONDS;
      const seconds = wasAway ? read : read.map((value, i) => Math.max(value, before[i] ?? 0));
      current.set(cpu, seconds);
      for (const [i, mode] of MODES.entries()) {
        out.counter('node_cpu_seconds_total', 'Seconds that a processor spent in each mode.', seconds[i] ?? 0, {
          cpu,
          mode,
        });
      }
      for (const [i, mode] of GUEST_MODES.entries()) {
        const value = seconds[MODES.length + i] ?? 0;
        out.counter('node_cpu_guest_seconds_total', 'Seconds that a processor spent running guests, by mode.', value, {
          cpu,
          mode,
        });
      }
    }
    previous = current;
  };
}

const STAT_LINES: Readonly<Record<string, readonly [string, 'counter' | 'gauge', string]>> = {
  ctxt: ['node_context_switches_total', 'counter', 'Context switches.'],
  intr: ['node_intr_total', 'counter', 'Interrupts served.'],
  processes: ['node_forks_total', 'counter', 'Processes and threads created.'],
  btime: ['node_boot_time_seconds', 'gauge', 'When the host booted, in Unix time.'],
  procs_running: ['node_procs_running', 'gauge', 'Processes that run or wait for a processor.'],
  procs_blocked: ['node_procs_blocked', 'gauge', 'Processes that wait for input or output.'],
};

/** Boot time, forks, interrupts, context switches. */
export const collectStat: Collect = async (reader, out) => {
  for (const line of linesOf(await reader.readText(STAT))) {
    const [name, value] = columnsOf(line);
    const known = Object.hasOwn(STAT_LINES, name!) ? STAT_LINES[name!] : undefined;
    if (!known) continue;
    const [family, type, help] = known;
    out[type](family, help, decimal(STAT, value));
  }
};

const FREQUENCIES: readonly (readonly [string, string, string])[] = [
  ['cpuinfo_cur_freq', 'node_cpu_frequency_hertz', 'Frequency a processor runs at.'],
  ['cpuinfo_min_freq', 'node_cpu_frequency_min_hertz', 'Lowest frequency of a processor.'],
  ['cpuinfo_max_freq', 'node_cpu_frequency_max_hertz', 'Highest frequency of a processor.'],
  ['scaling_cur_freq', 'node_cpu_scaling_frequency_hertz', 'Frequency the kernel asked for.'],
  ['scaling_min_freq', 'node_cpu_scaling_frequency_min_hertz', 'Lowest frequency the kernel may ask for.'],
  ['scaling_max_freq', 'node_cpu_scaling_frequency_max_hertz', 'Highest frequency the kernel may ask for.'],
];

export const collectCpuFrequency: Collect = async (reader, out) => {
  for (const name of await listOptional(reader, CPUS)) {
    const cpu = /^cpu(\d+)$/.exec(name)?.[1];
    if (cpu === undefined) continue;
    for (const [file, family, help] of FREQUENCIES) {
      const path = `${CPUS}/${name}/cpufreq/${file}`;
      const text = await readOptional(reader, path);
      if (text !== null && /^\d+$/.test(text)) out.gauge(family, help, Number(text) * 1000, { cpu });
    }
  }
};

const THERMAL = '/sys/class/thermal';

export const collectThermalZones: Collect = async (reader, out) => {
  for (const name of await listOptional(reader, THERMAL)) {
    const zone = /^thermal_zone(\d+)$/.exec(name)?.[1];
    if (zone === undefined) continue;
    const [type, milliCelsius] = await Promise.all([
      readOptional(reader, `${THERMAL}/${name}/type`),
      readOptional(reader, `${THERMAL}/${name}/temp`),
    ]);
    if (type === null || milliCelsius === null) continue;
    const celsius = decimal(`${THERMAL}/${name}/temp`, milliCelsius) / 1000;
    out.gauge('node_thermal_zone_temp', 'Temperature of a zone in degrees Celsius.', celsius, { type, zone });
  }
};

const PRESSURE = '/proc/pressure';
const RESOURCES = ['cpu', 'io', 'memory'] as const;

/** How long tasks waited for a resource: some of them, or all. */
export const collectPressure: Collect = async (reader, out) => {
  let seen = false;
  for (const resource of RESOURCES) {
    const path = `${PRESSURE}/${resource}`;
    const text = await readOptional(reader, path);
    if (text === null) continue;
    seen = true;
    for (const line of linesOf(text)) {
      const [kind, ...fields] = columnsOf(line);
      // All tasks cannot wait for the processor: one of them would run.
      if (kind === 'full' && resource === 'cpu') continue;
      const micros = fields.find((field) => field.startsWith('total='))?.slice('total='.length);
      const seconds = decimal(path, micros) / 1e6;
      const state = kind === 'full' ? 'stalled' : 'waiting';
      out.counter(
        `node_pressure_${resource}_${state}_seconds_total`,
        `Seconds that tasks were ${state} for ${resource}.`,
        seconds,
      );
    }
  }
  if (!seen) throw new NoDataError(`${PRESSURE} is missing`);
};
