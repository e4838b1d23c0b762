/**
 * The scrape cache against the full parser alone: over real bodies and seeded damage, known lines or not, both give the
 * same samples or both refuse.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { IMPLEMENTATIONS, newWorkspace, NumberingResolver, seededRandom, Target } from './_testing.ts';
import { ExpositionError } from './errors.ts';
import { OpenMetricsParser } from './openmetrics-parser.ts';
import type { ExpositionFormat } from './scrape-cache.ts';
import { TextParser } from './text-parser.ts';

const folder = new URL('../../../../shared/conformance/exposition/', import.meta.url);
const SEED = 20240607;
const DAMAGES_PER_FILE = 120;
const TIME_MS = 1000;

interface Expected {
  readonly samples: string[];
  readonly lines: number;
  readonly duplicates: number;
  readonly exemplars: number;
}

/** What the full parser says of a body, with the first sample of a series kept. */
function oracle(bytes: Uint8Array, format: ExpositionFormat): Expected | string {
  const parser = format === 'openmetrics' ? new OpenMetricsParser() : new TextParser();
  parser.begin(bytes, 0, bytes.length);
  const samples: string[] = [];
  const seen = new Set<string>();
  let lines = 0;
  let duplicates = 0;
  let exemplars = 0;
  try {
    for (;;) {
      const line = parser.next();
      if (line === 'end') return { samples, lines, duplicates, exemplars };
      if (line !== 'series') continue;
      lines++;
      // A cache tells series apart by their bytes and by what the last type makes of them.
      const raw = Buffer.from(bytes.subarray(parser.seriesStart, parser.seriesEnd)).toString('latin1');
      const labels = JSON.stringify(parser.labels());
      const key = `${raw} ${labels}`;
      if (seen.has(key) && !parser.hasTime) {
        duplicates++;
        continue;
      }
      seen.add(key);
      if (parser.exemplar !== undefined) exemplars++;
      const value = Object.is(parser.value, -0) ? '-0' : String(parser.value);
      samples.push(`${labels} ${value}${parser.hasTime && parser.timeMs !== TIME_MS ? `@${parser.timeMs}` : ''}`);
    }
  } catch (error) {
    if (error instanceof ExpositionError) return error.message;
    throw error;
  }
}

function compare(target: Target, bytes: Uint8Array, format: ExpositionFormat, what: string): void {
  const want = oracle(bytes, format);
  let got: Expected | string;
  try {
    const parsed = target.scrape(bytes, format);
    got = {
      samples: target.samples(parsed),
      lines: parsed.samplesScraped,
      duplicates: parsed.duplicates,
      exemplars: parsed.exemplars.length,
    };
    assert.equal(parsed.samplesAfterRelabel, parsed.samplesScraped, what);
  } catch (error) {
    if (!(error instanceof ExpositionError)) throw error;
    got = error.message;
  }
  assert.deepEqual(got, want, what);
}

/** One kind of damage to a body; `random` chooses where. */
const DAMAGES: Readonly<Record<string, (body: Uint8Array, random: () => number) => Uint8Array>> = {
  flip: (body, random) => {
    const damaged = body.slice();
    const at = Math.floor(random() * body.length);
    damaged[at] = damaged[at]! ^ (1 << Math.floor(random() * 8));
    return damaged;
  },
  byte: (body, random) => {
    const damaged = body.slice();
    const interesting = [0, 9, 10, 13, 32, 34, 35, 44, 45, 46, 48, 57, 61, 92, 101, 123, 125, 255];
    damaged[Math.floor(random() * body.length)] = interesting[Math.floor(random() * interesting.length)]!;
    return damaged;
  },
  truncate: (body, random) => body.slice(0, Math.floor(random() * body.length)),
  reorder: (body, random) => join(lines(body).sort(() => random() - 0.5)),
  repeat: (body, random) => {
    const all = lines(body);
    const at = Math.floor(random() * all.length);
    return join([...all.slice(0, at), all[at]!, ...all.slice(at)]);
  },
  remove: (body, random) => join(lines(body).filter(() => random() > 0.1)),
  carriageReturns: (body, random) => join(lines(body).map((line) => (random() > 0.999 ? `${line}\r` : line))),
  values: (body, random) => join(lines(body).map((line) => line.replace(/ [^ ]+$/, () => ` ${strangeValue(random)}`))),
  times: (body, random) => join(lines(body).map((line) => (random() > 0.99 ? `${line} ${Math.floor(random() * 1e13)}` : line))),
};

const lines = (body: Uint8Array): string[] => Buffer.from(body).toString('latin1').split('\n').slice(0, -1);
const join = (lines: readonly string[]): Uint8Array => new Uint8Array(Buffer.from(`${lines.join('\n')}\n`, 'latin1'));

function strangeValue(random: () => number): string {
  const kinds = ['0', '-0', '1', '+Inf', '-Inf', 'NaN', '1e22', '1e-22', '123456789012345678', '9007199254740993', '4.35', '1.', '.5'];
  const kind = Math.floor(random() * (kinds.length + 3));
  if (kind < kinds.length) return kinds[kind]!;
  return String((random() - 0.5) * 10 ** Math.floor(random() * 40 - 20));
}

for (const implementation of IMPLEMENTATIONS) {
  test(`${implementation}: real bodies and damaged ones parse as by the full parser`, (t) => {
    if (!existsSync(folder)) {
      t.skip('no ../shared/conformance/exposition');
      return;
    }
    const workspace = newWorkspace(implementation);
    const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));
    assert.ok(files.length > 0);
    for (const [number, name] of files.entries()) {
      const format: ExpositionFormat = name.endsWith('.om.txt') ? 'openmetrics' : 'text';
      const body = new Uint8Array(readFileSync(new URL(name, folder)));
      const target = new Target(workspace, new NumberingResolver());
      compare(target, body, format, `${name}, first`);
      compare(target, body, format, `${name}, second`);
      const random = seededRandom(SEED + number);
      const kinds = Object.entries(DAMAGES);
      // Large files tell little more than small ones.
      const rounds = Math.min(DAMAGES_PER_FILE, Math.ceil(3_000_000 / body.length));
      for (let i = 0; i < rounds; i++) {
        const [kind, damage] = kinds[i % kinds.length]!;
        const what = `${name}, ${kind}, seed ${SEED + number}, round ${i}`;
        compare(target, damage(body, random), format, what);
        if (i % 10 === 0) compare(target, body, format, `${what}, then whole`);
      }
      target.cache.close();
    }
  });
}
