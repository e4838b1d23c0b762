/**
 * Both full parsers over single bodies: what they read and, in Prometheus' words, what they refuse. The cases were run
 * through Prometheus 2.42 as well; where 3.x or this parser differs, the claim says so.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExpositionError } from './errors.ts';
import { OpenMetricsParser } from './openmetrics-parser.ts';
import { TextParser } from './text-parser.ts';

/** Labels, value and time of each sample; comment lines as `kind metric|text`. */
function read(format: 'text' | 'openmetrics', body: string | Uint8Array): string {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const parser = format === 'text' ? new TextParser() : new OpenMetricsParser();
  parser.begin(bytes, 0, bytes.length);
  const out: string[] = [];
  try {
    for (let line = parser.next(); line !== 'end'; line = parser.next()) {
      if (line === 'comment') continue;
      if (line !== 'series') {
        out.push(`${line} ${parser.metric}|${parser.text}`);
        continue;
      }
      const labels = parser.labels();
      const pairs = labels.map((part, i) => (i % 2 === 0 ? `${part}=` : `${part};`)).join('');
      const { exemplar } = parser;
      const shown = exemplar === undefined ? '' : ` #{${exemplar.labels.join('=')}} ${exemplar.value}${exemplar.timeMs === undefined ? '' : `@${exemplar.timeMs}`}`;
      out.push(`${pairs} ${Object.is(parser.value, -0) ? '-0' : parser.value}${parser.hasTime ? `@${parser.timeMs}` : ''}${shown}`);
    }
  } catch (error) {
    if (!(error instanceof ExpositionError)) throw error;
    return `! ${error.message}`;
  }
  return out.join('\n');
}

const NAME = '__name__=a;';

const texts: readonly (readonly [string, string, string])[] = [
  ['name and value', 'a 1\n', `${NAME} 1`],
  ['no newline at the end', 'a 1', `${NAME} 1`],
  ['nothing', '', ''],
  ['blanks everywhere', ' \t\n\na\t{ b = "c" , d = "e" ,\t} \t1\t \n', '__name__=a;b=c;d=e; 1'],
  ['no blank behind the brace', 'a{b="c"}1\n', '__name__=a;b=c; 1'],
  ['a value that touches the name', 'a-1\n', `${NAME} -1`],
  ['labels without comma', 'a{b="1" c="2"} 1\n', '__name__=a;b=1;c=2; 1'],
  ['empty braces', 'a{} 1\n', `${NAME} 1`],
  ['colons in the name', 'a:b 1\n', '__name__=a:b; 1'],
  ['a time', 'a 1 1700000000123\n', `${NAME} 1@1700000000123`],
  ['a line break in a label value', 'a{b="x\ny"} 1\n', '__name__=a;b=x\ny; 1'],
  ['escapes', 'a{b="\\\\ \\" \\n \\z"} 1\n', '__name__=a;b=\\ " \n \\z; 1'],
  ['a NUL in a label value', 'a{b="\0"} 1\n', '__name__=a;b=\0; 1'],
  ['a NUL that begins a line ends the body', 'a 1\n\0b 2 2 2\n', `${NAME} 1`],
  ['quoted names', '{"a.b","c d"="e"} 1\n', '__name__=a.b;c d=e; 1'],
  ['a quoted name behind the labels', '{c="e","a.b"} 1\n', '__name__=a.b;c=e; 1'],
  ['escapes in a quoted name', '{"a\\"b"} 1\n', '__name__=a"b; 1'],
  ['blanks before the name (2.42 takes them into the name)', '  a 1\n', `${NAME} 1`],
  ['free comments', '#\n# x\n#TYPE a wrong\n# TYPE\n# HELP\n# HELPX y\na 1\n', `${NAME} 1`],
  ['help', '# HELP a Some \\\\ help\\n\n', 'help a|Some \\\\ help\\n'],
  ['no help text', '# HELP a\n', 'help a|'],
  ['type with tabs', '#\tTYPE\ta\tgauge\n', 'type a|gauge'],
  ['a quoted metric in a comment', '# TYPE "a.b" counter\n', 'type a.b|counter'],
  ['special values', 'a NaN\na nan\na Inf\na -INFINITY\na +inf\na -0\n', `${NAME} NaN\n${NAME} NaN\n${NAME} Infinity\n${NAME} -Infinity\n${NAME} Infinity\n${NAME} -0`],
  ['decimals', 'a 1.\na .5\na +1\na 1e3\na 1E-3\na 1e-400\n', `${NAME} 1\n${NAME} 0.5\n${NAME} 1\n${NAME} 1000\n${NAME} 0.001\n${NAME} 0`],
  ['normalised bounds', '# TYPE a histogram\na{le="1"} 1\na{le="1e6"} 1\na{le="0.00001"} 1\na{le="+Inf"} 1\na{le="x"} 1\na{le="100000"} 1\na{quantile="1"} 1\n',
    'type a|histogram\n__name__=a;le=1.0; 1\n__name__=a;le=1e+06; 1\n__name__=a;le=1e-05; 1\n__name__=a;le=+Inf; 1\n__name__=a;le=x; 1\n__name__=a;le=100000.0; 1\n__name__=a;quantile=1; 1'],
  ['normalised quantiles', '# TYPE a summary\na{quantile="0"} 1\na{le="1"} 1\n', 'type a|summary\n__name__=a;quantile=0.0; 1\n__name__=a;le=1; 1'],

  ['no value', 'a 1\na\n', '! line 2: expected value after metric, got "\\n" ("INVALID") while parsing: "a\\n"'],
  ['no name', '{b="c"} 1\n', '! line 1: metric name not set while parsing: "{b=\\"c\\"} 1"'],
  ['an empty quoted name', '{""} 1\n', '! line 1: metric name not set while parsing: "{\\"\\"} 1"'],
  ['two names', '{"a","b"} 1\n', '! line 1: metric name already set while parsing: "{\\"a\\",\\"b\\"}"'],
  ['a name before and in braces', 'a{"b"} 1\n', '! line 1: metric name already set while parsing: "a{\\"b\\"}"'],
  ['an empty label name', 'a{""="b"} 1\n', '! line 1: label name is empty while parsing: "a{\\"\\"=\\"b\\""'],
  ['a label twice', 'a{b="1",b="2"} 1\n', '! line 1: label name "b" is not unique: invalid sample'],
  ['the name as a label', 'a{__name__="b"} 1\n', '! line 1: label name "__name__" is not unique: invalid sample'],
  ['two commas', 'a{b="1",,c="2"} 1\n', '! line 1: expected label name, got "," ("COMMA") while parsing: "a{b=\\"1\\",,"'],
  ['a label without value', 'a{b} 1\n', '! line 1: expected equal, got "}" ("BCLOSE") while parsing: "a{b}"'],
  ['a bare label value', 'a{b=c} 1\n', '! line 1: expected label value, got "c" ("INVALID") while parsing: "a{b=c"'],
  ['a quote that is not closed', 'a{b="c} 1\n', '! line 1: expected label value, got "\\"" ("INVALID") while parsing: "a{b=\\""'],
  ['half a line', 'a{b="c"', '! line 1: expected label name, got "" ("INVALID") while parsing: "a{b=\\"c\\""'],
  ['two braces', 'a{b="c"}{ 1\n', '! line 1: expected value after metric, got "{" ("BOPEN") while parsing: "a{b=\\"c\\"}{"'],
  ['a name that begins with a digit', '1a 1\n', '! line 1: expected a valid start token, got "1" ("INVALID") while parsing: "1"'],
  ['a name that is not ASCII', 'é 1\n', '! line 1: expected a valid start token, got "\\xc3" ("INVALID") while parsing: "\\xc3"'],
  ['hexadecimal', 'a 0x1\n', '! line 1: strconv.ParseFloat: parsing "0x1": invalid syntax while parsing: "a 0x1"'],
  ['a hexadecimal float', 'a 0x1p1\n', '! line 1: unsupported character in float while parsing: "a 0x1p1"'],
  ['digit separators', 'a 1_0\n', '! line 1: unsupported character in float while parsing: "a 1_0"'],
  ['too large a value', 'a 1e999\n', '! line 1: strconv.ParseFloat: parsing "1e999": value out of range while parsing: "a 1e999"'],
  ['a signed NaN', 'a +NaN\n', '! line 1: strconv.ParseFloat: parsing "+NaN": invalid syntax while parsing: "a +NaN"'],
  ['a carriage return', 'a 1\r\n', '! line 1: strconv.ParseFloat: parsing "1\\r": invalid syntax while parsing: "a 1\\r"'],
  ['a negative time', 'a 1 -1\n', '! line 1: expected timestamp or new record, got "-" ("INVALID") while parsing: "a 1 -"'],
  ['a fractional time', 'a 1 1.5\n', '! line 1: expected next entry after timestamp, got "." ("INVALID") while parsing: "a 1 1."'],
  ['too large a time', 'a 1 9223372036854775808\n', '! line 1: strconv.ParseInt: parsing "9223372036854775808": value out of range while parsing: "a 1 9223372036854775808"'],
  ['two times', 'a 1 1 1\n', '! line 1: expected next entry after timestamp, got "1" ("TIMESTAMP") while parsing: "a 1 1 1"'],
  ['an exemplar', 'a 1 # {b="c"} 1\n', '! line 1: expected timestamp or new record, got "#" ("INVALID") while parsing: "a 1 #"'],
  ['a NUL in a line', 'a\0 1\n', '! line 1: expected value after metric, got "\\x00" ("INVALID") while parsing: "a\\x00"'],
  ['a wrong type', '\n# TYPE a gage\n', '! line 2: invalid metric type "gage"'],
  ['no type', '# TYPE a\n', '! line 1: invalid metric type ""'],
  ['two blanks before the type', '# TYPE a  gauge\n', '! line 1: invalid metric type " gauge"'],
  ['the type unknown, which is OpenMetrics', '# TYPE a unknown\n', '! line 1: invalid metric type "unknown"'],
  ['no metric in a comment', '# TYPE \na 1\n', '! line 1: expected metric name after TYPE, got "\\n" ("INVALID") while parsing: "# TYPE \\n"'],
]; // prettier-ignore

const EOF = '# EOF\n';
const openMetrics: readonly (readonly [string, string, string])[] = [
  ['name and value', `a 1\n${EOF}`, `${NAME} 1`],
  ['an end without newline', 'a 1\n# EOF', `${NAME} 1`],
  ['a NUL behind the end', '# EOF\0', ''],
  ['a time in seconds, cut to milliseconds', `a 1 1.5\na 1 1.0009\na 1 -0.0019\na 1 1e3\n${EOF}`, `${NAME} 1@1500\n${NAME} 1@1000\n${NAME} 1@-1\n${NAME} 1@1000000`],
  ['labels', `a{b="c",d="\\"e\\n"} 1\n${EOF}`, '__name__=a;b=c;d="e\n; 1'],
  ['a comma at the end (2.42 refuses it)', `a{b="c",} 1\n${EOF}`, '__name__=a;b=c; 1'],
  ['quoted names', `{"a.b","c d"="e"} 1\n${EOF}`, '__name__=a.b;c d=e; 1'],
  ['any suffix for any type', `# TYPE a counter\na 1\na_created 5\n${EOF}`, `type a|counter\n${NAME} 1\n__name__=a_created; 5`],
  ['help, unit, types', `# HELP a \\"x\\"\n# UNIT a_s s\n# UNIT b \n# TYPE a info\n# TYPE a gaugehistogram\n# TYPE a unknown\n${EOF}`,
    'help a|\\"x\\"\nunit a_s|s\nunit b|\ntype a|info\ntype a|gaugehistogram\ntype a|unknown'],
  ['exemplars', `a 1 # {b="c"} 0.5\na 1 2 # {} 0.5 1.25\n${EOF}`, `${NAME} 1 #{b=c} 0.5\n${NAME} 1@2000 #{} 0.5@1250`],
  ['normalised bounds', `# TYPE a histogram\na_bucket{le="1"} 1\n${EOF}`, 'type a|histogram\n__name__=a_bucket;le=1.0; 1'],

  ['no end', 'a 1\n', '! line 2: data does not end with # EOF'],
  ['no end and no newline', 'a 1', '! line 1: data does not end with # EOF'],
  ['nothing', '', '! line 1: data does not end with # EOF'],
  ['something behind the end', '# EOF\n\n', '! line 1: unexpected data after # EOF'],
  ['a word behind the end', '# EOF x', '! line 1: unexpected data after # EOF'],
  ['an empty line', `a 1\n\n${EOF}`, '! line 2: expected a valid start token, got "\\n" ("INVALID") while parsing: "\\n"'],
  ['a free comment', `# free\n${EOF}`, '! line 1: expected a valid start token, got "#" ("INVALID") while parsing: "#"'],
  ['two blanks', `a  1\n${EOF}`, '! line 1: expected value after metric, got " " ("INVALID") while parsing: "a "'],
  ['a blank at the end', `a 1 \n${EOF}`, '! line 1: expected timestamp or # symbol, got " " ("INVALID") while parsing: "a 1 "'],
  ['a blank before', ` a 1\n${EOF}`, '! line 1: expected a valid start token, got " " ("INVALID") while parsing: " "'],
  ['no blank behind the brace', `a{b="c"}1\n${EOF}`, '! line 1: expected value after metric, got "1" ("INVALID") while parsing: "a{b=\\"c\\"}1"'],
  ['a blank between labels', `a{b="c", d="e"} 1\n${EOF}`, '! line 1: expected label name, got " " ("INVALID") while parsing: "a{b=\\"c\\", "'],
  ['labels without comma', `a{b="1"c="2"} 1\n${EOF}`, '! line 1: expected comma or brace close, got "c" ("LNAME") while parsing: "a{b=\\"1\\"c"'],
  ['a line break in a label value', `a{b="x\ny"} 1\n${EOF}`, '! line 1: expected label value, got "\\"" ("INVALID") while parsing: "a{b=\\""'],
  ['a time that is NaN', `a 1 NaN\n${EOF}`, '! line 1: invalid timestamp NaN while parsing: "a 1 NaN"'],
  ['a unit that is no suffix', `# UNIT a seconds\n${EOF}`, '! line 1: unit "seconds" not a suffix of metric "a"'],
  ['a unit that is the name', `# UNIT seconds seconds\n${EOF}`, '! line 1: unit "seconds" not a suffix of metric "seconds"'],
  ['no help text', `# HELP a\n${EOF}`, '! line 1: expected text in HELP while parsing: "# HELP a"'],
  ['the type untyped, which is the text format', `# TYPE a untyped\n${EOF}`, '! line 1: invalid metric type "untyped"'],
  ['an exemplar without value', `a 1 # {b="c"}\n${EOF}`, '! line 1: expected value after exemplar labels, got "\\n" ("INVALID") while parsing: "a 1 # {b=\\"c\\"}\\n"'],
  ['an exemplar with two times', `a 1 # {} 1 2 3\n${EOF}`, '! line 1: expected next entry after exemplar timestamp, got "3" ("TIMESTAMP") while parsing: "a 1 # {} 1 2 3"'],
  ['an exemplar at NaN', `a 1 # {} 1 NaN\n${EOF}`, '! line 1: invalid exemplar timestamp NaN while parsing: "a 1 # {} 1 NaN"'],
  ['an exemplar with a quoted metric', `a 1 # {"b"} 1\n${EOF}`, '! line 1: expected equal, got "}" ("BCLOSE") while parsing: "a 1 # {\\"b\\"}"'],
  ['an exemplar at the end of the body', 'a 1 # {} 1', '! line 1: data does not end with # EOF'],
  ['a carriage return', `a 1\r\n${EOF}`, '! line 1: strconv.ParseFloat: parsing "1\\r": invalid syntax while parsing: "a 1\\r"'],
]; // prettier-ignore

for (const [format, cases] of [['text', texts], ['openmetrics', openMetrics]] as const) {
  for (const [claim, body, want] of cases) {
    test(`${format}: ${claim}`, () => {
      assert.equal(read(format, body), want);
    });
  }
}

const invalid = [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82], [0x80]];
for (const sequence of invalid) {
  test(`bytes ${Buffer.from(sequence).toString('hex')} are no UTF-8, wherever they stand`, () => {
    const around = (before: string, after: string): Uint8Array =>
      new Uint8Array([...Buffer.from(before), ...sequence, ...Buffer.from(after)]);
    for (const format of ['text', 'openmetrics'] as const) {
      assert.match(read(format, around('a{b="', `"} 1\n${EOF}`)), /^! line 1: invalid UTF-8 label value: "\\x/);
      assert.match(read(format, around('{"a', `"} 1\n${EOF}`)), /^! line 1: invalid UTF-8 metric name/);
      assert.match(read(format, around('a{"b', `"="c"} 1\n${EOF}`)), /^! line 1: invalid UTF-8 label name/);
      assert.match(read(format, around('# HELP a ', `\n${EOF}`)), /^! line 1: help text "\\x.*" is not a valid utf8 string$/);
      assert.match(read(format, around('# TYPE a ', `\n${EOF}`)), /^! line 1: invalid metric type/);
    }
    assert.equal(read('text', around('# ', '\na 1\n')), '__name__=a; 1');
  });
}

test('characters of one to four bytes are UTF-8', () => {
  assert.equal(read('text', 'a{b="aé€😀\u{10ffff}"} 1\n'), '__name__=a;b=aé€😀\u{10ffff}; 1');
});

test('labels beyond those that are sorted by insertion are sorted too', () => {
  const labels = Array.from({ length: 200 }, (_, i) => `l${999 - i}="${i}"`);
  const shown = read('text', `a{${labels.join(',')}} 1\n`);
  assert.equal(shown.indexOf('__name__=a;l800=199;l801=198;'), 0);
  assert.match(read('text', `a{${labels.join(',')},l900="x"} 1\n`), /label name "l900" is not unique/);
});
