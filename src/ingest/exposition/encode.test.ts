import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry, type MetricFamily } from '../../core/base/metrics.ts';
import { choosePageFormat, encodePage } from './encode.ts';
import { OpenMetricsParser } from './openmetrics-parser.ts';
import { formatOpenMetricsFloat, formatTextFloat, parseSampleFloat } from './sample-float.ts';
import { TextParser } from './text-parser.ts';

function exampleFamilies(): MetricFamily[] {
  const registry = new Registry();
  registry.counter('requests_total', 'Requests.').add(1_000_000, { path: '/a"b\\c\nd' });
  registry.gauge('temperature', 'With \\ and "quotes"\nand lines.').set(-0.5);
  const histogram = registry.histogram('seconds', 'Time.', [1e-5, 0.25, 1]);
  histogram.record(0.2);
  histogram.record(5);
  registry.summary('sizes', '', [0.5, 1]).record(3);
  registry.counter('odd', 'A counter without the suffix.').add(1);
  return registry.snapshot();
}

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

test('a page of text', () => {
  assert.equal(
    decode(encodePage(exampleFamilies(), 'text')),
    `# HELP odd A counter without the suffix.
# TYPE odd counter
odd 1
# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{path="/a\\"b\\\\c\\nd"} 1e+06
# HELP seconds Time.
# TYPE seconds histogram
seconds_bucket{le="1e-05"} 0
seconds_bucket{le="0.25"} 1
seconds_bucket{le="1"} 1
seconds_bucket{le="+Inf"} 2
seconds_sum 5.2
seconds_count 2
# HELP sizes${' '}
# TYPE sizes summary
sizes{quantile="0.5"} 3
sizes{quantile="1"} 3
sizes_sum 3
sizes_count 1
# HELP temperature With \\\\ and "quotes"\\nand lines.
# TYPE temperature gauge
temperature -0.5
`,
  );
});

test('a page of OpenMetrics', () => {
  assert.equal(
    decode(encodePage(exampleFamilies(), 'openmetrics')),
    `# HELP odd A counter without the suffix.
# TYPE odd unknown
odd 1.0
# HELP requests Requests.
# TYPE requests counter
requests_total{path="/a\\"b\\\\c\\nd"} 1e+06
# HELP seconds Time.
# TYPE seconds histogram
seconds_bucket{le="1e-05"} 0
seconds_bucket{le="0.25"} 1
seconds_bucket{le="1.0"} 1
seconds_bucket{le="+Inf"} 2
seconds_sum 5.2
seconds_count 2
# HELP sizes${' '}
# TYPE sizes summary
sizes{quantile="0.5"} 3.0
sizes{quantile="1.0"} 3.0
sizes_sum 3.0
sizes_count 1
# HELP temperature With \\\\ and \\"quotes\\"\\nand lines.
# TYPE temperature gauge
temperature -0.5
# EOF
`,
  );
});

test('pages read back', () => {
  for (const [format, parser] of [['text', new TextParser()], ['openmetrics', new OpenMetricsParser()]] as const) {
    const bytes = encodePage(exampleFamilies(), format);
    parser.begin(bytes, 0, bytes.length);
    const lines: string[] = [];
    for (let line = parser.next(); line !== 'end'; line = parser.next()) {
      lines.push(line);
      if (line === 'series' && parser.labels().includes('requests_total')) {
        assert.deepEqual(parser.labels(), ['__name__', 'requests_total', 'path', '/a"b\\c\nd']);
      }
    }
    assert.equal(lines.filter((line) => line === 'series').length, 13);
    assert.equal(lines.length, 23);
  }
});

const accepts: readonly (readonly [string, string])[] = [
  ['', 'text'],
  ['*/*', 'text'],
  ['application/openmetrics-text', 'openmetrics'],
  ['application/openmetrics-text; version=1.0.0; q=0.6, text/plain;version=0.0.4;q=0.3, */*;q=0.2', 'openmetrics'],
  ['application/openmetrics-text;version="0.0.1",text/plain;q=0.9', 'openmetrics'],
  ['application/openmetrics-text;version=2.0.0,text/plain;q=0.1', 'text'],
  ['application/openmetrics-text;q=0.5,text/plain;q=0.5', 'text'],
  ['application/openmetrics-text;q=0.3,text/*', 'text'],
  ['application/openmetrics-text;q=0', 'text'],
  ['application/openmetrics-text;q=x', 'text'],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text'],
  [`${'x,'.repeat(10_000)}application/openmetrics-text`, 'text'],
];
for (const [accept, want] of accepts) {
  test(`Accept ${JSON.stringify(accept.slice(0, 80))} gets ${want}`, () => {
    assert.equal(choosePageFormat(accept), want);
  });
}

// Value, in text, in OpenMetrics: the digits of Go's 'g' format.
const floats: readonly (readonly [number, string, string])[] = [
  [0, '0', '0.0'],
  [-0, '0', '0.0'],
  [1, '1', '1.0'],
  [-1, '-1', '-1.0'],
  [0.1, '0.1', '0.1'],
  [999_999, '999999', '999999.0'],
  [1e6, '1e+06', '1e+06'],
  [1_234_567, '1.234567e+06', '1.234567e+06'],
  [0.0001, '0.0001', '0.0001'],
  [0.00001, '1e-05', '1e-05'],
  [1.5e-300, '1.5e-300', '1.5e-300'],
  [-2.5e100, '-2.5e+100', '-2.5e+100'],
  [1e21, '1e+21', '1e+21'],
  [Number.NaN, 'NaN', 'NaN'],
  [Number.POSITIVE_INFINITY, '+Inf', '+Inf'],
  [Number.NEGATIVE_INFINITY, '-Inf', '-Inf'],
];
for (const [value, text, openMetrics] of floats) {
  test(`${Object.is(value, -0) ? '-0' : value} is written ${text} and ${openMetrics}`, () => {
    assert.deepEqual([formatTextFloat(value), formatOpenMetricsFloat(value)], [text, openMetrics]);
    assert.ok(Object.is(parseSampleFloat(text), value === 0 ? 0 : value));
  });
}
