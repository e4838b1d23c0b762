/**
 * Queries that mean the same in Prometheus 2.42 and 3.14, over the series of the differential test. Left out: atan2, whose result keeps the
 * metric name in 2.42.
 */
const SELECTORS = ['requests_total', 'temperature', 'latency_seconds_bucket', '{job="api"}', '{job=~"a.*|web",__name__!="odd"}', 'temperature{instance!="b:1"}', 'requests_total{job!~"web"}', 'missing', '{job="db ünï",__name__="temperature"}', 'odd'];
const OVER_TIME = ['avg', 'min', 'max', 'sum', 'count', 'last', 'present', 'stddev', 'stdvar'];
const ROUND = ['abs', 'ceil', 'floor', 'exp', 'sqrt', 'ln', 'log2', 'log10', 'sgn', 'round', 'deg', 'rad', 'sin', 'cos', 'tan', 'atan', 'sinh', 'cosh', 'tanh', 'asinh'];
const AGGREGATIONS = ['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar'];
const GROUPINGS = ['', 'by (job)', 'without (instance)', 'by (job, instance)', 'by (nothing)', 'without (le, job)'];
const ARITHMETIC = ['+', '-', '*', '/', '%', '^'];
const COMPARISON = ['==', '!=', '>', '<', '>=', '<='];
const CALENDAR = ['minute', 'hour', 'day_of_week', 'day_of_month', 'day_of_year', 'days_in_month', 'month', 'year'];

const VECTORS = [
  ...SELECTORS,
  ...['rate', 'increase', 'irate', 'delta', 'idelta', 'deriv', 'changes', 'resets'].flatMap((f) => [`${f}(requests_total[5m])`, `${f}(temperature[90s])`, `${f}(odd[3m])`]),
  ...OVER_TIME.flatMap((f) => [`${f}_over_time(temperature[5m])`, `${f}_over_time(requests_total[1h])`]),
  ...['min', 'max', 'sum', 'count', 'last'].map((f) => `${f}_over_time(odd[2m])`),
  'quantile_over_time(0.9, temperature[10m])',
  'quantile_over_time(1.5, temperature[10m])',
  'predict_linear(temperature[10m], 600)',
  'absent(missing{job="x"})',
  'absent(requests_total)',
  'absent_over_time(missing{job="x",a=~"b"}[5m])',
  ...ROUND.map((f) => `${f}(temperature)`),
  'round(temperature, 0.5)',
  'clamp(temperature, 22, 25)',
  'clamp_min(temperature, 25)',
  'clamp_max(temperature, 25)',
  ...CALENDAR.flatMap((f) => [`${f}()`, `${f}(requests_total * 100000)`]),
  ...AGGREGATIONS.flatMap((op) => GROUPINGS.map((by) => `${op} ${by} (temperature)`)),
  ...AGGREGATIONS.map((op) => `${op} by (job) (rate(requests_total[5m]))`),
  'sum by (le) (rate(latency_seconds_bucket[5m]))',
  'topk(2, temperature)',
  'bottomk by (job) (1, temperature)',
  'topk(100, requests_total)',
  'quantile(0.5, temperature)',
  'quantile by (job) (0.25, temperature)',
  'count_values("v", round(temperature))',
  'count_values without (instance) ("v", round(temperature))',
  ...ARITHMETIC.flatMap((op) => [`temperature ${op} 3`, `3 ${op} temperature`, `temperature ${op} on (job, instance) requests_total`, `temperature ${op} ignoring (nothing) temperature`]),
  ...COMPARISON.flatMap((op) => [`temperature ${op} 25`, `25 ${op} temperature`, `temperature ${op} bool 25`, `temperature ${op} bool on (job, instance) requests_total`, `temperature ${op} on (job, instance) requests_total`]),
  'temperature * on (job) group_left (version) version_info',
  'version_info * on (job) group_right temperature',
  'temperature + on (job) version_info',
  'temperature + on (instance) temperature',
  'requests_total and on (job) version_info',
  'requests_total unless on (job) version_info',
  'temperature or requests_total',
  'temperature > 25 or requests_total > 1000',
  'requests_total / ignoring (le) group_right latency_seconds_bucket',
  '-temperature',
  '+temperature',
  'temperature offset 10m',
  'rate(requests_total[5m] offset 7m)',
  'temperature offset -5m',
  'max_over_time(rate(requests_total[2m])[10m:1m])',
  'avg_over_time((temperature > 25)[10m:30s])',
  'sum_over_time(temperature[10m:])',
  'min_over_time(sum(temperature)[20m:1m] offset 5m)',
  'histogram_quantile(0.9, sum by (le) (rate(latency_seconds_bucket[5m])))',
  'histogram_quantile(0.5, rate(latency_seconds_bucket[10m]))',
  'histogram_quantile(0.99, latency_seconds_bucket)',
  'histogram_quantile(-1, latency_seconds_bucket)',
  'label_replace(temperature, "host", "$1", "instance", "(.*):.*")',
  'label_replace(temperature, "job", "", "instance", "a.*")',
  'label_join(temperature, "both", "-", "job", "instance")',
  'timestamp(temperature)',
  'timestamp(temperature + 1)',
  'vector(7)',
  'vector(time())',
  'scalar(temperature{job="api",instance="a:1"})',
  'scalar(temperature)',
  'time() - timestamp(temperature)',
  'sum(temperature) / count(temperature)',
  'sum(rate(requests_total[5m])) by (job) / on (job) group_left sum(temperature) by (job)',
  'temperature @ end()',
  'rate(requests_total[5m] @ start())',
  'sum(temperature @ end() - temperature @ start())',
  '1 + 2 * 3 ^ 2 % 5',
  '1 == bool 1',
  'pi() * 2',
  'sort(temperature) + 0',
];

const WRONG = ['rate(temperature)', 'sum(', 'temperature + "a"', '{}', 'temperature[5m] + 1', 'unknown_function(temperature)', 'temperature{job=~"("}', 'label_replace(temperature, "a b", "$1", "job", "(")', 'topk("a", temperature)', '1 == 1'];

export const INSTANT_QUERIES: readonly string[] = [...VECTORS, ...WRONG, '"text"', 'temperature[2m]', 'requests_total[5m] offset 3m', 'sort_desc(temperature)'];
export const RANGE_QUERIES: readonly string[] = [...VECTORS, ...WRONG, 'temperature[2m]', '"text"'];
