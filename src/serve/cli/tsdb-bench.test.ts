import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptyFolder } from './_data-folders.ts';
import { coeus, promtool, withoutPromtool } from './_promtool.ts';

const kernels = existsSync('build/kernels/head.wasm') && existsSync('build/kernels/snappy.wasm');
const skip = kernels ? false : 'the kernels are not built';
const masked = (text: string): string => text.replaceAll(/duration=\S+/g, 'duration=X').replaceAll(/samples\/sec: \S+/g, 'samples/sec: X');
const LABELS = Array.from({ length: 50 }, (_, i) => `{"__name__":"m${i % 5}","instance":"h${i}"}\n`).join('');

test('tsdb bench write: the words of promtool, and a log that it reads', { skip: skip || withoutPromtool }, async (t) => {
  const file = join(emptyFolder(t), 'series.json');
  writeFileSync(file, LABELS);
  const [ours, theirs] = [emptyFolder(t), emptyFolder(t)];
  const words = ['tsdb', 'bench', 'write', '--metrics=40', '--scrapes=300'];
  const [got, want] = [await coeus([...words, `--out=${ours}`, file]), promtool([...words, `--out=${theirs}`, file])];
  assert.deepEqual([got.exitCode, got.stderr, masked(got.stdout)], [0, '', masked(want.stdout)]);
  assert.match(got.stdout, / > total samples: 12000\n/);
  const dump = promtool(['tsdb', 'dump', join(ours, 'storage')]).stdout;
  assert.equal(dump.trimEnd().split('\n').length, 12_000);
  assert.equal((await coeus(['tsdb', 'verify', join(ours, 'storage')])).exitCode, 0);
  // Again, over what is there, and with series that are made up.
  const again = await coeus(['tsdb', 'bench', 'write', '--metrics=7', '--scrapes=3', `--out=${ours}`]);
  assert.match(again.stdout, / > total samples: 21\n/);
  assert.equal((await coeus(['tsdb', 'dump', join(ours, 'storage')])).stdout.trimEnd().split('\n').length, 21);
});

// Claim, flags, file, message.
const wrong: readonly (readonly [string, string, string | null, RegExp])[] = [
  ['a file that is not there', '', null, /^open \S+none: .*no such file/],
  ['a line that is no JSON', '', '{"a":"b"}\n{"a"', /^\S+ line 2: /],
  ['labels that are no texts', '', '{"a":1}\n', /^\S+ line 1: the labels of a series are an object of strings\n$/],
  ['counts that are none', '--metrics=x', '', /^error: --metrics: "x" is not a whole number\n$/],
];
for (const [claim, flags, text, message] of wrong) {
  test(`tsdb bench write: ${claim}`, { skip }, async (t) => {
    const folder = emptyFolder(t);
    const file = join(folder, text === null ? 'none' : 'series.json');
    if (text !== null) writeFileSync(file, text);
    const { exitCode, stderr } = await coeus(['tsdb', 'bench', 'write', ...flags.split(' ').filter(Boolean), `--out=${folder}/out`, file]);
    assert.equal(exitCode, 1);
    assert.match(stderr, message);
    assert.ok(!existsSync(`${folder}/out`));
  });
}
