/**
 * Routes beside the API: health, lifecycle, own metrics, federation, remote write, version.
 * Source: Prometheus, web (verified against 2.42; remote write's media types as in 3.x).
 */
import { errorMessage } from '../../core/base/errors.ts';
import type { Counter, MetricFamily } from '../../core/base/metrics.ts';
import { compileMatcher } from '../../core/model/matcher.ts';
import { choosePageFormat, encodePage, PAGE_CONTENT_TYPES } from '../../ingest/exposition/encode.ts';
import { bytesAnswer, emptyAnswer, textAnswer, textError, type Answer, type ApiRequest } from './answer.ts';
import { ApiError } from './backend.ts';
import { parsedSelector } from './query-routes.ts';
import { route, type Route, type RouteContext } from './server-options.ts';
import { httpStatus, toApiError } from './status.ts';

const FEDERATE_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const WRITE_TYPE = 'application/x-protobuf';
const WRITE_MESSAGE = 'prometheus.WriteRequest';

export function serviceRoutes(context: RouteContext): Route[] {
  const { options, backend } = context;
  const healthy = { GET: () => textAnswer(200, 'Prometheus Server is Healthy.\n'), HEAD: () => emptyAnswer(200) };
  const ready = { GET: () => textAnswer(200, 'Prometheus Server is Ready.\n'), HEAD: () => emptyAnswer(200) };
  const federationErrors = options.registry.counter(
    'prometheus_web_federation_errors_total',
    'Total number of errors that occurred while sending federation responses.',
  );
  federationErrors.add(0);
  const write = (request: ApiRequest): Promise<Answer> => remoteWrite(context, request);
  return [
    route('/-/healthy', healthy, { guarded: false }),
    route('/-/ready', ready),
    route(
      '/-/reload',
      lifecycle(context, () => reload(context)),
      { guarded: false },
    ),
    route(
      '/-/quit',
      lifecycle(context, () => quit(context)),
      { guarded: false },
    ),
    route('/version', { GET: () => textAnswer(200, JSON.stringify(options.buildInfo)) }),
    route('/metrics', { GET: (request) => metricsPage(request, () => backend.metrics()) }, { guarded: false }),
    route('/metrics/host', { GET: (request) => metricsPage(request, () => backend.hostMetrics()) }, { guarded: false }),
    route('/federate', { GET: (request) => federate(context, request, federationErrors) }),
    route('/api/v1/write', { POST: write }, { rawBody: true }),
  ];
}

function lifecycle({ options }: RouteContext, run: () => Answer | Promise<Answer>): Route['handlers'] {
  const forbidden = (): Answer => textAnswer(403, 'Lifecycle API is not enabled.');
  const wrongMethod = (): Answer => textAnswer(405, 'Only POST or PUT requests allowed');
  const change = options.enableLifecycle ? run : forbidden;
  return { GET: wrongMethod, POST: change, PUT: change };
}

async function reload({ backend }: RouteContext): Promise<Answer> {
  try {
    await backend.reload();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return textError(500, `failed to reload config: ${error.message}`);
  }
  return emptyAnswer(200);
}

function quit({ backend }: RouteContext): Answer {
  backend.quit();
  return textAnswer(200, 'Requesting termination... Goodbye!');
}

async function metricsPage(request: ApiRequest, read: () => Promise<MetricFamily[]>): Promise<Answer> {
  try {
    const format = choosePageFormat(request.header('accept'));
    return bytesAnswer(PAGE_CONTENT_TYPES[format], encodePage(await read(), format));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return textError(httpStatus(error.errorType), error.message);
  }
}

async function federate(
  { options, backend }: RouteContext,
  { params, signal }: ApiRequest,
  errors: Counter,
): Promise<Answer> {
  try {
    // A selector without matchers selects nothing here.
    const sets = params
      .all('match[]')
      .map((selector) => parsedSelector(selector))
      .filter((set) => set.length > 0);
    for (const matcher of sets.flat()) compileMatcher(matcher);
    if (sets.length === 0) return bytesAnswer(FEDERATE_TYPE, new Uint8Array(0));
    const timeMs = options.clock.nowMs();
    const externalLabels = backend.externalLabels();
    const pieces = await backend.query(
      { kind: 'federate', matcherSets: sets, timeMs, lookbackMs: options.lookbackMs, externalLabels },
      signal,
    );
    return bytesAnswer(FEDERATE_TYPE, pieces);
  } catch (error) {
    const apiError = toApiError(error);
    // What the caller got wrong is no error of the server's.
    if (apiError.errorType !== 'bad_data') errors.add(1);
    if (apiError.errorType === 'internal') options.logger.error('federation failed', { err: errorMessage(error) });
    return textError(httpStatus(apiError.errorType), apiError.message);
  }
}

async function remoteWrite({ options, backend }: RouteContext, request: ApiRequest): Promise<Answer> {
  if (!options.enableRemoteWriteReceiver) {
    return textError(404, 'remote write receiver needs to be enabled with --web.enable-remote-write-receiver');
  }
  const fault = writeMediaFault(request.header('content-type'), request.header('content-encoding'));
  if (fault !== undefined) return textError(415, fault);
  const { status, message } = await backend.remoteWrite(request.body);
  return status === 204 ? emptyAnswer(204) : textError(status, message);
}

/** Why a body of this type is not taken; undefined if it is. Missing headers mean version 1, as senders of old do. */
function writeMediaFault(contentType: string, contentEncoding: string): string | undefined {
  const [type = '', ...params] = contentType.split(';').map((part) => part.trim());
  if (type !== '' && type.toLowerCase() !== WRITE_TYPE)
    return `expected ${WRITE_TYPE} as the first (media) part, got ${contentType} content-type`;
  for (const param of params) {
    const [name, value] = param.split('=').map((word) => word.trim());
    if (name === 'proto' && value !== WRITE_MESSAGE)
      return `${value ?? ''} protobuf message is not accepted by this server; only accepts ${WRITE_MESSAGE}`;
  }
  if (contentEncoding !== '' && contentEncoding.toLowerCase() !== 'snappy') {
    return `${contentEncoding} encoding (compression) is not accepted by this server; only snappy is acceptable`;
  }
  return undefined;
}
