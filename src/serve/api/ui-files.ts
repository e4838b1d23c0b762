/**
 * The browser app: built files from one folder, read once, sent compressed as the build left them.
 *
 * Names of assets carry a hash of their content, so browsers keep them for good; the page itself is asked for each time.
 * The page learns the route prefix from its meta element, and its own links to files get the prefix here.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { redirect, textError, type Answer, type ApiRequest } from './answer.ts';
import { chooseEncoding } from './compression.ts';

/** Paths that show the app. */
export const UI_PAGES = [
  '/',
  '/query',
  '/alerts',
  '/targets',
  '/rules',
  '/service-discovery',
  '/status',
  '/tsdb-status',
  '/flags',
  '/config',
  '/alertmanager-discovery',
] as const;

const PAGE = 'index.html';
const PREFIX_META = '<meta name="coeus-prefix" content="">';
const TITLE = /<title>[^<]*<\/title>/;
/** Links to files of the build, absolute or relative; not those of other hosts. */
const FILE_LINK = /\b(src|href)="(?:\.?\/)(?!\/)/g;
/** Encodings of files in the order of preference, and the endings that the build gives them. */
const FILE_ENCODINGS = ['br', 'gzip'] as const;
const ENDINGS = { br: '.br', gzip: '.gz' } as const;
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

/** Styles are set inline by the component library; scripts never are. */
const CONTENT_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'self'",
].join('; ');
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': CONTENT_POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
  'referrer-policy': 'same-origin',
};

interface UiFile {
  readonly type: string;
  readonly body: Uint8Array;
  /** The same content, compressed, by encoding. */
  readonly compressed: Readonly<Partial<Record<(typeof FILE_ENCODINGS)[number], Uint8Array>>>;
}

export class UiFiles {
  readonly #files: ReadonlyMap<string, UiFile>;
  readonly #page: Uint8Array | undefined;
  readonly #routePrefix: string;

  /** Reads the folder; one that is missing makes an app that says so. */
  constructor(directory: string, { routePrefix, pageTitle }: { routePrefix: string; pageTitle: string }) {
    const files = readFiles(directory);
    this.#files = files;
    this.#routePrefix = routePrefix;
    const page = files.get(PAGE);
    this.#page = page && pageFor(page.body, escapeHtml(routePrefix), escapeHtml(pageTitle));
  }

  /** Paths of the files below the route prefix, without a slash in front; the page is not among them. */
  get paths(): string[] {
    return [...this.#files.keys()].filter((path) => path !== PAGE);
  }

  page(): Answer {
    if (!this.#page) return textError(404, 'The browser app is not built. Run "npm run build".');
    const headers = { ...SECURITY_HEADERS, 'content-type': TYPES['.html']!, 'cache-control': 'no-cache' };
    return { status: 200, headers, body: this.#page, compressible: true };
  }

  /** Old links and those in alerts: `/graph?g0.expr=…`. */
  graph({ queryString }: ApiRequest): Answer {
    return redirect(`${this.#routePrefix}/query${queryString === '' ? '' : `?${queryString}`}`);
  }

  file(path: string, request: ApiRequest): Answer {
    const file = this.#files.get(path);
    if (!file) return textError(404, '404 page not found');
    const lasting = path.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
    const headers = {
      ...SECURITY_HEADERS,
      'content-type': file.type,
      'cache-control': lasting,
      vary: 'Accept-Encoding',
    };
    const offered = FILE_ENCODINGS.filter((encoding) => file.compressed[encoding] !== undefined);
    const encoding = chooseEncoding(request.header('accept-encoding'), offered);
    const compressed = encoding && file.compressed[encoding];
    if (compressed)
      return {
        status: 200,
        headers: { ...headers, 'content-encoding': encoding },
        body: compressed,
        compressible: false,
      };
    return { status: 200, headers, body: file.body, compressible: false };
  }
}

function readFiles(directory: string): ReadonlyMap<string, UiFile> {
  const files = new Map<string, UiFile>();
  const paths = listFiles(directory);
  for (const path of paths) {
    const type = TYPES[extname(path)];
    if (type === undefined) continue;
    const compressed: Partial<Record<(typeof FILE_ENCODINGS)[number], Uint8Array>> = {};
    for (const encoding of FILE_ENCODINGS) {
      const sibling = path + ENDINGS[encoding];
      if (paths.has(sibling)) compressed[encoding] = readFileSync(join(directory, sibling));
    }
    files.set(path.split(sep).join('/'), { type, body: readFileSync(join(directory, path)), compressed });
  }
  return files;
}

function listFiles(directory: string): ReadonlySet<string> {
  try {
    const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
    return new Set(
      entries.filter((entry) => entry.isFile()).map((entry) => relative(directory, join(entry.parentPath, entry.name))),
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Set();
    throw error;
  }
}

/** @param prefix escaped for HTML, as is `title` */
function pageFor(page: Uint8Array, prefix: string, title: string): Uint8Array {
  const text = new TextDecoder()
    .decode(page)
    .replace(PREFIX_META, () => `<meta name="coeus-prefix" content="${prefix}">`)
    .replace(TITLE, () => `<title>${title}</title>`)
    .replace(FILE_LINK, (_, attribute: string) => `${attribute}="${prefix}/`);
  return new TextEncoder().encode(text);
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
