/**
 * The OpenAPI description of the API, made from the table of its operations.
 *
 * 3.1 by default, since more tools read it; 3.2 also describes the stream of notifications, which 3.1 has no words for.
 */
import { dump } from 'js-yaml';
import { textAnswer, type Answer, type ApiRequest } from './answer.ts';
import { ApiError } from './backend.ts';
import { OPERATIONS, PARAMETERS, SCHEMAS, type Operation } from './openapi-operations.ts';
import { route, type Route, type RouteContext } from './server-options.ts';
import { COEUS_VERSION } from './version.ts';

const VERSIONS = { '': '3.1.0', '3.1': '3.1.0', '3.2': '3.2.0' } as const;

export function openapiRoutes({ options }: RouteContext): Route[] {
  return [
    route('/api/v1/openapi.yaml', { GET: (request) => openapi(request, options.externalUrl) }, { guarded: false }),
  ];
}

function openapi({ params }: ApiRequest, externalUrl: URL): Answer {
  const asked = params.get('openapi_version');
  if (asked !== '' && asked !== '3.1' && asked !== '3.2')
    throw new ApiError('bad_data', `invalid parameter "openapi_version": ${asked} is not 3.1 or 3.2`);
  const server = `${externalUrl.href.replace(/\/$/, '')}/api/v1`;
  const yaml = dump(openapiDocument(VERSIONS[asked], server), { lineWidth: -1, noRefs: true, seqNoIndent: true });
  return { ...textAnswer(200, yaml, { 'content-type': 'application/yaml; charset=utf-8' }), compressible: true };
}

export function openapiDocument(version: (typeof VERSIONS)[keyof typeof VERSIONS], server: string): object {
  const shown = OPERATIONS.filter(({ answer }) => answer !== 'events' || version === '3.2.0');
  const paths: Record<string, object> = {};
  for (const operation of shown) paths[operation.path] = pathItem(operation);
  return {
    openapi: version,
    info: {
      title: 'Coeus HTTP API',
      description: 'The HTTP API of Prometheus 3, as Coeus answers it.',
      version: COEUS_VERSION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: server }],
    tags: [...new Set(shown.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: { schemas: { ...SCHEMAS, Error: ERROR } },
  };
}

function pathItem(operation: Operation): object {
  const inPath = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => parameter(name!, operation, 'path'));
  const methods = operation.methods.map((method) => {
    const isForm = method !== 'GET';
    return [
      method.toLowerCase(),
      {
        operationId: `${method.toLowerCase()}${operation.path.replaceAll(/[^a-z]+(.)?/g, (_, next?: string) => (next ?? '').toUpperCase())}`,
        summary: operation.summary,
        tags: [operation.tag],
        ...(isForm ? {} : { parameters: operation.params.map((name) => parameter(name, operation, 'query')) }),
        ...(isForm ? requestBody(operation) : {}),
        responses: responses(operation),
      },
    ];
  });
  return { ...(inPath.length > 0 ? { parameters: inPath } : {}), ...Object.fromEntries(methods) };
}

function parameter(name: string, { required = [] }: Operation, place: 'path' | 'query'): object {
  const { description, schema } = PARAMETERS[name]!;
  return { name, in: place, required: place === 'path' || required.includes(name), description, schema };
}

function requestBody({ params, required = [], body }: Operation): object {
  if (body !== undefined) return { requestBody: { required: true, content: { [body]: { schema: {} } } } };
  if (params.length === 0) return {};
  const properties = Object.fromEntries(params.map((name) => [name, fieldSchema(name)]));
  const schema = { type: 'object', properties, ...(required.length > 0 ? { required } : {}) };
  const content = { 'application/x-www-form-urlencoded': { schema }, 'multipart/form-data': { schema } };
  return { requestBody: { required: required.length > 0, content } };
}

function fieldSchema(name: string): object {
  const { description, schema } = PARAMETERS[name]!;
  return { ...schema, description };
}

function responses({ answer, summary }: Operation): object {
  const failure = {
    description: 'The request can not be answered.',
    content: { 'application/json': { schema: refTo('Error') } },
  };
  return { ...success(answer, summary), default: failure };
}

function success(answer: Operation['answer'], description: string): object {
  switch (answer) {
    case 'nothing':
      return { 204: { description } };
    case 'yaml':
      return { 200: { description, content: { 'application/yaml': { schema: { type: 'string' } } } } };
    case 'events': {
      const itemSchema = {
        type: 'object',
        properties: {
          data: { type: 'string', contentMediaType: 'application/json', contentSchema: refTo('Notification') },
        },
      };
      return {
        200: { description, content: { 'text/event-stream': { itemSchema } } },
        204: { description: 'Too many listen already.' },
      };
    }
    default:
      return { 200: { description, content: { 'application/json': { schema: envelope(answer) } } } };
  }
}

function envelope(data: object): object {
  return {
    type: 'object',
    required: ['status', 'data'],
    properties: {
      status: { type: 'string', const: 'success' },
      data,
      warnings: { type: 'array', items: { type: 'string' } },
      infos: { type: 'array', items: { type: 'string' } },
    },
  };
}

const refTo = (name: string): object => ({ $ref: `#/components/schemas/${name}` });

const ERROR = {
  type: 'object',
  required: ['status', 'errorType', 'error'],
  properties: {
    status: { type: 'string', const: 'error' },
    errorType: {
      type: 'string',
      enum: ['bad_data', 'execution', 'canceled', 'timeout', 'internal', 'unavailable', 'not_found', 'not_acceptable'],
    },
    error: { type: 'string' },
  },
};
