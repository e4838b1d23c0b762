/**
 * Which exposition format: what a scrape asks for, and what the answer's content type means.
 */
import type { EscapingScheme } from './escaping.ts';
import type { ExpositionFormat } from './scrape-cache.ts';
import { quoteShort } from './sample-float.ts';

/** Names as the configuration has them. `PrometheusProto` can be configured but is not asked for. */
export type ScrapeProtocol =
  | 'PrometheusProto'
  | 'OpenMetricsText1.0.0'
  | 'OpenMetricsText0.0.1'
  | 'PrometheusText1.0.0'
  | 'PrometheusText0.0.4';

export const DEFAULT_SCRAPE_PROTOCOLS: readonly ScrapeProtocol[] = [
  'OpenMetricsText1.0.0',
  'OpenMetricsText0.0.1',
  'PrometheusText1.0.0',
  'PrometheusText0.0.4',
];

const MEDIA_TYPES: Readonly<Record<ScrapeProtocol, string>> = {
  PrometheusProto: 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
  'OpenMetricsText1.0.0': 'application/openmetrics-text;version=1.0.0',
  'OpenMetricsText0.0.1': 'application/openmetrics-text;version=0.0.1',
  'PrometheusText1.0.0': 'text/plain;version=1.0.0',
  'PrometheusText0.0.4': 'text/plain;version=0.0.4',
};

/** The q value of the first protocol is 0.6: one tenth above the number of protocols there are. */
const FIRST_WEIGHT = Object.keys(MEDIA_TYPES).length + 1;

/** The Accept header. Protobuf is left out; the others keep their order. */
export function acceptHeader(protocols: readonly ScrapeProtocol[], escaping: EscapingScheme): string {
  const values: string[] = [];
  let weight = FIRST_WEIGHT;
  for (const protocol of protocols) {
    if (protocol === 'PrometheusProto') continue;
    const escapes = protocol === 'OpenMetricsText1.0.0' || protocol === 'PrometheusText1.0.0';
    values.push(`${MEDIA_TYPES[protocol]}${escapes ? `;escaping=${escaping}` : ''};q=0.${weight}`);
    weight--;
  }
  values.push(`*/*;q=0.${weight}`);
  return values.join(',');
}

/** The target's content type cannot be read and no fallback is configured. */
export class ContentTypeError extends Error {
  override readonly name = 'ContentTypeError';
}

export interface FormatDecision {
  readonly format: ExpositionFormat;
  /** Why the fallback was taken, for a debug log; undefined where it was not or nothing was wrong. */
  readonly warning: string | undefined;
}

/**
 * The format of an answer with `contentType` ('' if the header is missing).
 * @throws ContentTypeError in Prometheus' words; also for protobuf, which is not read here
 */
export function decideFormat(contentType: string, fallback: ScrapeProtocol | undefined): FormatDecision {
  const key = `${fallback ?? ''} ${contentType}`;
  let decision = decisions.get(key);
  if (decision === undefined) {
    decision = decideFormatAnew(contentType, fallback);
    if (decisions.size >= MAX_DECISIONS) decisions.clear();
    decisions.set(key, decision);
  }
  return decision;
}

/** Targets of a kind send one content type for ever; parsing it takes longer than parsing a small page. */
const decisions = new Map<string, FormatDecision>();
const MAX_DECISIONS = 64;

function decideFormatAnew(contentType: string, fallback: ScrapeProtocol | undefined): FormatDecision {
  if (contentType === '') {
    if (fallback !== undefined) return { format: formatOfProtocol(fallback), warning: undefined };
    throw new ContentTypeError(
      'non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target',
    );
  }
  const parsed = parseMediaType(contentType);
  if (parsed.fault === undefined) {
    const format = formatOfMediaType(parsed.mediaType);
    if (format !== undefined) return { format, warning: undefined };
  }
  const shown = quoteShort(contentType);
  if (fallback === undefined) {
    throw new ContentTypeError(
      parsed.fault === undefined
        ? `received unsupported Content-Type ${shown} and no fallback_scrape_protocol specified for target`
        : `cannot parse Content-Type ${shown} and no fallback_scrape_protocol for target\n${parsed.fault}`,
    );
  }
  const used = `using fallback_scrape_protocol ${quoteShort(MEDIA_TYPES[fallback].split(';')[0]!)}`;
  const warning =
    parsed.fault === undefined
      ? `received unsupported Content-Type ${shown}, ${used}`
      : `could not parse received Content-Type ${shown}, ${used}\n${parsed.fault}`;
  return { format: formatOfProtocol(fallback), warning };
}

const formatOfProtocol = (protocol: ScrapeProtocol): ExpositionFormat => formatOfMediaType(MEDIA_TYPES[protocol].split(';')[0]!)!;

function formatOfMediaType(mediaType: string): ExpositionFormat | undefined {
  switch (mediaType) {
    case 'application/openmetrics-text':
      return 'openmetrics';
    case 'text/plain':
      return 'text';
    case 'application/vnd.google.protobuf':
      throw new ContentTypeError('received Content-Type application/vnd.google.protobuf: the protobuf exposition format is not supported');
    default:
      return undefined;
  }
}

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const PARAMETER = /^\s*;\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=("(?:[^"\\\r\n]|\\.)*"|[!#$%&'*+.^_`|~0-9A-Za-z-]+)/;

/** `fault` in the words of Go's mime package. */
function parseMediaType(text: string): { mediaType: string; fault: string | undefined } {
  const semicolon = text.indexOf(';');
  const mediaType = (semicolon < 0 ? text : text.slice(0, semicolon)).trim().toLowerCase();
  const [type, subtype, ...more] = mediaType.split('/');
  const fault = (fault: string): { mediaType: string; fault: string } => ({ mediaType, fault: `mime: ${fault}` });
  if (type === undefined || !TOKEN.test(type)) return fault('no media type');
  if (subtype === undefined) return TOKEN.test(mediaType) ? fault('expected slash after first token') : fault('no media type');
  if (!TOKEN.test(subtype) || more.length > 0) return fault(subtype === '' ? 'expected token after slash' : 'unexpected content after media subtype');
  let rest = semicolon < 0 ? '' : text.slice(semicolon);
  const seen = new Set<string>();
  while (rest.trim() !== '' && rest.trim() !== ';') {
    const match = PARAMETER.exec(rest);
    if (match === null) return fault('invalid media parameter');
    const name = match[1]!.toLowerCase();
    if (seen.has(name)) return fault('duplicate parameter name');
    seen.add(name);
    rest = rest.slice(match[0].length);
  }
  return { mediaType, fault: undefined };
}
