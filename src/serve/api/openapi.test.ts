import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from 'js-yaml';
import { FakeBackend, fakeOptions } from './_fake-backend.ts';
import { OPERATIONS, PARAMETERS, SCHEMAS } from './openapi-operations.ts';
import { allRoutes } from './routes.ts';
import { createServer } from './server.ts';

type Document = Readonly<Record<string, Readonly<Record<string, Record<string, unknown>>>>>;

const server = createServer(fakeOptions(), new FakeBackend());
async function document(query = ''): Promise<Document> {
  const response = await server.inject(`/api/v1/openapi.yaml${query}`);
  assert.equal(response.headers['content-type'], 'application/yaml; charset=utf-8');
  return load(response.body) as Document;
}

test('it describes each route of the API and no other', () => {
  const routes = allRoutes({ options: fakeOptions(), backend: new FakeBackend() });
  const served = routes
    .filter(({ path }) => path.startsWith('/api/v1/'))
    .map(({ path, handlers }) => {
      // `DELETE /series` only says that it is not implemented.
      const methods = Object.keys(handlers).filter((method) => method !== 'DELETE');
      return `${path.slice('/api/v1'.length).replace(/:(\w+)/, '{$1}')} ${methods.sort().join(' ')}`;
    });
  const described = OPERATIONS.map(({ path, methods }) => `${path} ${methods.toSorted().join(' ')}`);
  assert.deepEqual(described.sort(), served.sort());
});

test('every parameter is used and known', () => {
  const used = OPERATIONS.flatMap(({ path, params }) => [
    ...params,
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!),
  ]);
  assert.deepEqual([...new Set(used)].sort(), Object.keys(PARAMETERS).sort());
  for (const { path, params, required = [] } of OPERATIONS)
    assert.deepEqual(
      required.filter((name) => !params.includes(name)),
      [],
      path,
    );
});

test('every schema that is referred to is there, and every one is used', async () => {
  const text = JSON.stringify(await document());
  const referred = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name!);
  // 3.1 leaves out the stream of notifications, but not their list.
  assert.deepEqual([...new Set(referred)].sort(), [...Object.keys(SCHEMAS), 'Error'].sort());
});

test('versions', async () => {
  const [first, second] = [await document(), await document('?openapi_version=3.2')];
  assert.deepEqual([first['openapi'], second['openapi']], ['3.1.0', '3.2.0']);
  assert.deepEqual(await document('?openapi_version=3.1'), first);
  const paths = (of: Document): string[] => Object.keys(of['paths']!);
  assert.deepEqual(
    paths(second).filter((path) => !paths(first).includes(path)),
    ['/notifications/live'],
  );
  const response = await server.inject('/api/v1/openapi.yaml?openapi_version=2');
  assert.equal(response.statusCode, 400);
});

test('names of operations are distinct, and forms stand beside queries', async () => {
  const { paths, servers } = await document();
  assert.deepEqual(servers, [{ url: 'http://vm:19390/api/v1' }]);
  const operations = Object.values(paths!).flatMap((item) =>
    Object.values(item).filter((value) => !Array.isArray(value)),
  );
  const names = operations.map((operation) => (operation as { operationId: string }).operationId);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.includes('getLabelNameValues') && names.includes('putAdminTsdbCleanTombstones'), names.join(' '));
  assert.deepEqual(
    Object.keys((paths!['/query']!['post'] as { requestBody: { content: object } }).requestBody.content),
    ['application/x-www-form-urlencoded', 'multipart/form-data'],
  );
});
