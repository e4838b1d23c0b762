/**
 * The engine against the language tests of Prometheus. Passes may rise and never fall: raise the table when they do.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { runPromqlTestFile } from '../../src/query/promql/testing/promqltest.ts';

const FOLDER = new URL('../../../shared/conformance/promql/', import.meta.url);

/** Least number of evaluations that come out as expected, per file. */
const PASSES: Readonly<Record<string, number>> = {
  'aggregators.test': 115,
  'at_modifier.test': 55,
  'collision.test': 1,
  'duration_expression.test': 40,
  'extended_vectors.test': 123,
  'fill-modifier.test': 35,
  'functions.test': 330,
  'histograms.test': 130,
  'info.test': 41,
  'limit.test': 29,
  'literals.test': 20,
  'name_label_dropping.test': 23,
  'native_histograms.test': 393,
  'operators.test': 159,
  'range_queries.test': 14,
  'selectors.test': 24,
  'staleness.test': 15,
  'start_timestamps.test': 21,
  'subquery.test': 23,
  'trig_functions.test': 16,
  'type_and_unit.test': 41,
};

if (existsSync(FOLDER)) {
  for (const name of readdirSync(FOLDER).filter((file) => file.endsWith('.test'))) {
    test(name, async (t) => {
      const { passed, failures } = await runPromqlTestFile(readFileSync(new URL(name, FOLDER), 'utf8'), name);
      t.diagnostic(`${name}: ${passed} passed, ${failures.length} failed`);
      for (const { file, line, query, message } of failures) t.diagnostic(`${file}:${line}: ${query}: ${message}`);
      assert.ok(passed >= (PASSES[name] ?? 0), `${name}: ${passed} passed, at least ${PASSES[name] ?? 0} expected`);
    });
  }
} else {
  test('PromQL conformance', (t) => t.skip('skipped: ../shared/conformance/promql is missing'));
}
