import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileCapturingRegex, parseTemplate } from './capturing-regex.ts';
import { RegexError } from './matcher.ts';

// Regular expression, text, template, result (null: no match).
const cases = [
  ['(.*)', 'abc', '$1', 'abc'],
  ['(.*)', 'abc', '$0-$1-$2', 'abc-abc-'],
  ['(.*)', 'a\nb', '$1', 'a\nb'],
  ['(.*):(\\d+)', 'host:80', '${2}/$1', '80/host'],
  ['(.*):(\\d+)', 'host', '$1', null],
  ['a(b)?c', 'ac', '[$1]', '[]'],
  ['(?P<x>a+)(?P<y>b+)', 'aabb', '$y$x', 'bbaa'],
  ['(?P<x>a)', 'a', '$xy', ''],
  ['(?P<x>a)', 'a', '${x}y', 'ay'],
  ['(a)', 'a', '$1x', ''],
  ['(a)', 'a', '$01', ''],
  ['(a)', 'a', '$$1', '$1'],
  ['(a)', 'a', '$', '$'],
  ['(a)', 'a', '${', '${'],
  ['(a)', 'a', '${1', '${1'],
  ['(a)', 'a', '${}', '${}'],
  ['(a)', 'a', '$-$1', '$-a'],
  ['(a)', 'a', '$99999999999', ''],
  ['a|b', 'b', 'fixed', 'fixed'],
  ['', '', 'x', 'x'],
  ['(?:a|ab)(c|bcd)(d*)', 'abcd', '$1|$2', 'bcd|'],
  ['(ä+)(.)', 'ää😀', '$2$1', '😀ää'],
] as const;
for (const [source, text, template, want] of cases) {
  test(`${source} on ${JSON.stringify(text)} into ${template}`, () => {
    assert.equal(compileCapturingRegex(source).expand(text, [parseTemplate(template)])?.[0] ?? null, want);
  });
}

test('several templates are filled from one match', () => {
  assert.deepEqual(
    compileCapturingRegex('(.)(.)').expand('ab', [parseTemplate('$2'), parseTemplate('x'), parseTemplate('$1')]),
    ['b', 'x', 'a'],
  );
});

for (const source of ['a(b', 'a)(b', '(?=a)', '\\1', 'a{1001}']) {
  test(`${source} is refused`, () => assert.throws(() => compileCapturingRegex(source), RegexError));
}
