/**
 * Where the server lives: the path below which pages and API are found, '' at the root.
 * The server writes it into the page's `coeus-prefix` meta element.
 */
const element = document.querySelector<HTMLMetaElement>('meta[name="coeus-prefix"]');

/** '' or `/some/path`, never with a slash at the end. */
export const routePrefix = (element?.content ?? '').replace(/\/+$/, '');
