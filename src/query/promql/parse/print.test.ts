import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { load } from 'js-yaml';
import { compareStrings } from '../../../core/model/labels.ts';
import type { Matcher } from '../../../core/model/matcher.ts';
import { PromqlSyntaxError } from '../errors.ts';
import type { Aggregate, BinaryOp, DurationExpr, Expr, VectorMatching, VectorSelector } from './ast.ts';
import { isComparison, isSetOperator } from './check.ts';
import { ALL_FEATURES, parseExpr } from './parser.ts';
import { prettyExpr } from './pretty.ts';
import { printExpr } from './print.ts';

const CONFORMANCE = '../shared/conformance';
const parse = (text: string): Expr => parseExpr(text, ALL_FEATURES);

/** The tree without places and without parentheses that only hold a place. */
const withoutSpans = (expr: Expr): unknown =>
  JSON.parse(
    JSON.stringify(expr, (key, value: unknown) => (key === 'span' || key === 'opSpan' ? undefined : exact(value))),
  );

/** JSON has no NaN, no infinities and no −0. */
const exact = (value: unknown): unknown =>
  typeof value === 'number' ? (Object.is(value, -0) ? '-0' : String(value)) : value;

/** Printing, on one line or several, and parsing leave `text` as it is. */
function assertFixedPoint(text: string): void {
  const expr = parse(text);
  const printed = printExpr(expr);
  assert.equal(printExpr(parse(printed)), printed);
  assert.equal(printExpr(parse(prettyExpr(expr))), printed);
}

test('every conformance query parses and prints back', (t) => {
  const folder = `${CONFORMANCE}/promql`;
  if (!existsSync(folder)) return t.skip(`${folder} is missing`);
  const command = /^eval(_\w+)? (?:instant at \S+|range from \S+ to \S+ step \S+) (.+)$/;
  let count = 0;
  for (const file of readdirSync(folder)) {
    for (const block of readFileSync(`${folder}/${file}`, 'utf8').split(/\n(?=\S)/)) {
      const [, suffix, query] = command.exec(block.split('\n')[0]!.trim()) ?? [];
      if (query === undefined || suffix === '_fail' || /^\s+expect fail/m.test(block)) continue;
      try {
        assertFixedPoint(query);
      } catch (error) {
        throw new Error(`${file}: ${query}`, { cause: error });
      }
      count++;
    }
  }
  assert(count > 1500, `${count} queries were seen`);
});

test('every expression of the mixins parses and prints back', (t) => {
  const folder = `${CONFORMANCE}/mixins`;
  if (!existsSync(folder)) return t.skip(`${folder} is missing`);
  let count = 0;
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!/(alerts|rules)\.yaml$/.test(file)) continue;
    const document = load(readFileSync(`${folder}/${file}`, 'utf8')) as
      | { groups?: { rules?: { expr: unknown }[] }[] }
      | undefined;
    for (const rule of document?.groups?.flatMap((group) => group.rules ?? []) ?? []) {
      try {
        assertFixedPoint(String(rule.expr));
      } catch (error) {
        throw new Error(`${file}: ${String(rule.expr)}`, { cause: error });
      }
      count++;
    }
  }
  assert(count > 700, `${count} expressions were seen`);
});

// Random trees, as the parser would make them. Operands of operators are atoms or in parentheses.
const span = { start: 0, end: 0 };
const name = fc.constantFrom('foo', 'a:b', 'sum', 'by', 'and', 'offset', 'fill', 'start', 'anchored', 'min_of');
const label = fc.oneof(
  fc.constantFrom('job', 'by', 'on', 'a.b', 'é x', '"'),
  fc.string({ minLength: 1, unit: 'grapheme' }),
);
const someText = fc.oneof(fc.string({ unit: 'binary' }), fc.constant('\udcff'));
const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -0, 1e21, 1e-7, 5e-324, Number.MAX_VALUE));
const wholeMs = fc.integer({ min: 1, max: 1e12 }).map((ms) => ms / 1000);

const durationLiteral: fc.Arbitrary<DurationExpr> = wholeMs.map((seconds) => ({
  kind: 'duration',
  span,
  seconds,
  isDuration: true,
}));
const { duration } = fc.letrec<{ duration: DurationExpr; operand: DurationExpr }>((tie) => ({
  duration: fc.oneof(
    { depthSize: 'small' },
    durationLiteral,
    fc
      .constantFrom('step' as const, 'range' as const)
      .map((func) => ({ kind: 'duration-call' as const, span, func, args: [] })),
    fc
      .tuple(tie('duration'), tie('duration'))
      .map((args) => ({ kind: 'duration-call' as const, span, func: 'max_of' as const, args })),
    fc.record({
      kind: fc.constant('duration-binary' as const),
      span: fc.constant(span),
      op: fc.constantFrom('+', '-', '*', '/', '%', '^'),
      left: tie('operand'),
      right: tie('operand'),
    }),
  ),
  operand: fc.oneof(
    { depthSize: 'small' },
    durationLiteral,
    tie('duration').map((inner) =>
      inner.kind === 'duration' ? inner : { kind: 'duration-paren' as const, span, inner },
    ),
  ),
}));
const offset = fc
  .oneof(
    durationLiteral,
    duration.map((inner) => (inner.kind === 'duration' ? inner : { kind: 'duration-paren' as const, span, inner })),
    duration.map((inner) => ({
      kind: 'duration-unary' as const,
      span,
      op: '-' as const,
      operand: { kind: 'duration-paren' as const, span, inner },
    })),
  )
  .filter(
    (expr) =>
      !(
        expr.kind === 'duration-unary' &&
        expr.operand.kind === 'duration-paren' &&
        expr.operand.inner.kind === 'duration'
      ),
  );
const at = fc.oneof(
  fc.integer().map((timeMs) => ({ kind: 'time' as const, timeMs })),
  fc.constant({ kind: 'start' as const }),
  fc.constant({ kind: 'end' as const }),
);
const orNull = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });
const selector: fc.Arbitrary<VectorSelector> = fc
  .record({
    metric: name,
    matchers: fc.array(fc.record({ name: label, op: fc.constantFrom('=' as const, '!=' as const), value: someText }), {
      maxLength: 3,
    }),
    offset: orNull(offset),
    at: orNull(at),
    extension: fc.constantFrom(null, 'anchored' as const, 'smoothed' as const),
  })
  .map(({ metric, matchers, ...rest }) => {
    // Printing sorts them, so the tree has them sorted already.
    const bare = { kind: 'vector-selector' as const, span, name: '', offset: null, at: null, extension: null };
    const printed = (matcher: Matcher): string => printExpr({ ...bare, matchers: [matcher] }).slice(1, -1);
    const sorted = matchers.toSorted((a, b) => compareStrings(printed(a), printed(b)));
    const all = [...sorted, { name: '__name__', op: '=' as const, value: metric }];
    return { kind: 'vector-selector', span, name: metric, matchers: all, ...rest };
  });
const OPERATORS = '+ - * / % ^ atan2 == != < <= > >= </ >/ and or unless'.split(' ') as readonly BinaryOp[];
const matching = (op: BinaryOp): fc.Arbitrary<VectorMatching> => {
  const fills = isSetOperator(op) ? fc.constant(null) : orNull(number);
  const card = isSetOperator(op)
    ? fc.constant('many-to-many' as const)
    : fc.constantFrom('one-to-one' as const, 'many-to-one' as const, 'one-to-many' as const);
  return fc
    .record({
      card,
      on: fc.boolean(),
      labels: fc.uniqueArray(label, { maxLength: 2 }),
      include: fc.uniqueArray(label, { maxLength: 2 }),
      fillLeft: fills,
      fillRight: fills,
    })
    .map((all) => ({
      ...all,
      include:
        all.card === 'many-to-one' || all.card === 'one-to-many'
          ? all.include.filter((name) => !all.on || !all.labels.includes(name))
          : [],
    }));
};
const aggregate = (inner: fc.Arbitrary<Expr>): fc.Arbitrary<Aggregate> =>
  fc
    .record({
      op: fc.constantFrom('sum', 'topk', 'limit_ratio'),
      inner,
      without: fc.boolean(),
      grouping: fc.array(label, { maxLength: 2 }),
      value: number,
    })
    .map(({ op, inner, without, grouping, value }) => {
      const param = op === 'sum' ? null : { kind: 'number' as const, span, value, isDuration: false };
      return { kind: 'aggregate', span, op, param, inner, without, grouping };
    });
const { vector } = fc.letrec<{ vector: Expr; operand: Expr }>((tie) => ({
  vector: fc.oneof(
    { depthSize: 'small' },
    selector,
    tie('operand').map((operand) => ({ kind: 'unary' as const, span, op: '-' as const, operand })),
    fc.tuple(selector, duration).map(([selector, range]) => ({
      kind: 'call' as const,
      span,
      func: 'rate',
      args: [{ kind: 'matrix-selector' as const, span, selector, range }],
    })),
    fc
      .tuple(tie('operand'), duration, orNull(duration), orNull(offset), orNull(at))
      .map(([inner, range, step, offset, at]) => ({
        kind: 'call' as const,
        span,
        func: 'max_over_time',
        args: [
          { kind: 'subquery' as const, span, inner: { kind: 'paren' as const, span, inner }, range, step, offset, at },
        ],
      })),
    fc.tuple(tie('vector'), someText, someText).map(([inner, a, b]) => ({
      kind: 'call' as const,
      span,
      func: 'label_join',
      args: [inner, { kind: 'string' as const, span, value: a }, { kind: 'string' as const, span, value: b }],
    })),
    aggregate(tie('vector')),
    fc.constantFrom(...OPERATORS).chain((op) =>
      fc.record({
        kind: fc.constant('binary' as const),
        span: fc.constant(span),
        op: fc.constant(op),
        opSpan: fc.constant(span),
        left: tie('operand'),
        right: tie('operand'),
        returnBool: isComparison(op) ? fc.boolean() : fc.constant(false),
        matching: matching(op),
      }),
    ),
  ),
  operand: fc.oneof(
    { depthSize: 'small' },
    selector,
    tie('vector').map((inner) => ({ kind: 'paren' as const, span, inner })),
  ),
}));

test('random trees print and parse back equal', () => {
  fc.assert(
    fc.property(vector, (tree) => {
      assert.deepEqual(withoutSpans(parse(printExpr(tree))), withoutSpans(tree));
      assert.deepEqual(withoutSpans(parse(prettyExpr(tree))), withoutSpans(tree));
    }),
    { numRuns: 400 },
  );
});

test('random text parses or is refused with a position, nothing else', () => {
  const word = fc.constantFrom(
    ...'foo sum by on ( ) { } [ ] , = =~ "a" 5m 1 : @ offset + - ^ and bool start fill step rate smoothed # \' ` \\ é'.split(
      ' ',
    ),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 15 }), (words) => {
      try {
        parse(words.join(' '));
      } catch (error) {
        if (!(error instanceof PromqlSyntaxError)) throw error;
        assert.match(error.message, /^\d+:\d+: parse error: /);
      }
    }),
    { numRuns: 3000 },
  );
});
