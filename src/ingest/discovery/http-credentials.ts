/**
 * The headers that prove who asks: basic auth, a token, an OAuth 2 token, and the configured further headers.
 *
 * Secrets in files are read for each request, so that rotating them needs no reload.
 */
import type { Clock } from '../../core/base/clock.ts';
import type {
  Authorization,
  BasicAuth,
  HttpClientConfig,
  HttpHeaderConfig,
} from '../../core/model/http-client-config.ts';
import type { HttpClient } from './http-client.ts';
import { readCredentialFile } from './http-transport.ts';
import { TokenSource } from './oauth2.ts';

export class CredentialSource {
  readonly #config: HttpClientConfig;
  readonly #tokens: TokenSource | null;

  /** @param tokenClient fetches OAuth 2 tokens; null exactly where the configuration has no oauth2 */
  constructor(config: HttpClientConfig, tokenClient: HttpClient | null, clock: Clock) {
    this.#config = config;
    this.#tokens =
      config.oauth2 === null || tokenClient === null ? null : new TokenSource(config.oauth2, tokenClient, clock);
  }

  /** Header names in lower case. @throws CredentialFileError, OAuth2Error */
  async headers(signal: AbortSignal): Promise<Record<string, string | string[]>> {
    const { basicAuth, authorization, httpHeaders } = this.#config;
    const headers: Record<string, string | string[]> = {};
    for (const [name, header] of httpHeaders) headers[name.toLowerCase()] = await headerValues(header);
    if (basicAuth !== null) headers['authorization'] = await basicHeader(basicAuth);
    else if (authorization !== null) headers['authorization'] = await authorizationHeader(authorization);
    else if (this.#tokens !== null) headers['authorization'] = await this.#tokens.header(signal);
    return headers;
  }
}

async function headerValues(header: HttpHeaderConfig): Promise<string[]> {
  const fromFiles = await Promise.all(
    header.files.map(async (file) => (await readCredentialFile(file, 'headers file')).trim()),
  );
  return [...header.values, ...header.secrets, ...fromFiles];
}

async function basicHeader(auth: BasicAuth): Promise<string> {
  const username =
    auth.usernameFile === ''
      ? auth.username
      : (await readCredentialFile(auth.usernameFile, 'basic auth username file')).trim();
  const password =
    auth.passwordFile === ''
      ? auth.password
      : (await readCredentialFile(auth.passwordFile, 'basic auth password file')).trim();
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

async function authorizationHeader(authorization: Authorization): Promise<string> {
  const { type, credentials, credentialsFile } = authorization;
  const secret =
    credentialsFile === ''
      ? credentials
      : (await readCredentialFile(credentialsFile, 'authorization credentials file')).trim();
  return `${type === '' ? 'Bearer' : type} ${secret}`;
}
