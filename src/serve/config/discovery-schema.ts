/**
 * The `*_sd_configs` of a section: all of them together make its list of providers.
 *
 * Source: Prometheus, configuration "static_config", "file_sd_config", "http_sd_config", "dns_sd_config".
 */
import type {
  DnsSdConfig,
  FileSdConfig,
  HttpSdConfig,
  OtherSdConfig,
  SdConfig,
  StaticGroup,
  StaticSdConfig,
} from '../../ingest/discovery/sd-config.ts';
import { otherKinds } from './discovery-kinds.ts';
import { httpClientPart } from './http-client-schema.ts';
import {
  field,
  list,
  oneOf,
  INT,
  shownField,
  STRING,
  struct,
  type Part,
  type Plain,
  type Reader,
  type Type,
} from '../../core/model/yaml/schema.ts';
import { DURATION, LABELS, URL_TEXT, urlParts } from '../../core/model/yaml/values.ts';
import { PATH } from './path.ts';
import type { MappingEntry } from '../../core/model/yaml/yaml-node.ts';

const STATIC_GROUP = struct<StaticGroup>(
  'struct { Targets []string "yaml:\\"targets\\""; Labels model.LabelSet "yaml:\\"labels\\"" }',
  {
    targets: shownField('targets', list(STRING)),
    labels: field('labels', LABELS),
  },
);

/** Ends like a file of targets, with a star in the last element at most. */
const FILE_SD_PATTERN = /^[^*]*(?:\*[^/]*)?\.(?:json|yml|yaml|JSON|YML|YAML)$/;

const FILE_SD = struct<Omit<FileSdConfig, 'kind'>>(
  'file.plain',
  {
    files: shownField('files', list(PATH)),
    refreshIntervalMs: field('refresh_interval', DURATION, 5 * 60_000),
  },
  ({ files }, place) => {
    if (files.length === 0) place.fail('files', 'file service discovery config must contain at least one path name');
    for (const file of files) {
      if (!FILE_SD_PATTERN.test(file))
        place.fail('files', `path name ${JSON.stringify(file)} is not valid for file discovery`);
    }
  },
);

const HTTP_SD = struct<Omit<HttpSdConfig, 'kind'>>(
  'http.plain',
  {
    httpClient: httpClientPart(),
    refreshIntervalMs: field('refresh_interval', DURATION, 60_000),
    url: shownField('url', URL_TEXT),
  },
  ({ url }, place) => {
    if (url === '') place.fail('url', 'URL is missing');
    const { scheme, host } = urlParts(url);
    if (scheme !== 'http' && scheme !== 'https') place.fail('url', "URL scheme must be 'http' or 'https'");
    if (host === '') place.fail('url', 'host is missing in URL');
  },
);

const DNS_TYPE = oneOf(
  'string',
  ['SRV', 'A', 'AAAA', 'MX', 'NS'],
  'SRV',
  (text) => `invalid DNS-SD records type ${text}`,
);

const DNS_SD = struct<Omit<DnsSdConfig, 'kind'>>(
  'dns.plain',
  {
    names: shownField('names', list(STRING)),
    refreshIntervalMs: field('refresh_interval', DURATION, 30_000),
    type: shownField(
      'type',
      { ...DNS_TYPE, decode: (node, reader) => DNS_TYPE.decode(upperCased(node), reader) },
      'SRV',
    ),
    port: shownField('port', INT),
  },
  ({ names, type, port }, place) => {
    if (names.length === 0) place.fail('names', 'DNS-SD config must contain at least one SRV record name');
    if (type !== 'SRV' && port === 0)
      place.fail('port', 'a port is required in DNS-SD configs for all record types except SRV');
  },
);

function upperCased<T extends { kind: string }>(node: T): T {
  return 'text' in node && typeof node.text === 'string' ? { ...node, text: node.text.toUpperCase() } : node;
}

/** One `*_sd_configs` key: how its list is read, and how the providers of its kind are printed. */
interface Kind {
  readonly key: string;
  read(entry: MappingEntry, reader: Reader): readonly SdConfig[];
  print(configs: readonly SdConfig[]): readonly Plain[];
}

const STATIC_KIND: Kind = {
  key: 'static_configs',
  read(entry, reader) {
    const groups = reader.decode(
      list(STATIC_GROUP, { goName: '[]*targetgroup.Group', nullItem: 'empty or null section in static_configs' }),
      entry.value,
    );
    return groups.length === 0 ? [] : [{ kind: 'static', groups }];
  },
  print: (configs) =>
    configs
      .filter((config) => config.kind === 'static')
      .flatMap(({ groups }: StaticSdConfig) => groups.map((group) => STATIC_GROUP.encode(group))),
};

function kindOf<T extends object>(
  name: string,
  type: Type<T>,
  wrap: (options: T) => SdConfig,
  unwrap: (config: SdConfig) => T | null,
): Kind {
  const key = `${name}_sd_configs`;
  const items = list(type, { goName: `[]*${name}.SDConfig`, nullItem: `empty or null section in ${key}` });
  return {
    key,
    read: (entry, reader) =>
      reader.decode(items, entry.value).map((options) => {
        const config = wrap(options);
        reader.setPlace(config, reader.placeOf(options));
        return config;
      }),
    print: (configs) =>
      configs
        .map(unwrap)
        .filter((options) => options !== null)
        .map((options) => type.encode(options)),
  };
}

const KINDS: readonly Kind[] = [
  kindOf(
    'dns',
    DNS_SD,
    (options) => ({ kind: 'dns', ...options }),
    (config) => (config.kind === 'dns' ? config : null),
  ),
  kindOf(
    'file',
    FILE_SD,
    (options) => ({ kind: 'file', ...options }),
    (config) => (config.kind === 'file' ? config : null),
  ),
  kindOf(
    'http',
    HTTP_SD,
    (options) => ({ kind: 'http', ...options }),
    (config) => (config.kind === 'http' ? config : null),
  ),
  ...[...otherKinds].map(([name, type]) =>
    kindOf(
      name,
      type,
      (options): OtherSdConfig => ({ kind: 'other', name, options }),
      (config) => (config.kind === 'other' && config.name === name ? config.options : null),
    ),
  ),
  STATIC_KIND,
].sort((a, b) => (a.key < b.key ? -1 : 1));

/** All discovery keys of a section. */
export const DISCOVERY: Part<readonly SdConfig[]> = {
  keys: KINDS.map(({ key }) => key),
  decode(entries, reader) {
    return KINDS.flatMap((kind) => {
      const entry = entries.get(kind.key);
      return entry === undefined ? [] : reader.within(`.${kind.key}`, () => kind.read(entry, reader));
    });
  },
  encode(configs) {
    const printed = KINDS.map((kind): readonly [string, readonly Plain[]] => [kind.key, kind.print(configs)]);
    return printed.filter(([, items]) => items.length > 0);
  },
  isZero: (configs) => configs.length === 0,
};
