/**
 * What this server can do, for clients that would otherwise guess from its version.
 *
 * Names are Prometheus' where it has one. What is missing may be left out: absent means false.
 * Source: Prometheus, HTTP API "Features".
 */
import { allSignatures } from '../../query/promql/parse/signatures.ts';
import type { RouteContext } from './server-options.ts';

type Features = Readonly<Record<string, Readonly<Record<string, boolean>>>>;

const OPERATORS =
  '!= !~ % * + - / < </ <= == =~ > >/ >= @ ^ and atan2 bool by group_left group_right ignoring offset on or unless without'.split(
    ' ',
  );
const AGGREGATIONS = 'avg bottomk count count_values group max min quantile stddev stdvar sum topk'.split(' ');
const EXPERIMENTAL_AGGREGATIONS = ['limit_ratio', 'limitk'];
const DISCOVERERS = ['dns', 'file', 'http', 'static'];

export function features({ options, backend }: RouteContext): Features {
  const { enableAdminApi, enableLifecycle, enableRemoteWriteReceiver, featureFlags } = options;
  const isExperimental = featureFlags.includes('promql-experimental-functions');
  return {
    api: {
      admin: enableAdminApi,
      exemplars: backend.exemplars !== undefined,
      federation: true,
      labels_matchers: true,
      lifecycle: enableLifecycle,
      openapi_3_1: true,
      openapi_3_2: true,
      query_post: true,
      query_stats: true,
      query_warnings: true,
      remote_write_receiver: enableRemoteWriteReceiver,
    },
    prometheus: { agent_mode: false, auto_reload_config: false },
    promql: {
      anchored: featureFlags.includes('promql-extended-range-selectors'),
      at_modifier: true,
      bool: true,
      delayed_name_removal: featureFlags.includes('promql-delayed-name-removal'),
      duration_expr: true,
      experimental_functions: isExperimental,
      negative_offset: true,
      per_query_lookback_delta: true,
      smoothed: featureFlags.includes('promql-extended-range-selectors'),
      subqueries: true,
    },
    promql_functions: Object.fromEntries(
      allSignatures().map(({ name, feature }) => [
        name,
        feature === null || (feature === 'experimentalFunctions' && isExperimental),
      ]),
    ),
    promql_operators: Object.fromEntries([
      ...[...OPERATORS, ...AGGREGATIONS].map((name) => [name, true] as const),
      ...EXPERIMENTAL_AGGREGATIONS.map((name) => [name, isExperimental] as const),
    ]),
    scrape: { extra_metrics: true },
    service_discovery_providers: Object.fromEntries(DISCOVERERS.map((name) => [name, true])),
  };
}
