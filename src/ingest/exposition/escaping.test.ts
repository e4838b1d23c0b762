import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeName, ESCAPING_SCHEMES, unescapeName } from './escaping.ts';

// Name; with underscores, dots, values.
const names: readonly (readonly [string, string, string, string])[] = [
  ['', '', '', ''],
  ['http_requests:rate', 'http_requests:rate', 'http__requests:rate', 'http_requests:rate'],
  ['http.status_code', 'http_status_code', 'http_dot_status__code', 'U__http_2e_status__code'],
  ['0a', '_a', '__a', 'U___30_a'],
  ['a b', 'a_b', 'a__b', 'U__a_20_b'],
  ['température', 'temp_rature', 'temp__rature', 'U__temp_e9_rature'],
  ['花火', '__', '____', 'U___82b1__706b_'],
  ['😀', '_', '__', 'U___1f600_'],
  ['a\ud800', 'a_', 'a__', 'U__a_FFFD_'],
];
for (const [name, underscores, dots, values] of names) {
  test(`${JSON.stringify(name)} escaped`, () => {
    assert.deepEqual(ESCAPING_SCHEMES.map((scheme) => escapeName(name, scheme)), [name, underscores, dots, values]);
  });
  test(`${JSON.stringify(name)} from values and back`, () => {
    if (name.isWellFormed()) assert.equal(unescapeName(values, 'values'), name);
  });
}

test('dots and underscores survive the dots scheme', () => {
  assert.equal(unescapeName(escapeName('a_b.c__d', 'dots'), 'dots'), 'a_b.c__d');
});

test('what underscores lost stays lost', () => {
  assert.equal(unescapeName('a_b', 'underscores'), 'a_b');
  assert.equal(unescapeName('U__a_2e_b', 'allow-utf-8'), 'U__a_2e_b');
});

for (const name of ['plain', 'U__a_', 'U__a_2', 'U__a_zz_', 'U__a_d800_', 'U__a_110000_', 'U__a_0000000020_', 'U__a_2e']) {
  test(`${name} is not well escaped and stays`, () => {
    assert.equal(unescapeName(name, 'values'), name);
  });
}

test('the largest code point comes back', () => {
  assert.equal(unescapeName('U__a_10ffff_', 'values'), 'a\u{10ffff}');
  assert.equal(unescapeName('U__a_2E_b', 'values'), 'a.b');
});
