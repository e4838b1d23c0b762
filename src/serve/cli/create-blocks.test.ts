/**
 * Blocks out of OpenMetrics files, beside Debian's promtool, and out of more samples than one run holds.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { seededRandom } from '../../../test/kernels.ts';
import { emptyFolder, goldenDump, unpack, withoutBlocks } from './_data-folders.ts';
import { coeus, promtool, withoutPromtool } from './_promtool.ts';
import { TestTerminal } from './_test-terminal.ts';
import { createBlocksFromOpenMetrics } from './create-blocks.ts';
import { MAX_IMPORT_BLOCKS, type RunLimits } from './import-run.ts';

const CREATE = ['tsdb', 'create-blocks-from', 'openmetrics'];

/** Names of blocks are random, and promtool's indexes have a section more. */
const masked = (table: string): string => table.replaceAll(/^\w{26}/gm, 'ULID').replaceAll(/\S+$/gm, 'size');

/** promtool wants a log. */
function promtoolDump(folder: string): string {
  mkdirSync(join(folder, 'wal'), { recursive: true });
  return promtool(['tsdb', 'dump', folder]).stdout;
}

test('create-blocks-from openmetrics: three days, the same blocks as promtool makes', { skip: withoutBlocks }, async (t) => {
  const input = join(emptyFolder(t), 'in.om');
  writeFileSync(input, gunzipSync(readFileSync('../shared/conformance/blocks/backfill-3d.openmetrics.gz')));
  const out = join(emptyFolder(t), 'new', 'data');
  const { exitCode, stdout, stderr } = await coeus([...CREATE, input, out]);
  assert.deepEqual([exitCode, stderr.replaceAll(/^writing blocks .*\n/gm, '')], [0, '']);
  assert.equal((await coeus(['tsdb', 'dump', out])).stdout, goldenDump('backfill-3d.blocks'));
  const theirs = unpack(t, 'backfill-3d.blocks');
  assert.equal(masked(stdout), masked((await coeus(['tsdb', 'list', theirs])).stdout));
  assert.equal((await coeus(['tsdb', 'verify', out])).exitCode, 0);
});

// Claim, flags, file.
const inputs: readonly (readonly [string, string, string])[] = [
  ['blocks of two hours', '', '# TYPE a gauge\na{x="y"} 1 1000\na{x="y"} 2 1001\na{x="y"} 3 9001\n# EOF\n'],
  ['nothing', '', '# EOF\n'],
  ['quietly', '-q', 'a 1 1\na 2 9000\n# EOF\n'],
  ['for people', '-r', 'a 1 10000\na 2 1.5\n# EOF\n'],
  ['exemplars', '', '# TYPE a counter\na_total 1 10000 # {t="x"} 1 2\na_total 2 10001.5005\n# EOF\n'],
  ['numbers that are none', '', 'a NaN 10000\na +Inf 10001\na -Inf 10002\na -0 10003\n# EOF\n'],
  ['of two samples at one time the first', '', 'a 1 1000\na 2 1000\na 2 1001\n# EOF\n'],
  ['later blocks first', '', 'a 1 10000\na 2 1\nb 3 10000\n# EOF\n'],
  ['one series written in two ways', '', 'a{x="1",y="2"} 1 1\na{y="2",x="1"} 2 2\n# EOF\n'],
];
for (const [claim, flags, text] of inputs) {
  test(`create-blocks-from openmetrics: ${claim}`, { skip: withoutPromtool }, async (t) => {
    const input = join(emptyFolder(t), 'in.om');
    writeFileSync(input, text);
    const [ours, theirs] = [emptyFolder(t), emptyFolder(t)];
    const words = [...CREATE, ...flags.split(' ').filter(Boolean), input];
    const [got, want] = [await coeus([...words, ours]), promtool([...words, theirs])];
    assert.deepEqual({ ...got, stdout: masked(got.stdout) }, { ...want, stdout: masked(want.stdout) });
    assert.equal(promtoolDump(ours), promtoolDump(theirs));
  });
}

// Claim, flags, file, what is in the blocks then. Where promtool does something else or is too old.
const own: readonly (readonly [string, string, string, string])[] = [
  ['samples out of order are all taken (promtool drops them)', '', 'a 1 1000\na 2 999\na 3 1000.5\n# EOF\n', '{__name__="a"} 2 999000\n{__name__="a"} 1 1000000\n{__name__="a"} 3 1000500\n'],
  ['times before 1970 (promtool drops them)', '', 'a 1 -10000\n# EOF\n', '{__name__="a"} 1 -10000000\n'],
  ['labels for every series', '--label=job=x --label=z=new', 'a{z="old"} 1 1\n# EOF\n', '{__name__="a", job="x", z="new"} 1 1000\n'],
  ['names in UTF-8', '', '{"a.b","c d"="é"} 1 1\n# EOF\n', '{__name__="a.b", "c d"="é"} 1 1000\n'],
];
for (const [claim, flags, text, want] of own) {
  test(`create-blocks-from openmetrics: ${claim}`, async (t) => {
    const input = join(emptyFolder(t), 'in.om');
    writeFileSync(input, text);
    const out = emptyFolder(t);
    assert.equal((await coeus([...CREATE, '-q', ...flags.split(' ').filter(Boolean), input, out])).exitCode, 0);
    assert.equal((await coeus(['tsdb', 'dump', out])).stdout, want);
  });
}

test('create-blocks-from openmetrics: longer blocks', { skip: withoutPromtool }, async (t) => {
  const input = join(emptyFolder(t), 'in.om');
  writeFileSync(input, `${Array.from({ length: 30 }, (_, i) => `a ${i} ${1_760_000_000 + i * 3600}\n`).join('')}# EOF\n`);
  for (const duration of ['1h', '2h', '10h', '18h', '720h', '876000h']) {
    const words = [...CREATE, `--max-block-duration=${duration}`, input];
    assert.equal(masked((await coeus([...words, emptyFolder(t)])).stdout), masked(promtool([...words, emptyFolder(t)]).stdout), duration);
  }
});

// Claim, flags, file, message.
const wrong: readonly (readonly [string, string, string, RegExp])[] = [
  ['no end', '', 'a 1 1\n', /^\S+in\.om: line 2: data does not end with # EOF\n$/],
  ['no times', '', 'a 1 1\na 2\n# EOF\n', /^\S+in\.om: line 2: expected timestamp for series, got none\n$/],
  ['a bad line behind good ones', '', `${'a 1 1\n'.repeat(1000)}b{ 1 2\n# EOF\n`, /^\S+in\.om: line 1001: /],
  ['labels that are none', '--label=x', '# EOF\n', /^error: --label: "x" is not name=value\n$/],
  ['more blocks than may be', '', `${Array.from({ length: MAX_IMPORT_BLOCKS + 1 }, (_, i) => `a 1 ${i * 7200}\n`).join('')}# EOF\n`, /^the samples would take 100001 blocks, 100000 are allowed/],
];
for (const [claim, flags, text, message] of wrong) {
  test(`create-blocks-from openmetrics: ${claim}`, async (t) => {
    const input = join(emptyFolder(t), 'in.om');
    writeFileSync(input, text);
    const out = emptyFolder(t);
    const { exitCode, stdout, stderr } = await coeus([...CREATE, ...flags.split(' ').filter(Boolean), input, out]);
    assert.deepEqual([exitCode, stdout], [1, '']);
    assert.match(stderr, message);
    assert.deepEqual(readdirSync(out), [], 'nothing is left');
  });
}

test('create-blocks-from openmetrics: more than a run holds is written twice and comes out the same (seed 7)', async (t) => {
  const random = seededRandom(7);
  const lines = Array.from({ length: 4000 }, () => {
    const series = Math.floor(random() * 30);
    // Many repeat a time with another value: the first one counts.
    return `m${series % 3}{i="${series}"} ${Math.floor(random() * 1e6)} ${1_760_000_000 + Math.floor(random() * 3000) * 15}\n`;
  });
  const input = join(emptyFolder(t), 'in.om');
  writeFileSync(input, `${lines.join('')}# EOF\n`);
  const make = async (runLimits?: RunLimits): Promise<string> => {
    const outputFolder = emptyFolder(t);
    // What a process left that is gone.
    mkdirSync(join(outputFolder, 'import-999999999.tmp', '0'), { recursive: true });
    const terminal = new TestTerminal();
    createBlocksFromOpenMetrics(terminal, input, [], { outputFolder, maxBlockDurationMs: 0, isQuiet: false, isHumanReadable: false, ...(runLimits ? { runLimits } : {}) });
    const names = readdirSync(outputFolder);
    assert.ok(names.every((name) => name.length === 26), String(names));
    assert.equal(terminal.stdout.trimEnd().split('\n').length, names.length + 1);
    assert.equal((await coeus(['tsdb', 'verify', outputFolder])).exitCode, 0);
    return (await coeus(['tsdb', 'dump', outputFolder])).stdout;
  };
  const want = await make();
  assert.equal(want.split('\n').length, new Set(lines.map((line) => line.replace(/ \d+ /, ' '))).size + 1);
  assert.equal(await make({ maxSamples: 700, maxCharacters: 1e9 }), want);
  assert.equal(await make({ maxSamples: 1e9, maxCharacters: 500 }), want);
});
