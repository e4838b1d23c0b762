/**
 * When a rule group is evaluated: at multiples of its interval, shifted by a phase of its own, so that groups do not run all at once. The
 * phase comes from file and name, so it is the same after a restart, and backfilled samples fall on the times of later ones.
 *
 * Source: Prometheus, rules.Group.EvalTimestamp; verified against Debian's promtool.
 */
import { xxhash64 } from '../bytes/xxhash64.ts';

const NS_PER_MS = 1_000_000n;
/** Between names and values: a byte that UTF-8 does not have. */
const SEPARATOR = 0xff;

/** Less than the interval, with a fraction. @param file as the configuration names it */
export function rulePhaseMs({ file, group }: { readonly file: string; readonly group: string }, intervalMs: number): number {
  const parts = ['file', file, 'name', group].flatMap((text) => [...new TextEncoder().encode(text), SEPARATOR]);
  return Number(xxhash64(Uint8Array.from(parts)) % (BigInt(intervalMs) * NS_PER_MS)) / Number(NS_PER_MS);
}

/** The first evaluation that is not before `timeMs`. */
export function nextRuleTimeMs(timeMs: number, phaseMs: number, intervalMs: number): number {
  return Math.ceil((timeMs - phaseMs) / intervalMs) * intervalMs + phaseMs;
}
