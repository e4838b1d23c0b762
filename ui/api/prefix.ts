/**
 * Where the server lives: the path below which pages and API are found, '' at the root.
 * The server writes it into the page's `coeus-prefix` meta element.
 */
let known: string | undefined;

/** '' or `/some/path`, never with a slash at the end. */
export function routePrefix(): string {
  known ??= (document.querySelector<HTMLMetaElement>('meta[name="coeus-prefix"]')?.content ?? '').replace(/\/+$/, '');
  return known;
}
