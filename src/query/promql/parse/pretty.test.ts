import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExpr } from './parser.ts';
import { prettyExpr } from './pretty.ts';

const LONG = 'a'.repeat(101);

// Layouts that a Prometheus 2.42 gives.
const cases: readonly (readonly [string, string, string])[] = [
  ['what fits stays on its line', 'sum  by (a) (rate(foo[5m]))', 'sum by (a) (rate(foo[5m]))'],
  ['a selector never breaks', `${LONG}{b="c"}[5m]`, `${LONG}{b="c"}[5m]`],
  ['a call opens up', `rate(${LONG}[5m])`, `rate(\n  ${LONG}[5m]\n)`],
  ['arguments have lines of their own', `round(${LONG},5)`, `round(\n  ${LONG},\n  5\n)`],
  ['an aggregation keeps its clause', `topk by (a) (5,${LONG})`, `topk by (a) (\n  5,\n  ${LONG}\n)`],
  ['an operator stands between its operands', `foo and on() ${LONG}`, `  foo\nand on ()\n  ${LONG}`],
  ['the inner operator is deeper', `foo + bar == bool ${LONG}`, `  foo + bar\n== bool\n  ${LONG}`],
  ['a sign stays with its operand', `1 + -(${LONG} + 1)`, `  1\n+\n  -(\n      ${LONG}\n    +\n      1\n  )`],
  ['parentheses open up', `((${LONG}))`, `(\n  (\n    ${LONG}\n  )\n)`],
  [
    'a subquery keeps its bracket',
    `(foo + ${LONG})[5m:1m] @ 5 offset 1m`,
    `(\n    foo\n  +\n    ${LONG}\n)[5m:1m] @ 5.000 offset 1m`,
  ],
];
for (const [claim, text, want] of cases) {
  test(claim, () => assert.equal(prettyExpr(parseExpr(text)), want));
}

test('a line may have 100 bytes', () => {
  const fits = `abs(${'a'.repeat(95)})`;
  assert.equal(prettyExpr(parseExpr(fits)), fits);
  const doesNot = `abs(foo{b="${'é'.repeat(44)}"})`;
  assert.match(prettyExpr(parseExpr(doesNot)), /^abs\(\n/);
});
