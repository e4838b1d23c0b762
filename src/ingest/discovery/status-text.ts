/**
 * Reason phrases of HTTP status codes. The module is taken without `import`, which would read all its exports, and one of those loads an
 * HTTP client of 800 KB.
 */
const { STATUS_CODES } = process.getBuiltinModule('node:http');

/** The reason phrase of a status code, '' for one that is not registered. */
export const statusText = (status: number): string => STATUS_CODES[status] ?? '';
