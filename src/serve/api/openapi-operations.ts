/**
 * What the API offers, as data: operations with parameters and answers. A test holds it to the routes.
 */

type Schema = Readonly<Record<string, unknown>>;

export interface Operation {
  /** Below `/api/v1`; `{name}` for a part of it. */
  readonly path: string;
  readonly methods: readonly ('GET' | 'POST' | 'PUT')[];
  readonly tag: 'query' | 'metadata' | 'targets' | 'rules' | 'status' | 'admin' | 'receive' | 'about';
  readonly summary: string;
  /** Keys of `PARAMETERS`. */
  readonly params: readonly string[];
  readonly required?: readonly string[];
  /** Media type of a body that is no form. */
  readonly body?: string;
  /** Schema of `data`; or what the answer is instead of JSON. */
  readonly answer: Schema | 'nothing' | 'yaml' | 'events';
}

const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const listOf = (items: Schema): Schema => ({ type: 'array', items });
const mapOf = (values: Schema): Schema => ({ type: 'object', additionalProperties: values });
const object = (properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema => ({
  type: 'object',
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties,
});
const tuple = (...prefixItems: readonly Schema[]): Schema => ({
  type: 'array',
  prefixItems,
  minItems: prefixItems.length,
  maxItems: prefixItems.length,
});

const STRING: Schema = { type: 'string' };
const NUMBER: Schema = { type: 'number' };
const INTEGER: Schema = { type: 'integer' };
const BOOLEAN: Schema = { type: 'boolean' };
const DATE: Schema = { type: 'string', format: 'date-time' };
/** A float as text, since JSON has no NaN and no infinities. */
const FLOAT_TEXT: Schema = { type: 'string' };
const TIME: Schema = { oneOf: [DATE, NUMBER] };
const DURATION: Schema = { oneOf: [STRING, NUMBER] };
const COUNT: Schema = { type: 'integer', minimum: 0 };

export const PARAMETERS: Readonly<Record<string, { readonly description: string; readonly schema: Schema }>> = {
  query: { description: 'PromQL expression.', schema: STRING },
  time: { description: 'When to evaluate: RFC 3339 or unix seconds; now if absent.', schema: TIME },
  start: { description: 'First time: RFC 3339 or unix seconds.', schema: TIME },
  end: { description: 'Last time: RFC 3339 or unix seconds.', schema: TIME },
  step: { description: 'Between two evaluations: a duration or seconds.', schema: DURATION },
  timeout: { description: 'Longest evaluation: a duration or seconds; at most --query.timeout.', schema: DURATION },
  limit: { description: 'Most entries of the answer; 0 or absent for all.', schema: COUNT },
  lookback_delta: {
    description: 'How long a sample stays visible, instead of --query.lookback-delta.',
    schema: DURATION,
  },
  stats: { description: 'Statistics of the query where not empty.', schema: STRING },
  'match[]': { description: 'Series selector; may be repeated.', schema: listOf(STRING) },
  name: { description: 'Label name; names with other than classic characters as U__ and escapes.', schema: STRING },
  metric: { description: 'Only this metric.', schema: STRING },
  limit_per_metric: { description: 'Most entries for one metric.', schema: COUNT },
  match_target: { description: 'Selector over the labels of targets.', schema: STRING },
  state: { description: 'Which targets.', schema: { type: 'string', enum: ['active', 'dropped', 'any'] } },
  scrapePool: { description: 'Name of a scrape pool, which is its job_name.', schema: STRING },
  labels: {
    description: 'A JSON object of label values by name.',
    schema: { type: 'string', contentMediaType: 'application/json' },
  },
  type: { description: 'Only rules of this kind.', schema: { type: 'string', enum: ['alert', 'record'] } },
  metric_name_pattern: { description: 'Regular expression that the whole name matches.', schema: STRING },
  skip_head: { description: 'Leave out what is only in the head.', schema: BOOLEAN },
  openapi_version: { description: 'Version of this description.', schema: { type: 'string', enum: ['3.1', '3.2'] } },
};

const SERIES_PARAMS = ['match[]', 'start', 'end', 'limit'];

export const OPERATIONS: readonly Operation[] = [
  {
    path: '/query',
    methods: ['GET', 'POST'],
    tag: 'query',
    summary: 'Evaluate an expression at one time.',
    params: ['query', 'time', 'timeout', 'limit', 'lookback_delta', 'stats'],
    required: ['query'],
    answer: ref('QueryData'),
  },
  {
    path: '/query_range',
    methods: ['GET', 'POST'],
    tag: 'query',
    summary: 'Evaluate an expression at each step of a time range.',
    params: ['query', 'start', 'end', 'step', 'timeout', 'limit', 'lookback_delta', 'stats'],
    required: ['query', 'start', 'end', 'step'],
    answer: ref('QueryData'),
  },
  {
    path: '/query_exemplars',
    methods: ['GET', 'POST'],
    tag: 'query',
    summary: 'Exemplars of the series that the selectors of an expression select.',
    params: ['query', 'start', 'end'],
    required: ['query'],
    answer: listOf(ref('SeriesExemplars')),
  },
  {
    path: '/format_query',
    methods: ['GET', 'POST'],
    tag: 'query',
    summary: 'An expression, laid out for reading.',
    params: ['query'],
    required: ['query'],
    answer: STRING,
  },
  {
    path: '/parse_query',
    methods: ['GET', 'POST'],
    tag: 'query',
    summary: 'The syntax tree of an expression.',
    params: ['query'],
    required: ['query'],
    answer: object({ type: STRING }),
  },
  {
    path: '/series',
    methods: ['GET', 'POST'],
    tag: 'metadata',
    summary: 'Label sets of series.',
    params: SERIES_PARAMS,
    required: ['match[]'],
    answer: listOf(ref('Labels')),
  },
  {
    path: '/labels',
    methods: ['GET', 'POST'],
    tag: 'metadata',
    summary: 'Label names.',
    params: SERIES_PARAMS,
    answer: listOf(STRING),
  },
  {
    path: '/label/{name}/values',
    methods: ['GET'],
    tag: 'metadata',
    summary: 'Values of a label.',
    params: SERIES_PARAMS,
    answer: listOf(STRING),
  },
  {
    path: '/metadata',
    methods: ['GET'],
    tag: 'metadata',
    summary: 'Type, help and unit of metrics.',
    params: ['metric', 'limit', 'limit_per_metric'],
    answer: mapOf(listOf(object({ type: STRING, help: STRING, unit: STRING }))),
  },
  {
    path: '/targets',
    methods: ['GET'],
    tag: 'targets',
    summary: 'Targets and how their last scrapes went.',
    params: ['state', 'scrapePool'],
    answer: object({
      activeTargets: listOf(ref('Target')),
      droppedTargets: listOf(object({ discoveredLabels: ref('Labels'), scrapePool: STRING })),
      droppedTargetCounts: { oneOf: [mapOf(INTEGER), { type: 'null' }] },
    }),
  },
  {
    path: '/targets/metadata',
    methods: ['GET'],
    tag: 'targets',
    summary: 'Type, help and unit of metrics, by target.',
    params: ['match_target', 'metric', 'limit'],
    answer: listOf(
      object({ target: ref('Labels'), metric: STRING, type: STRING, help: STRING, unit: STRING }, ['metric']),
    ),
  },
  {
    path: '/targets/relabel_steps',
    methods: ['GET', 'POST'],
    tag: 'targets',
    summary: 'What each relabelling rule of a scrape pool makes of labels.',
    params: ['scrapePool', 'labels'],
    required: ['scrapePool', 'labels'],
    answer: object({ steps: listOf(object({ rule: { type: 'object' }, output: ref('Labels'), keep: BOOLEAN })) }),
  },
  {
    path: '/scrape_pools',
    methods: ['GET'],
    tag: 'targets',
    summary: 'Names of the scrape pools.',
    params: [],
    answer: object({ scrapePools: listOf(STRING) }),
  },
  {
    path: '/scrape_pools/config',
    methods: ['GET'],
    tag: 'targets',
    summary: 'The configuration of a scrape pool, secrets masked.',
    params: ['scrapePool'],
    required: ['scrapePool'],
    answer: object({ yaml: STRING }),
  },
  {
    path: '/rules',
    methods: ['GET'],
    tag: 'rules',
    summary: 'Rule groups.',
    params: ['type'],
    answer: object({ groups: listOf({ type: 'object' }) }),
  },
  {
    path: '/alerts',
    methods: ['GET'],
    tag: 'rules',
    summary: 'Active alerts.',
    params: [],
    answer: object({ alerts: listOf({ type: 'object' }) }),
  },
  {
    path: '/alertmanagers',
    methods: ['GET'],
    tag: 'rules',
    summary: 'Alertmanagers that alerts go to.',
    params: [],
    answer: object({
      activeAlertmanagers: listOf(object({ url: STRING })),
      droppedAlertmanagers: listOf(object({ url: STRING })),
    }),
  },
  {
    path: '/status/config',
    methods: ['GET'],
    tag: 'status',
    summary: 'The configuration in force, secrets masked.',
    params: [],
    answer: object({ yaml: STRING }),
  },
  {
    path: '/status/flags',
    methods: ['GET'],
    tag: 'status',
    summary: 'Command line flags with their values.',
    params: [],
    answer: mapOf(STRING),
  },
  {
    path: '/status/runtimeinfo',
    methods: ['GET'],
    tag: 'status',
    summary: 'The process: start, reload, retention.',
    params: [],
    answer: ref('RuntimeInfo'),
  },
  {
    path: '/status/buildinfo',
    methods: ['GET'],
    tag: 'status',
    summary: 'Versions.',
    params: [],
    answer: object({
      version: STRING,
      revision: STRING,
      branch: STRING,
      buildUser: STRING,
      buildDate: STRING,
      goVersion: STRING,
    }),
  },
  {
    path: '/status/tsdb',
    methods: ['GET'],
    tag: 'status',
    summary: 'What the head holds, and its largest labels.',
    params: ['limit'],
    answer: object({
      headStats: object({
        numSeries: INTEGER,
        numLabelPairs: INTEGER,
        chunkCount: INTEGER,
        minTime: INTEGER,
        maxTime: INTEGER,
      }),
      seriesCountByMetricName: listOf(ref('NamedCount')),
      labelValueCountByLabelName: listOf(ref('NamedCount')),
      memoryInBytesByLabelName: listOf(ref('NamedCount')),
      seriesCountByLabelValuePair: listOf(ref('NamedCount')),
    }),
  },
  {
    path: '/status/tsdb/blocks',
    methods: ['GET'],
    tag: 'status',
    summary: 'Blocks that are loaded.',
    params: [],
    answer: object({ blocks: listOf(ref('Block')) }),
  },
  {
    path: '/status/walreplay',
    methods: ['GET'],
    tag: 'status',
    summary: 'How far the replay of the log is; answers before the server is ready.',
    params: [],
    answer: object({ min: INTEGER, max: INTEGER, current: INTEGER }),
  },
  {
    path: '/status/self_metrics',
    methods: ['GET'],
    tag: 'status',
    summary: 'Own metrics.',
    params: ['metric_name_pattern'],
    answer: listOf(object({ name: STRING, help: STRING, type: STRING, metric: listOf({ type: 'object' }) })),
  },
  {
    path: '/features',
    methods: ['GET'],
    tag: 'about',
    summary: 'What this server can do, by area.',
    params: [],
    answer: mapOf(mapOf(BOOLEAN)),
  },
  {
    path: '/openapi.yaml',
    methods: ['GET'],
    tag: 'about',
    summary: 'This description.',
    params: ['openapi_version'],
    answer: 'yaml',
  },
  {
    path: '/notifications',
    methods: ['GET'],
    tag: 'about',
    summary: 'What users should know of the server now.',
    params: [],
    answer: listOf(ref('Notification')),
  },
  {
    path: '/notifications/live',
    methods: ['GET'],
    tag: 'about',
    summary: 'The same as server-sent events, as they come.',
    params: [],
    answer: 'events',
  },
  {
    path: '/admin/tsdb/delete_series',
    methods: ['POST', 'PUT'],
    tag: 'admin',
    summary: 'Delete samples of series in a time range.',
    params: ['match[]', 'start', 'end'],
    required: ['match[]'],
    answer: 'nothing',
  },
  {
    path: '/admin/tsdb/clean_tombstones',
    methods: ['POST', 'PUT'],
    tag: 'admin',
    summary: 'Free the space of what was deleted.',
    params: [],
    answer: 'nothing',
  },
  {
    path: '/admin/tsdb/snapshot',
    methods: ['POST', 'PUT'],
    tag: 'admin',
    summary: 'A copy of all data, below snapshots/.',
    params: ['skip_head'],
    answer: object({ name: STRING }),
  },
  {
    path: '/write',
    methods: ['POST'],
    tag: 'receive',
    summary: 'Remote write 1.0.',
    params: [],
    body: 'application/x-protobuf',
    answer: 'nothing',
  },
];

const HISTOGRAM = object(
  { count: FLOAT_TEXT, sum: FLOAT_TEXT, buckets: listOf(tuple(INTEGER, FLOAT_TEXT, FLOAT_TEXT, FLOAT_TEXT)) },
  ['buckets'],
);
const SAMPLE = tuple(NUMBER, FLOAT_TEXT);
const HISTOGRAM_SAMPLE = tuple(NUMBER, ref('Histogram'));
const stats = object({ timings: mapOf(NUMBER), samples: mapOf(INTEGER) });
const result = (resultType: string, schema: Schema): Schema =>
  object({ resultType: { type: 'string', const: resultType }, result: schema, stats }, ['stats']);

export const SCHEMAS: Readonly<Record<string, Schema>> = {
  Labels: mapOf(STRING),
  Histogram: HISTOGRAM,
  QueryData: {
    oneOf: [
      result('scalar', SAMPLE),
      result('string', tuple(NUMBER, STRING)),
      result(
        'vector',
        listOf(object({ metric: ref('Labels'), value: SAMPLE, histogram: HISTOGRAM_SAMPLE }, ['value', 'histogram'])),
      ),
      result(
        'matrix',
        listOf(
          object({ metric: ref('Labels'), values: listOf(SAMPLE), histograms: listOf(HISTOGRAM_SAMPLE) }, [
            'values',
            'histograms',
          ]),
        ),
      ),
    ],
  },
  SeriesExemplars: object({
    seriesLabels: ref('Labels'),
    exemplars: listOf(object({ labels: ref('Labels'), value: FLOAT_TEXT, timestamp: NUMBER })),
  }),
  Target: object({
    discoveredLabels: ref('Labels'),
    labels: ref('Labels'),
    scrapePool: STRING,
    scrapeUrl: STRING,
    globalUrl: STRING,
    lastError: STRING,
    lastScrape: DATE,
    lastScrapeDuration: NUMBER,
    health: { type: 'string', enum: ['up', 'down', 'unknown'] },
    scrapeInterval: STRING,
    scrapeTimeout: STRING,
  }),
  RuntimeInfo: object({
    startTime: DATE,
    CWD: STRING,
    hostname: STRING,
    serverTime: DATE,
    reloadConfigSuccess: BOOLEAN,
    lastConfigTime: DATE,
    corruptionCount: INTEGER,
    goroutineCount: INTEGER,
    GOMAXPROCS: INTEGER,
    GOMEMLIMIT: INTEGER,
    GOGC: STRING,
    GODEBUG: STRING,
    storageRetention: STRING,
  }),
  NamedCount: object({ name: STRING, value: INTEGER }),
  Block: object({
    ulid: STRING,
    minTime: INTEGER,
    maxTime: INTEGER,
    stats: object({ numSamples: INTEGER, numSeries: INTEGER, numChunks: INTEGER }, [
      'numSamples',
      'numSeries',
      'numChunks',
    ]),
    compaction: object({ level: INTEGER, sources: listOf(STRING) }, ['sources']),
    version: INTEGER,
  }),
  Notification: object({ text: STRING, date: DATE, active: BOOLEAN }),
};
