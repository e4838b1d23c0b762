/**
 * Memory on Linux: /proc/meminfo, /proc/vmstat.
 */
import { columnsOf, decimal, HostFormatError, linesOf, type Collect } from './proc-text.ts';

const MEMINFO = '/proc/meminfo';
const VMSTAT = '/proc/vmstat';
const VMSTAT_FIELDS = /^(oom_kill|pgpg|pswp|pg.*fault)/;

/** `MemFree:  12 kB` is node_memory_MemFree_bytes; lines without a unit are counts. */
export const collectMemory: Collect = async (reader, out) => {
  for (const line of linesOf(await reader.readText(MEMINFO))) {
    const [, field, value, unit] = /^([^:]+):\s+(\d+)( kB)?\s*$/.exec(line) ?? [];
    if (field === undefined) throw new HostFormatError(MEMINFO, line);
    const name = field.replaceAll(/\((\w+)\)/g, '_$1').replaceAll(/\W/g, '_');
    const number = decimal(MEMINFO, value);
    if (unit === undefined) out.gauge(`node_memory_${name}`, `Memory information field ${name}.`, number);
    else out.gauge(`node_memory_${name}_bytes`, `Memory information field ${name} in bytes.`, number * 1024);
  }
};

export const collectVmstat: Collect = async (reader, out) => {
  for (const line of linesOf(await reader.readText(VMSTAT))) {
    const [field, value] = columnsOf(line);
    if (VMSTAT_FIELDS.test(field!))
      out.counter(`node_vmstat_${field}`, `Virtual memory field ${field}.`, decimal(VMSTAT, value));
  }
};
