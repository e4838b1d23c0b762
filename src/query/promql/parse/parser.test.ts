import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_FEATURES, MAX_QUERY_LENGTH, parseExpr, parseSelector } from './parser.ts';
import { MAX_HEIGHT } from './check.ts';
import { MAX_MATCHERS } from './parse-selector.ts';
import { MAX_NESTING } from './token-stream.ts';
import { printExpr } from './print.ts';
import type { Expr } from './ast.ts';

/** The tree with every operation in brackets, so that precedence shows. */
function shape(expr: Expr): string {
  switch (expr.kind) {
    case 'binary':
      return `<${shape(expr.left)} ${expr.op} ${shape(expr.right)}>`;
    case 'unary':
      return `<${expr.op}${shape(expr.operand)}>`;
    case 'paren':
      return shape(expr.inner);
    default:
      return printExpr(expr);
  }
}

const precedence: readonly (readonly [string, string])[] = [
  ['a + b * c', '<a + <b * c>>'],
  ['a - b - c', '<<a - b> - c>'],
  ['a ^ b ^ c', '<a ^ <b ^ c>>'],
  ['-a ^ b', '<-<a ^ b>>'],
  ['-a * b', '<<-a> * b>'],
  ['a ^ -b * c', '<<a ^ <-b>> * c>'],
  ['a ^ -b ^ c', '<a ^ <-<b ^ c>>>'],
  ['a % b atan2 c', '<<a % b> atan2 c>'],
  ['a or b and c', '<a or <b and c>>'],
  ['a and b unless c', '<<a and b> unless c>'],
  ['a == b + c', '<a == <b + c>>'],
  ['a > b > c', '<<a > b> > c>'],
  ['a </ 5 >/ 3', '<<a </ 5> >/ 3>'],
  ['a </ 5 + 1', '<a </ <5 + 1>>'],
  ['--a', '<-<-a>>'],
  ['--1', '1'],
  ['- 1 ^ 2', '<-<1 ^ 2>>'],
  ['2 ^ -1', '<2 ^ -1>'],
  ['-a offset 5m', '<-a offset 5m>'],
  ['a offset 2 ^ 2', '<a offset 2s ^ 2>'],
  ['a offset -2 * 2', '<a offset -2s * 2>'],
  ['a offset (-2 ^ 2)', 'a offset (-2 ^ 2)'],
  ['a offset -step()*2', '<a offset -step() * 2>'],
  ['a offset -(min_of(step(), 2s)-5)+8000', '<a offset -(min_of(step(), 2s) - 5) + 8000>'],
];
for (const [text, want] of precedence) {
  test(`precedence: ${text}`, () => assert.equal(shape(parseExpr(text)), want));
}

// Text, then how it prints; no second part: as it is.
const good: readonly (readonly [string, string?])[] = [
  ['foo'],
  ['a:b:c'],
  [':'],
  ['foo{}', 'foo'],
  ['foo{b="1",a="2",}', 'foo{a="2",b="1"}'],
  ['foo{a!="b",c=~"d.*",e!~"f"}'],
  ["foo{a='b'}", 'foo{a="b"}'],
  ['{__name__="foo",a="b"}'],
  ['{"foo.bar"}', '{__name__="foo.bar"}'],
  ['{"foo.bar","x.y"="z",a="b"}', '{"x.y"="z",__name__="foo.bar",a="b"}'],
  ["foo{'x y'=~`.+`}", 'foo{"x y"=~".+"}'],
  ['foo # comment\n + # another\r\n\tbar', 'foo + bar'],
  ['foo{ # in braces\n a="b" }', 'foo{a="b"}'],
  // Keywords name metrics and labels where nothing else can stand.
  ['and + or'],
  ['and and and'],
  ['offset offset 5m'],
  ['sum{a="b"} + by + without + unless + start + end + step + range + min_of'],
  ['sum(sum) by (sum)', 'sum by (sum) (sum)'],
  ['foo{and="a",bool="x",by="b",inf="y",on="z",sum="c"}'],
  [
    'sum by (bool,on,ignoring,group_left,offset,sum,start,end,by,and,fill,anchored) (foo)',
    'sum by (bool, on, ignoring, group_left, offset, sum, start, end, by, and, fill, anchored) (foo)',
  ],
  ['anchored smoothed + smoothed anchored'],
  ['other + fill'],
  ['other + fill(0) fill', 'other + fill (0) fill'],
  ['fill + fill_left(-Inf) fill_left', 'fill + fill_left (-Inf) fill_left'],
  // Numbers.
  ['1_000_000.5', '1000000.5'],
  ['0x1F', '31'],
  ['010', '8'],
  ['08', '8'],
  ['1e3', '1000'],
  ['1.e-7', '0.0000001'],
  ['.5', '0.5'],
  ['-0'],
  ['+5', '5'],
  ['iNf', '+Inf'],
  ['-Inf'],
  ['nAn', 'NaN'],
  ['1h30m'],
  ['-90m', '-1h30m'],
  ['foo > 5m'],
  // Strings.
  [String.raw`"\x41\101\u0041\U00000041\n\a"`, String.raw`"AAAA\n\a"`],
  [String.raw`'\''`, `"'"`],
  ['`\\n\n`', String.raw`"\\n\n"`],
  [String.raw`"\xc3\xa9\xff"`, String.raw`"é\xff"`],
  ['"\u2028"', String.raw`"\u2028"`],
  // Ranges and modifiers.
  ['foo[5m]'],
  ['foo [ 90m ]', 'foo[1h30m]'],
  ['foo[300]', 'foo[5m]'],
  ['foo[0.5]', 'foo[500ms]'],
  ['foo[5m:]'],
  ['foo[5m : 30]', 'foo[5m:30s]'],
  ['foo[1h30m:5m] offset 1w'],
  ['foo[5m]offset 5m', 'foo[5m] offset 5m'],
  ['foo offset -1h30m'],
  ['foo offset 0s', 'foo'],
  ['foo offset 1m @ 5', 'foo @ 5.000 offset 1m'],
  ['foo @ -0.5 offset -5m', 'foo @ -0.500 offset -5m'],
  ['foo @ 1609746000.1234', 'foo @ 1609746000.123'],
  ['foo @ 100s', 'foo @ 100.000'],
  ['foo[5m] @ end() offset 5m'],
  ['foo @ end() [5m]', 'foo[5m] @ end()'],
  ['foo[5m:1m] @ START()', 'foo[5m:1m] @ start()'],
  ['rate(foo[5m])[1h:5m] @ 3 offset 1m', 'rate(foo[5m])[1h:5m] @ 3.000 offset 1m'],
  ['foo[5m] smoothed @ 3', 'foo[5m] smoothed @ 3.000'],
  ['foo offset 1m anchored', 'foo anchored offset 1m'],
  // Duration expressions.
  ['foo[26m+4m]', 'foo[26m + 4m]'],
  ['foo[-5m+35m]', 'foo[-5m + 35m]'],
  ['foo[24m+((1.5*2m)+2m)]', 'foo[24m + ((1.5 * 2m) + 2m)]'],
  ['foo[(5m)]', 'foo[5m]'],
  ['foo[((step()))]', 'foo[(step())]'],
  ['foo[5m+RANGE()]', 'foo[5m + range()]'],
  ['foo[max_of(min_of(step()+1,1h),1ms)]', 'foo[max_of(min_of(step() + 1, 1h), 1ms)]'],
  ['foo[29s+1s:20*500ms] offset (20*(8 - 2))', 'foo[29s + 1s:20 * 500ms] offset (20 * (8 - 2))'],
  // Operators.
  ['foo + on() bar', 'foo + on () bar'],
  ['foo + ignoring() bar', 'foo + bar'],
  ['foo + ignoring() group_left bar', 'foo + ignoring () group_left () bar'],
  ['foo*ON(a,"b.c")GROUP_right(d)bar', 'foo * on (a, "b.c") group_right (d) bar'],
  ['foo == BOOL ignoring(x) bar', 'foo == bool ignoring (x) bar'],
  ['foo and on(a) bar', 'foo and on (a) bar'],
  ['foo + on() 1', 'foo + 1'],
  ['1 == bool 2'],
  ['foo + fill_right(1) fill_left(2) bar', 'foo + fill_left (2) fill_right (1) bar'],
  ['foo + fill_right(1) fill_left(1) bar', 'foo + fill (1) bar'],
  // Calls and aggregations.
  ['time() - foo'],
  ['round(foo) + round(foo,5)', 'round(foo) + round(foo, 5)'],
  ['label_join(foo,"a","b")', 'label_join(foo, "a", "b")'],
  ['info(foo,{a=~".*"})', 'info(foo, {a=~".*"})'],
  ['info(foo,{})', 'info(foo, {})'],
  ['histogram_quantiles(foo,"q",0.1,0.9)', 'histogram_quantiles(foo, "q", 0.1, 0.9)'],
  ['min_of(step(), range())'],
  ['SUM BY (a,) (foo)', 'sum by (a) (foo)'],
  ['sum(foo) by ()', 'sum(foo)'],
  ['sum(foo) without ()', 'sum without () (foo)'],
  ['topk without (a,"b.c") (5,foo)', 'topk without (a, "b.c") (5, foo)'],
  ['count_values("a",foo)', 'count_values("a", foo)'],
  ['limit_ratio(-0.5, foo)'],
];
for (const [text, want = text] of good) {
  test(`parses ${JSON.stringify(text)}`, () => {
    const printed = printExpr(parseExpr(text, ALL_FEATURES));
    assert.equal(printed, want);
    assert.equal(printExpr(parseExpr(printed, ALL_FEATURES)), want, 'printing is a fixed point');
  });
}

// Messages that a Prometheus 2.42 gives for the same text; compared one by one.
const bad: readonly (readonly [string, string])[] = [
  ['', '1:1: parse error: no expression found in input'],
  ['  # c', '1:1: parse error: no expression found in input'],
  ['foo)', "1:5: parse error: unexpected right parenthesis ')'"],
  ['(foo', '1:5: parse error: unclosed left parenthesis'],
  ['(1 +', '1:5: parse error: unclosed left parenthesis'],
  ['foo[5m', '1:7: parse error: unclosed left bracket'],
  ['foo ]', "1:5: parse error: unexpected right bracket ']'"],
  ['()', '1:2: parse error: unexpected ")"'],
  ['1 +', '1:4: parse error: unexpected end of input'],
  ['* 1', '1:1: parse error: unexpected <op:*>'],
  ['foo + * bar', '1:7: parse error: unexpected <op:*>'],
  ['1 foo', '1:3: parse error: unexpected identifier "foo"'],
  ['1:2', '1:2: parse error: unexpected metric identifier ":2"'],
  ['foo BY', '1:5: parse error: unexpected <BY>'],
  ['foo SUM(bar)', '1:5: parse error: unexpected <aggr:SUM>'],
  ['foo start', '1:5: parse error: unexpected "start"'],
  ['on', '1:1: parse error: unexpected <on>'],
  ['atan2', '1:1: parse error: unexpected <op:atan2>'],
  ['"abcdefghijklmnop" "abcdefghijklmnopq"', String.raw`1:20: parse error: unexpected string "\"abcdefghi"...`],
  ['foo, bar', '1:4: parse error: unexpected ","'],
  ['foo = bar', '1:5: parse error: unexpected "="'],
  ['foo =~ bar', "1:5: parse error: unexpected character after '=': '~'"],
  ['!foo', "1:1: parse error: unexpected character after '!': 'f'"],
  ['!', "1:1: parse error: unexpected character after '!': '\ufffd'"],
  ['foo & bar', "1:5: parse error: unexpected character: '&'"],
  ['foo\\', String.raw`1:4: parse error: unexpected character: '\\'`],
  ['\0', String.raw`1:1: parse error: unexpected character: '\x00'`],
  ['\ufeff1', String.raw`1:1: parse error: unexpected character: '\ufeff'`],
  ['é', "1:1: parse error: unexpected character: 'é'"],
  ['foo\n+\n  )', "3:4: parse error: unexpected right parenthesis ')'"],
  ['foo bar "open', '1:5: parse error: unexpected identifier "bar"'],
  ['foo "open', '1:5: parse error: unterminated quoted string'],
  // Braces.
  ['foo{', '1:5: parse error: unexpected end of input inside braces'],
  ['foo }', "1:5: parse error: unexpected character: '}'"],
  ['foo{a="b",,}', '1:11: parse error: unexpected "," in label matching, expected identifier or "}"'],
  ['foo{,}', '1:5: parse error: unexpected "," in label matching, expected identifier or "}"'],
  ['foo{a=b}', '1:7: parse error: unexpected identifier "b" in label matching, expected string'],
  ['foo{a b}', '1:7: parse error: unexpected identifier "b" in label matching, expected label matching operator'],
  ['foo{=~"b"}', '1:5: parse error: unexpected <op:=~> in label matching, expected identifier or "}"'],
  ['foo{a="b" c="d"}', '1:11: parse error: unexpected identifier "c" in label matching, expected "," or "}"'],
  ['foo{a=5}', "1:7: parse error: unexpected character inside braces: '5'"],
  ['foo{a!"b"}', `1:6: parse error: unexpected character after '!' inside braces: '"'`],
  ['foo{a==""}', '1:7: parse error: unexpected "=" in label matching, expected string'],
  ['foo{{}', "1:5: parse error: unexpected left brace '{'"],
  ['foo{a="b"}{}', '1:11: parse error: unexpected "{"'],
  ['foo{__name__="bar"}', '1:1: parse error: metric name must not be set twice: "foo" or "bar"'],
  ['{}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
  ['{a=""}', '1:1: parse error: vector selector must contain at least one non-empty matcher'],
  ['1 + {a=~".*"}', '1:5: parse error: vector selector must contain at least one non-empty matcher'],
  // Numbers and strings.
  ['0xg', '1:1: parse error: bad number or duration syntax: "0x"'],
  ['1foo', '1:1: parse error: bad number or duration syntax: "1"'],
  ['0x1p5', '1:1: parse error: bad number or duration syntax: "0x1"'],
  ['1e1000', '1:1: parse error: error parsing number: strconv.ParseFloat: parsing "1e1000": value out of range'],
  [
    '0xffffffffffffffff',
    '1:1: parse error: error parsing number: strconv.ParseFloat: parsing "0xffffffffffffffff": invalid syntax',
  ],
  ['"a', '1:1: parse error: unterminated quoted string'],
  ['"a\nb"', '1:1: parse error: unterminated quoted string'],
  ['`a', '1:1: parse error: unterminated raw string'],
  [String.raw`"a\q"`, "1:1: parse error: unknown escape sequence U+0071 'q'"],
  [String.raw`'\"'`, `1:1: parse error: unknown escape sequence U+0022 '"'`],
  [String.raw`"\xg"`, "1:1: parse error: illegal character U+0067 'g' in escape sequence"],
  [String.raw`"\400"`, '1:1: parse error: escape sequence is an invalid Unicode code point'],
  [String.raw`"\ud800"`, '1:1: parse error: escape sequence is an invalid Unicode code point'],
  ['"\\', '1:1: parse error: escape sequence not terminated'],
  // Ranges and modifiers.
  ['foo[0m]', '1:5: parse error: duration must be greater than 0'],
  ['foo[5m:0s]', '1:8: parse error: duration must be greater than 0'],
  ['foo[5m5m]', '1:5: parse error: not a valid duration string: "5m5m"'],
  ['foo[5.5m]', '1:5: parse error: not a valid duration string: "5.5m"'],
  ['foo[300y]', '1:5: parse error: duration out of range'],
  ['foo[5m:1mm]', '1:8: parse error: bad number or duration syntax: "1mm"'],
  ['foo[5m:1m:1m]', "1:10: parse error: unexpected colon ':'"],
  ['foo[5m} ', "1:7: parse error: unexpected character: '}'"],
  ['(foo)[5m]', '1:6: parse error: ranges only allowed for vector selectors'],
  ['foo[5m] [5m]', '1:9: parse error: ranges only allowed for vector selectors'],
  ['foo offset 5m[5m]', '1:14: parse error: no offset modifiers allowed before range'],
  ['foo @ 1 [5m]', '1:9: parse error: no @ modifiers allowed before range'],
  ['1[5m:]', '1:1: parse error: subquery is only allowed on instant vector, got scalar instead'],
  ['foo[5m][5m:]', '1:1: parse error: subquery is only allowed on instant vector, got matrix instead'],
  ['foo offset 5m offset 5m', '1:1: parse error: offset may not be set multiple times'],
  [
    'sum(foo) offset 1m',
    '1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery',
  ],
  ['foo @', '1:6: parse error: unexpected end of input in @, expected timestamp'],
  ['foo @ sum', '1:7: parse error: unexpected <aggr:sum> in @, expected timestamp'],
  ['foo @ start', '1:12: parse error: unexpected end of input in @, expected timestamp'],
  ['foo @ 1 @ 2', '1:1: parse error: @ <timestamp> may not be set multiple times'],
  [
    '1 @ 5',
    '1:1: parse error: @ modifier must be preceded by an instant vector selector or range vector selector or a subquery',
  ],
  ['1 @ NaN', '1:1: parse error: timestamp out of bounds for @ modifier: NaN'],
  ['foo @ NaN', '1:1: parse error: timestamp out of bounds for @ modifier: NaN'],
  [
    'foo @ 1e50',
    '1:1: parse error: timestamp out of bounds for @ modifier: 100000000000000007629769841091887003294964970946560.000000',
  ],
  // Calls.
  ['foo()', '1:1: parse error: unknown function with name "foo"'],
  ['RATE(foo[5m])', '1:1: parse error: unknown function with name "RATE"'],
  ['foo(', '1:5: parse error: unclosed left parenthesis'],
  ['a:b(foo)', '1:4: parse error: unexpected "("'],
  ['abs(foo,)', '1:8: parse error: trailing commas not allowed in function call args'],
  ['abs(,foo)', '1:5: parse error: unexpected ","'],
  ['rate(foo)', '1:6: parse error: expected type range vector in call to function "rate", got instant vector'],
  ['rate(foo[5m],1)', '1:1: parse error: expected 1 argument(s) in call to "rate", got 2'],
  ['round()', '1:1: parse error: expected at least 1 argument(s) in call to "round", got 0'],
  ['round(foo,1,2)', '1:1: parse error: expected at most 2 argument(s) in call to "round", got 3'],
  ['label_join(foo)', '1:1: parse error: expected at least 3 argument(s) in call to "label_join", got 1'],
  ['label_join(foo,"a","b",1)', '1:24: parse error: expected type string in call to function "label_join", got scalar'],
  ['rate(abs(1),2)', '1:1: parse error: expected 1 argument(s) in call to "rate", got 2'],
  // Aggregations.
  ['sum()', '1:1: parse error: no arguments for aggregate expression provided'],
  ['sum(foo,bar)', '1:1: parse error: wrong number of arguments for aggregate expression provided, expected 1, got 2'],
  ['topk(foo)', '1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1'],
  ['sum(1)', '1:5: parse error: expected type instant vector in aggregation expression, got scalar'],
  ['topk("a",foo)', '1:6: parse error: expected type scalar in aggregation parameter, got string'],
  ['count_values(1,foo)', '1:14: parse error: expected type string in aggregation parameter, got scalar'],
  ['sum by', '1:7: parse error: unexpected end of input in grouping opts, expected "("'],
  ['sum by (a) foo', '1:12: parse error: unexpected identifier "foo" in aggregation'],
  ['sum by (a) (foo) by (b)', '1:18: parse error: unexpected <by>'],
  ['sum(foo) by (5)', '1:14: parse error: unexpected number "5" in grouping opts, expected label'],
  ['sum(foo) by (without)', '1:14: parse error: unexpected <without> in grouping opts, expected label'],
  ['sum by (a:b) (foo)', '1:9: parse error: unexpected metric identifier "a:b" in grouping opts, expected label'],
  ['sum(foo) by (a b)', '1:16: parse error: unexpected identifier "b" in grouping opts, expected "," or ")"'],
  ['sum(rate(foo bar))', '1:14: parse error: unexpected identifier "bar" in aggregation'],
  ['abs(sum(foo) bar)', '1:14: parse error: unexpected identifier "bar"'],
  // Operators.
  ['1 and 2', '1:1: parse error: set operator "and" not allowed in binary scalar expression'],
  ['foo or 1', '1:1: parse error: set operator "or" not allowed in binary scalar expression'],
  ['1 == 2', '1:3: parse error: comparisons between scalars must use BOOL modifier'],
  ['foo + bool bar', '1:5: parse error: bool modifier can only be used on comparison operators'],
  ['foo[5m] + 1', '1:1: parse error: binary expression must contain only scalar and instant vector types'],
  ['foo unless "a"', '1:12: parse error: binary expression must contain only scalar and instant vector types'],
  ['foo + on', '1:9: parse error: unexpected end of input in grouping opts, expected "("'],
  ['foo + on(a) group_left(a) bar', '1:5: parse error: label "a" must not occur in ON and GROUP clause at once'],
  ['foo + group_left bar', '1:7: parse error: unexpected <group_left>'],
  ['foo and on(a) group_left bar', '1:1: parse error: no grouping allowed for "and" operation'],
  ['foo + on(a) 1', '1:1: parse error: vector matching only allowed between instant vectors'],
  ['foo + on(a) bool bar', '1:13: parse error: unexpected <bool>'],
  [
    '-"a"',
    '1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "string"',
  ],
  [
    '-foo[5m]',
    '1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "range vector"',
  ],
];
for (const [text, want] of bad) {
  test(`refuses ${JSON.stringify(text)}`, () =>
    assert.throws(() => parseExpr(text), { name: 'PromqlSyntaxError', message: want }));
}

// What version 3 added or words otherwise.
const badSince3: readonly (readonly [string, string])[] = [
  ['foo[', '1:5: parse error: unexpected end of input in duration expression'],
  [
    'foo[]',
    '1:5: parse error: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()',
  ],
  [
    'foo[5m+]',
    '1:8: parse error: unexpected "]" in subquery or range selector, expected number, duration, step(), or range()',
  ],
  ['foo[5m 5m]', '1:8: parse error: unexpected duration "5m" in subquery or range selector, expected ":" or "]"'],
  ['foo[:5m]', '1:5: parse error: unexpected colon before duration in duration expression'],
  ['foo["5m"]', `1:5: parse error: unexpected character in duration expression: '"'`],
  ['foo[stop()]', "1:5: parse error: unexpected character in duration expression: 's'"],
  ['foo[5m OFFSET 1h]', "1:8: parse error: unexpected character: 'O', expected ':'"],
  ['foo[-5m]', '1:5: parse error: duration must be greater than 0'],
  ['foo[5m/0]', '1:7: parse error: division by zero'],
  ['foo[5m % 0s]', '1:8: parse error: modulo by zero'],
  ['foo[1e20]', '1:5: parse error: duration out of range'],
  ['foo offset', '1:11: parse error: unexpected end of input in offset, expected number, duration, step(), or range()'],
  [
    'foo offset (5m bar)',
    '1:16: parse error: unexpected identifier "bar" in offset, expected number, duration, step(), or range()',
  ],
  ['foo{"bar"}', '1:1: parse error: metric name must not be set twice: "foo" or "bar"'],
  ['{"foo","bar"}', '1:1: parse error: metric name must not be set twice: "foo" or "bar"'],
  ['{"foo" "bar"}', String.raw`1:8: parse error: unexpected string "\"bar\"" in label matching, expected "," or "}"`],
  ['sum by ("") (foo)', '1:9: parse error: invalid label name for grouping: ""'],
  ['1__0', '1:1: parse error: bad number or duration syntax: "1__"'],
  ['1.2.3', '1:1: parse error: bad number or duration syntax: "1.2."'],
  ['holt_winters(foo[5m],1,1)', '1:1: parse error: unknown function with name "holt_winters"'],
  ['info(foo)', '1:1: parse error: function "info" is not enabled'],
  ['start_timestamp(foo)', '1:1: parse error: function "start_timestamp" is not enabled'],
  [
    'limitk(1,foo)',
    '1:1: parse error: limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions',
  ],
  ['foo anchored', '1:1: parse error: anchored modifier is experimental and not enabled'],
  ['rate(foo[5m] smoothed)', '1:6: parse error: smoothed modifier is experimental and not enabled'],
  ['1 + foo - fill(0) bar', '1:1: parse error: binop fill modifiers are experimental and not enabled'],
];
for (const [text, want] of badSince3) {
  test(`refuses ${JSON.stringify(text)}`, () =>
    assert.throws(() => parseExpr(text), { name: 'PromqlSyntaxError', message: want }));
}

const badWithFeatures: readonly (readonly [string, string])[] = [
  ['foo anchored smoothed', '1:1: parse error: anchored and smoothed modifiers cannot be used together'],
  ['foo[5m:] anchored', '1:1: parse error: anchored modifier is not supported for subqueries'],
  ['sum(foo) smoothed', '1:1: parse error: smoothed modifier not implemented'],
  ['foo + fill(0) 1', '1:1: parse error: filling in missing series only allowed between instant vectors'],
  ['foo and fill(0) bar', '1:1: parse error: filling in missing series not allowed for set operators'],
  ['foo + fill(0) fill(1) bar', '1:19: parse error: unexpected "("'],
  ['foo + fill(bar) baz', '1:12: parse error: unexpected identifier "bar"'],
  ['info(foo, bar)', '1:11: parse error: expected label selectors only, got vector selector instead'],
  ['info(foo, 1)', '1:11: parse error: expected label selectors only'],
];
for (const [text, want] of badWithFeatures) {
  test(`refuses ${JSON.stringify(text)} with all features`, () => {
    assert.throws(() => parseExpr(text, ALL_FEATURES), { name: 'PromqlSyntaxError', message: want });
  });
}

test('a wrong regular expression is refused where its matcher stands', () => {
  assert.throws(
    () => parseExpr('foo{b="c", a=~"("}'),
    /^PromqlSyntaxError: 1:12: parse error: error parsing regexp: missing closing \)/,
  );
});

const selectors: readonly (readonly [string, string])[] = [
  ['foo', '__name__="foo"'],
  ['foo{a="b",c!~"d",}', 'a="b" c!~"d" __name__="foo"'],
  ['{"a.b"}', '__name__="a.b"'],
  ['{}', ''],
  ['by', '__name__="by"'],
  ['', '1:1: parse error: unexpected end of input'],
  ['foo[5m]', '1:4: parse error: unexpected "["'],
  ['foo offset 5m', '1:5: parse error: unexpected <offset>'],
  ['1', '1:1: parse error: unexpected number "1"'],
  ['rate(foo)', '1:5: parse error: unexpected "("'],
  ['sum by (a)', '1:5: parse error: unexpected <by>'],
  ['foo)', "1:5: parse error: unexpected right parenthesis ')'"],
  ['-foo', '1:1: parse error: unexpected <op:->'],
];
for (const [text, want] of selectors) {
  test(`selector ${JSON.stringify(text)}`, () => {
    let got: string;
    try {
      got = parseSelector(text)
        .map(({ name, op, value }) => `${name}${op}"${value}"`)
        .join(' ');
    } catch (error) {
      assert(error instanceof Error);
      got = error.message;
    }
    assert.equal(got, want);
  });
}

test('every node knows its place in the text', () => {
  const text = 'sum by (a) (rate(foo{b="c"}[5m] offset 1m)) > bool -(bar @ 5)';
  const places: string[] = [];
  const visit = (expr: Expr): void => {
    places.push(`${expr.kind}: ${text.slice(expr.span.start, expr.span.end)}`);
    if (expr.kind === 'binary') {
      places.push(`operator: ${text.slice(expr.opSpan.start, expr.opSpan.end)}`);
      visit(expr.left);
      visit(expr.right);
    } else if (expr.kind === 'unary') visit(expr.operand);
    else if (expr.kind === 'call') expr.args.forEach(visit);
    else if (expr.kind === 'matrix-selector') visit(expr.selector);
    else if (expr.kind === 'paren' || expr.kind === 'aggregate') visit(expr.inner);
  };
  visit(parseExpr(text));
  assert.deepEqual(places, [
    `binary: ${text}`,
    'operator: >',
    'aggregate: sum by (a) (rate(foo{b="c"}[5m] offset 1m))',
    'call: rate(foo{b="c"}[5m] offset 1m)',
    'matrix-selector: foo{b="c"}[5m] offset 1m',
    'vector-selector: foo{b="c"}',
    'unary: -(bar @ 5)',
    'paren: (bar @ 5)',
    'vector-selector: bar @ 5',
  ]);
});

const deep: readonly (readonly [string, string])[] = [
  ['parentheses', `${'('.repeat(100_000)}1${')'.repeat(100_000)}`],
  ['open parentheses', '('.repeat(100_000)],
  ['signs', `${'-'.repeat(100_000)}foo`],
  ['powers', `${'foo^'.repeat(100_000)}foo`],
  ['calls', `${'abs('.repeat(100_000)}foo`],
  ['aggregations', `${'sum('.repeat(100_000)}foo`],
  ['a range expression', `foo[${'('.repeat(100_000)}5m`],
  ['a chain of operators', `${'foo+'.repeat(100_000)}foo`],
  ['a chain of subqueries', `foo${'[5m:]'.repeat(100_000)}`],
];
for (const [what, text] of deep) {
  test(`${what} nested 100,000 deep end in an error, not a full stack`, () => {
    assert.throws(() => parseExpr(text), /parse error: expression is nested deeper than \d+ levels/);
  });
}

test('what stays within the bounds parses', () => {
  const nested = `${'('.repeat(MAX_NESTING - 1)}1${')'.repeat(MAX_NESTING - 1)}`;
  assert.equal(printExpr(parseExpr(nested)), nested);
  const chain = Array.from({ length: MAX_HEIGHT }, () => 'foo').join(' + ');
  assert.equal(printExpr(parseExpr(chain)), chain);
});

test('a selector has a bounded number of matchers', () => {
  const text = `foo{${'a="b",'.repeat(MAX_MATCHERS + 1)}}`;
  assert.throws(() => parseExpr(text), /parse error: selector has more than 10000 matchers/);
});

test('a query has a bounded length', () => {
  assert.throws(
    () => parseExpr(' '.repeat(MAX_QUERY_LENGTH + 1)),
    /parse error: query is longer than 1048576 characters/,
  );
});
