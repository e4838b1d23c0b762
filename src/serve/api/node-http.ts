/**
 * Node's HTTP module, taken without `import`: importing it reads each of its exports, and one of those loads an HTTP client of 800 KB
 * that nothing here uses, which costs 60 ms of the start.
 */
const { createServer, STATUS_CODES } = process.getBuiltinModule('node:http');

export const createHttpServer = createServer;

/** The reason phrase of a status code, '' for one that is not registered. */
export const statusText = (status: number): string => STATUS_CODES[status] ?? '';
