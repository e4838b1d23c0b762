import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runPromqlTestFile } from './promqltest.ts';
import { ScriptError } from './script.ts';

const LOAD = 'load 1m\n  x{a="1"} 1 2 3\n  x{a="2"} 4 5 6\n\n';

/** Lines of the evaluations that fail, and why. */
async function failures(script: string, line = 0): Promise<string[]> {
  const outcome = await runPromqlTestFile(LOAD + script, 'a.test', { line });
  return outcome.failures.map(({ line, message }) => `${line}: ${message}`);
}

const passing = [
  'eval instant at 1m x\n  x{a="1"} 2\n  x{a="2"} 5\n',
  'eval range from 0 to 2m step 1m sum(x)\n  {} 5 7 9\n',
  'eval instant at 1m sort_desc(x)\n  expect ordered\n  x{a="2"} 5\n  x{a="1"} 2\n',
  'eval instant at 1m topk(NaN, x)\n  expect fail msg: Parameter value is NaN\n',
  'eval_fail instant at 1m x + on () x\n  expected_fail_regexp many-to-many\n',
  'eval instant at 1m rate(x[2m])\n  expect info regex: might not be a counter\n  {a="1"} 0.016666666\n  {a="2"} 0.016666666\n',
  'eval instant at 2m x{a="1"}[2m]\n  expect range vector from 1m to 2m step 1m\n  x{a="1"} 2 3\n',
  'eval instant at 1m "a"\n  expect string "a"\n',
  'eval instant at 1m 1 + 1\n  2\n',
  'clear\neval instant at 1m x\n',
];
for (const script of passing)
  test(`passes: ${script.split('\n')[0]}`, async () => assert.deepEqual(await failures(script), []));

const failing = [
  ['eval instant at 1m x\n  x{a="1"} 2\n', '5: unexpected x{a="2"} 5'],
  ['eval instant at 1m x{a="1"}\n  x{a="1"} 3\n', '5: expected 3 for x{a="1"}, got 2'],
  ['eval instant at 1m x{a="1"}\n  x{a="1"} 2\n  y 1\n', '5: missing y'],
  [
    'eval instant at 1m sort(x)\n  expect ordered\n  x{a="2"} 5\n  x{a="1"} 2\n',
    '5: x{a="1"} at position 0, expected at 1',
  ],
  ['eval range from 0 to 1m step 1m x{a="1"}\n  x{a="1"} 1 _\n', '5: expected nothing at 60 s of x{a="1"}, got 2'],
  ['eval instant at 1m x{a="1"}\n  expect fail\n', '5: expected to fail'],
  ['eval instant at 1m x{a="1"}\n  expect warn\n  x{a="1"} 2\n', '5: expected a warn'],
  [
    'eval instant at 1m rate(x{a="1"}[2m])\n  expect no_info\n',
    '5: expected no info, got PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "x" (1:6)',
  ],
  ['eval instant at 1m topk(NaN, x)\n', '5: failed: Parameter value is NaN'],
] as const;
for (const [script, want] of failing)
  test(`fails: ${want}`, async () => assert.deepEqual(await failures(script), [want]));

test('one case alone, by any of its lines', async () => {
  const script = 'eval instant at 1m x{a="1"}\n  x{a="1"} 9\n\neval instant at 1m x{a="2"}\n  x{a="2"} 9\n';
  assert.deepEqual(
    (await failures(script, 9)).map((failure) => failure.slice(0, 2)),
    ['8:'],
  );
});

for (const script of ['evil instant at 1m x', 'eval instant x y z at\n  x{', 'load 1m\n  x 1+2']) {
  test(`no script: ${script.split('\n')[0]}`, async () => {
    await assert.rejects(runPromqlTestFile(script, 'a.test'), ScriptError);
  });
}
