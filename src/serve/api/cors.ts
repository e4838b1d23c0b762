/**
 * Cross-origin headers: whoever matches `--web.cors.origin` may read answers from a page.
 * Source: Prometheus, util/httputil CORS (verified against 2.42).
 */
import { compileRegex } from '../../core/model/matcher.ts';

const HEADERS: Readonly<Record<string, string>> = {
  'access-control-allow-headers': 'Accept, Authorization, Content-Type, Origin',
  'access-control-allow-methods': 'GET, POST, OPTIONS',
  'access-control-expose-headers': 'Date',
  vary: 'Origin',
};

/** Makes the function that gives the headers for an `Origin` ('' for none). @throws RegexError */
export function corsPolicy(originPattern: string): (origin: string) => Readonly<Record<string, string>> {
  if (originPattern === '.*') {
    const everyone = { ...HEADERS, 'access-control-allow-origin': '*' };
    return (origin) => (origin === '' ? {} : everyone);
  }
  const regex = compileRegex(originPattern);
  return (origin) => {
    if (origin === '') return {};
    return regex.matches(origin) ? { ...HEADERS, 'access-control-allow-origin': origin } : HEADERS;
  };
}
