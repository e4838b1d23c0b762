import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_FEATURES, parseExpr } from '../parse/parser.ts';
import { buildPlan } from './build-plan.ts';
import { alignedGrid } from './grid.ts';
import type { Plan, VectorPlan } from './plan.ts';

const LOOKBACK_MS = 300_000;

/** On steps 1000, 1010, … 1050 s. */
function plan(query: string): Plan {
  const grid = { startMs: 1_000_000, stepMs: 10_000, stepCount: 6 };
  return buildPlan(parseExpr(query, ALL_FEATURES), {
    query,
    grid,
    isInstant: false,
    endMs: 1_055_000,
    lookbackMs: LOOKBACK_MS,
    defaultStepMs: 60_000,
    maxSteps: 10_000,
  });
}

/** What each select reads: `name (start, end]` in seconds. */
const selects = (query: string): string[] =>
  plan(query).selects.map(
    ({ matchers, startMs, endMs }) => `${matchers.at(-1)!.value} (${(startMs - 1) / 1000}, ${endMs / 1000}]`,
  );

const reads = [
  ['x', ['x (700, 1050]']],
  ['x offset 1m', ['x (640, 990]']],
  ['x offset -1m', ['x (760, 1110]']],
  ['x @ 500', ['x (200, 500]']],
  ['x @ end() offset 5s', ['x (750, 1050]']],
  ['x @ start()', ['x (700, 1000]']],
  ['rate(x[5m])', ['x (700, 1050]']],
  ['rate(x[5m] offset 1m)', ['x (640, 990]']],
  ['rate(x[step() * 3])', ['x (970, 1050]']],
  ['x / x', ['x (700, 1050]']],
  ['x / x offset 1m', ['x (700, 1050]', 'x (640, 990]']],
  ['increase(x[1m] anchored)', ['x (640, 1050]']],
  ['increase(x[1m] smoothed)', ['x (640, 1350]']],
  ['max_over_time(x[2m:30s])', ['x (600, 1050]']],
  ['max_over_time(rate(x[1m])[2m:30s] offset 10s)', ['x (840, 1020]']],
  ['max_over_time(x[2m:30s] @ 500)', ['x (90, 480]']],
  ['1 + 2', []],
] as const;
for (const [query, want] of reads) {
  test(`${query} reads ${want.join(', ') || 'nothing'}`, () => assert.deepEqual(selects(query), want));
}

/** The shape of a plan, kinds from the root down. */
function shape(node: VectorPlan): string {
  switch (node.kind) {
    case 'step-invariant':
    case 'point-call':
    case 'aggregate':
      return `${node.kind}@${node.grid.stepCount}(${shape(node.inner)})`;
    case 'join':
      return `join(${shape(node.left)}, ${shape(node.right)})`;
    case 'vector-scalar':
      return `${shape(node.vector)} ${node.op} ${node.scalar.kind === 'constant' ? node.scalar.value : node.scalar.kind}`;
    case 'range-call':
      return `${node.func}@${node.grid.stepCount}`;
    default:
      return `${node.kind}@${node.grid.stepCount}`;
  }
}

const shapes = [
  ['sum(x)', 'aggregate@6(instant-select@6)'],
  ['sum(x @ 10)', 'step-invariant@6(aggregate@1(instant-select@1))'],
  ['x + x @ 10', 'join(instant-select@6, step-invariant@6(instant-select@1))'],
  ['timestamp(x @ 10)', 'instant-select@6'],
  ['predict_linear(x[1m] @ 10, 1)', 'predict_linear@6'],
  ['rate(x[1m] @ 10)', 'step-invariant@6(rate@1)'],
  ['x * (2 ^ 3 - 1)', 'instant-select@6 * 7'],
  ['x * time()', 'instant-select@6 * time'],
] as const;
for (const [query, want] of shapes) {
  test(`${query} is planned as ${want}`, () => {
    const { root } = plan(query);
    assert.equal(root.type === 'vector' ? shape(root.vector) : root.type, want);
  });
}

const refusals = [
  ['rate(x[step() - 10])', '1:8: parse error: duration must be greater than 0'],
  ['x offset (1 / (step() - 10))', '1:15: parse error: division by zero'],
  ['deriv(x[1m] smoothed)', 'smoothed modifier can only be used with: delta, increase, rate - not with deriv'],
  [
    'deriv(x[1m] anchored)',
    'anchored modifier can only be used with: changes, delta, increase, rate, resets - not with deriv',
  ],
] as const;
for (const [query, message] of refusals) {
  test(`${query} is refused`, () => assert.throws(() => plan(query), { message }));
}

test('a subquery has its steps at multiples of its resolution, none at the open end', () => {
  assert.deepEqual(alignedGrid(60, 120, 30), { startMs: 90, stepMs: 30, stepCount: 2 });
  assert.deepEqual(alignedGrid(61, 89, 30), { startMs: 90, stepMs: 30, stepCount: 0 });
  assert.deepEqual(alignedGrid(-55, 5, 10), { startMs: -50, stepMs: 10, stepCount: 6 });
});
