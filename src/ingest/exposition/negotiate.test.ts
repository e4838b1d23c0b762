import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptHeader, ContentTypeError, decideFormat, DEFAULT_SCRAPE_PROTOCOLS, type ScrapeProtocol } from './negotiate.ts';

test('the default Accept header is that of Prometheus 3', () => {
  assert.equal(
    acceptHeader(DEFAULT_SCRAPE_PROTOCOLS, 'allow-utf-8'),
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,' +
      'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
  );
});

test('protocols keep their order, protobuf is not asked for, escaping stands where a version has it', () => {
  assert.equal(
    acceptHeader(['PrometheusProto', 'PrometheusText0.0.4', 'OpenMetricsText1.0.0'], 'underscores'),
    'text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.5,*/*;q=0.4',
  );
});

// Content type, fallback, and the format or the error.
const decisions: readonly (readonly [string, ScrapeProtocol | undefined, string | RegExp])[] = [
  ['text/plain; version=0.0.4; charset=utf-8', undefined, 'text'],
  ['TEXT/Plain', undefined, 'text'],
  ['text/plain;', undefined, 'text'],
  ['text/plain; a="b;c\\""', undefined, 'text'],
  ['application/openmetrics-text; version=1.0.0; charset=utf-8', undefined, 'openmetrics'],
  ['application/openmetrics-text', 'PrometheusText0.0.4', 'openmetrics'],
  ['', 'OpenMetricsText1.0.0', 'openmetrics'],
  ['', 'PrometheusText0.0.4', 'text'],
  ['', undefined, /^non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target$/],
  ['text/html', 'PrometheusText1.0.0', 'text, received unsupported Content-Type "text/html", using fallback_scrape_protocol "text/plain"'],
  ['text/html', undefined, /^received unsupported Content-Type "text\/html" and no fallback_scrape_protocol specified for target$/],
  ['text/plain; version', undefined, /^cannot parse Content-Type "text\/plain; version" and no fallback_scrape_protocol for target\nmime: invalid media parameter$/],
  ['text', undefined, /expected slash after first token$/],
  ['text/', undefined, /expected token after slash$/],
  ['text/a/b', undefined, /unexpected content after media subtype$/],
  [';', undefined, /no media type$/],
  ['text/plain; a=1; A=2', undefined, /duplicate parameter name$/],
  ['text/plain;;', 'OpenMetricsText0.0.1', 'openmetrics, could not parse received Content-Type "text/plain;;", using fallback_scrape_protocol "application/openmetrics-text"\nmime: invalid media parameter'],
  ['application/vnd.google.protobuf', undefined, /protobuf exposition format is not supported/],
  ['', 'PrometheusProto', /protobuf exposition format is not supported/],
]; // prettier-ignore
for (const [contentType, fallback, want] of decisions) {
  test(`content type ${JSON.stringify(contentType)}, fallback ${fallback ?? 'none'}`, () => {
    if (typeof want === 'string') {
      const { format, warning } = decideFormat(contentType, fallback);
      assert.equal(warning === undefined ? format : `${format}, ${warning}`, want);
    } else assert.throws(() => decideFormat(contentType, fallback), (error) => error instanceof ContentTypeError && want.test(error.message));
  });
}

test('a long content type is cut in the message', () => {
  assert.throws(() => decideFormat('x'.repeat(100_000), undefined), (error) => error instanceof Error && error.message.length < 300);
});
