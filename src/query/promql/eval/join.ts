/**
 * Operators between two vectors: series of both sides are matched by labels once, then combined step by step.
 *
 * Source: Prometheus, "Vector matching"; its error texts.
 */
import { assert } from '../../../core/base/assert.ts';
import { formatLabels, labelsKey, labelsOnly, labelsWithout, labelValue, METRIC_NAME, withLabel, type Labels } from '../../../core/model/labels.ts';
import { PromqlEvaluationError } from '../errors.ts';
import type { BinaryExpr, VectorMatching } from '../parse/ast.ts';
import { dropMetricName, type QueryContext } from './context.ts';
import { arithmeticOf, comparisonOf } from './operators.ts';
import { newRow, type Row, type RowSink, type RowTable } from './rows.ts';

/** The labels that decide a match, as a key and as labels for messages. */
class Signature {
  readonly #matching: VectorMatching;
  readonly #names: ReadonlySet<string>;

  constructor(matching: VectorMatching) {
    this.#matching = matching;
    this.#names = new Set(matching.on ? matching.labels : [...matching.labels, METRIC_NAME]);
  }

  labels(labels: Labels): Labels {
    return this.#matching.on ? labelsOnly(labels, this.#names) : labelsWithout(labels, this.#names);
  }
}

/** Rows of one side by signature. */
interface Side {
  readonly table: RowTable;
  /** Signature number of each row. */
  readonly signatures: Int32Array;
  /** Rows of each signature. */
  readonly rows: readonly number[][];
}

/** Numbers signatures, the same for both sides. */
class SignatureNumbers {
  readonly #byKey = new Map<string, number>();
  readonly #signature: Signature;
  readonly labels: Labels[] = [];

  constructor(matching: VectorMatching) {
    this.#signature = new Signature(matching);
  }

  side(table: RowTable): Side {
    const signatures = new Int32Array(table.rowCount);
    const rows: number[][] = [];
    for (let i = 0; i < table.rowCount; i++) {
      const labels = this.#signature.labels(table.labels[i]!);
      const key = labelsKey(labels);
      let number = this.#byKey.get(key);
      if (number === undefined) {
        number = this.labels.push(labels) - 1;
        this.#byKey.set(key, number);
      }
      signatures[i] = number;
      (rows[number] ??= []).push(i);
    }
    return { table, signatures, rows };
  }
}

/** Combines two materialized vectors. @throws PromqlEvaluationError */
export function joinVectors(expr: BinaryExpr, left: RowTable, right: RowTable, context: QueryContext, sink: RowSink): void {
  assert(expr.matching !== null, 'two vectors have a matching');
  const numbers = new SignatureNumbers(expr.matching);
  const leftSide = numbers.side(left);
  const rightSide = numbers.side(right);
  switch (expr.op) {
    case 'and':
      return filterRows(leftSide, rightSide, true, sink);
    case 'unless':
      return filterRows(leftSide, rightSide, false, sink);
    case 'or':
      left.forEach(sink);
      return filterRows(rightSide, leftSide, false, sink);
    default:
      return new Join(expr, expr.matching, numbers.labels, context).run(leftSide, rightSide, sink);
  }
}

/** Rows of `side` at the steps where some row of the same signature is on the other side, or where none is. */
function filterRows(side: Side, other: Side, wanted: boolean, sink: RowSink): void {
  const { stepCount } = side.table;
  const row = newRow(stepCount);
  for (let i = 0; i < side.table.rowCount; i++) {
    const matches = other.rows[side.signatures[i]!] ?? [];
    if (matches.length === 0 && wanted) continue;
    side.table.read(i, row);
    let kept = 0;
    for (let step = 0; step < stepCount; step++) {
      if (row.present[step] === 0) continue;
      const found = matches.some((match) => other.table.present[match * stepCount + step] !== 0);
      if (found === wanted) kept++;
      else row.present[step] = 0;
    }
    if (kept > 0) sink(row);
  }
}

class Join {
  readonly #expr: BinaryExpr;
  readonly #matching: VectorMatching;
  readonly #signatures: readonly Labels[];
  readonly #context: QueryContext;
  readonly #results = new Map<string, Row>();

  constructor(expr: BinaryExpr, matching: VectorMatching, signatures: readonly Labels[], context: QueryContext) {
    this.#expr = expr;
    this.#matching = matching;
    this.#signatures = signatures;
    this.#context = context;
  }

  run(left: Side, right: Side, sink: RowSink): void {
    // "many" is the side whose series each give a result; with one-to-one that is the left.
    const isSwapped = this.#matching.card === 'one-to-many';
    const many = isSwapped ? right : left;
    const one = isSwapped ? left : right;
    this.#checkOneSide(one, isSwapped ? 'left' : 'right');
    const { fillLeft, fillRight } = this.#matching;
    const fillOne = isSwapped ? fillLeft : fillRight;
    const fillMany = isSwapped ? fillRight : fillLeft;
    const matched = this.#matching.card === 'one-to-one' ? new Map<number, Uint8Array>() : null;
    for (let i = 0; i < many.table.rowCount; i++) {
      this.#context.tick();
      const signature = many.signatures[i]!;
      const partners = one.rows[signature] ?? [];
      if (partners.length === 0 && fillOne === null) continue;
      this.#combine(many, i, one, partners, fillOne, isSwapped, matched, signature);
    }
    if (fillMany !== null) this.#fillMany(many, one, fillMany, isSwapped);
    for (const row of this.#results.values()) if (row.present.includes(1)) sink(row);
  }

  /** Two series of one signature on the "one" side at one step: nothing decides between them. */
  #checkOneSide(one: Side, name: string): void {
    const { stepCount } = one.table;
    for (const [signature, rows] of one.rows.entries()) {
      if (rows === undefined || rows.length < 2) continue;
      for (let step = 0; step < stepCount; step++) {
        const here = rows.filter((row) => one.table.present[row * stepCount + step] !== 0);
        if (here.length < 2) continue;
        const [first, second] = here;
        throw new PromqlEvaluationError(
          `found duplicate series for the match group ${formatLabels(this.#signatures[signature]!)} on the ${name} hand-side of the operation: ` +
            `[${formatLabels(one.table.labels[second!]!)}, ${formatLabels(one.table.labels[first!]!)}];many-to-many matching not allowed: matching labels must be unique on one side`,
        );
      }
    }
  }

  #combine(
    many: Side,
    index: number,
    one: Side,
    partners: readonly number[],
    fillOne: number | null,
    isSwapped: boolean,
    matched: Map<number, Uint8Array> | null,
    signature: number,
  ): void {
    const { stepCount, values, present, labels } = many.table;
    const numeric = comparisonOf(this.#expr.op) === null ? arithmeticOf(this.#expr.op) : null;
    const comparison = comparisonOf(this.#expr.op);
    let taken: Uint8Array | null = null;
    if (matched !== null) {
      taken = matched.get(signature) ?? new Uint8Array(stepCount);
      matched.set(signature, taken);
    }
    let lastPartner = -2;
    let result: Row | null = null;
    for (let step = 0; step < stepCount; step++) {
      if (present[index * stepCount + step] === 0) continue;
      let partner = -1;
      for (const each of partners) if (one.table.present[each * stepCount + step] !== 0) partner = each;
      if (partner < 0 && fillOne === null) continue;
      if (taken !== null) {
        if (taken[step] !== 0) {
          throw new PromqlEvaluationError('multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)');
        }
        taken[step] = 1;
      }
      const manyValue = values[index * stepCount + step]!;
      const oneValue = partner < 0 ? fillOne! : one.table.values[partner * stepCount + step]!;
      const a = isSwapped ? oneValue : manyValue;
      const b = isSwapped ? manyValue : oneValue;
      let value: number;
      if (numeric !== null) value = numeric(a, b);
      else {
        const holds = comparison!(a, b);
        if (this.#expr.returnBool) value = holds ? 1 : 0;
        else if (holds) value = a;
        else continue;
      }
      if (partner !== lastPartner || result === null) {
        result = this.#result(labels[index]!, partner < 0 ? null : one.table.labels[partner]!, many.table.dropName[index]!, stepCount);
        lastPartner = partner;
      }
      if (result.present[step] !== 0) {
        throw new PromqlEvaluationError('multiple matches for labels: grouping labels must ensure unique matches');
      }
      result.present[step] = 1;
      result.values[step] = value;
    }
  }

  /** Series of the "one" side that met none, with a value filled in for the missing ones. */
  #fillMany(many: Side, one: Side, fill: number, isSwapped: boolean): void {
    const { stepCount, values, present, labels } = one.table;
    const comparison = comparisonOf(this.#expr.op);
    for (let i = 0; i < one.table.rowCount; i++) {
      const partners = many.rows[one.signatures[i]!] ?? [];
      let result: Row | null = null;
      for (let step = 0; step < stepCount; step++) {
        if (present[i * stepCount + step] === 0) continue;
        if (partners.some((each) => many.table.present[each * stepCount + step] !== 0)) continue;
        const oneValue = values[i * stepCount + step]!;
        const a = isSwapped ? oneValue : fill;
        const b = isSwapped ? fill : oneValue;
        let value: number;
        if (comparison === null) value = arithmeticOf(this.#expr.op)(a, b);
        else if (this.#expr.returnBool) value = comparison(a, b) ? 1 : 0;
        else if (comparison(a, b)) value = a;
        else continue;
        result ??= this.#result(this.#signatures[one.signatures[i]!]!, labels[i]!, one.table.dropName[i]!, stepCount);
        if (result.present[step] !== 0) throw new PromqlEvaluationError('multiple matches for labels: grouping labels must ensure unique matches');
        result.present[step] = 1;
        result.values[step] = value;
      }
    }
  }

  /** The result row for a pair of series, which several pairs may share at different steps. */
  #result(many: Labels, one: Labels | null, dropName: boolean, stepCount: number): Row {
    const { labels, dropName: drops } = this.#resultLabels(many, one, dropName);
    const key = labelsKey(labels);
    let result = this.#results.get(key);
    if (result === undefined) {
      this.#context.hold(stepCount);
      result = { ...newRow(stepCount), labels, dropName: drops };
      this.#results.set(key, result);
    }
    return result;
  }

  #resultLabels(many: Labels, one: Labels | null, dropName: boolean): { labels: Labels; dropName: boolean } {
    const { on, labels: names, include, card } = this.#matching;
    let labels = many;
    let drops = dropName;
    if (comparisonOf(this.#expr.op) === null || this.#expr.returnBool) {
      if (this.#context.options.delayedNameRemoval) drops = true;
      else labels = dropMetricName(labels);
    }
    if (card === 'one-to-one') {
      const set = new Set(names);
      labels = on ? labelsOnly(labels, set) : labelsWithout(labels, set);
    }
    for (const name of include) labels = withLabel(labels, name, one === null ? '' : labelValue(one, name));
    return { labels, dropName: drops };
  }
}
