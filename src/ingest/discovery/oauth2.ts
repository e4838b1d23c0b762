/**
 * OAuth 2 access tokens for a client: fetched when first needed, kept until shortly before they expire, fetched once for
 * all requests that wait.
 *
 * Source: RFC 6749 §4.4 (client credentials), RFC 7523 §2.1 (JWT as grant).
 */
import { createSign, randomUUID } from 'node:crypto';
import type { Clock } from '../../core/base/clock.ts';
import { JWT_BEARER_GRANT, type OAuth2Config } from '../../core/model/http-client-config.ts';
import type { HttpClient, HttpResponse } from './http-client.ts';
import { readCredentialFile } from './http-transport.ts';

/** A token is renewed this long before it ends, so that it does not end on the way. */
const EXPIRY_MARGIN_MS = 10_000;
const TOKEN_TIMEOUT_MS = 30_000;
const JWT_LIFETIME_S = 3600;
/** Longest answer of a token endpoint. */
export const MAX_TOKEN_BYTES = 1_048_576;
const MAX_SHOWN_ANSWER = 300;

/** The token endpoint gave no token. */
export class OAuth2Error extends Error {
  override readonly name = 'OAuth2Error';
}

interface Token {
  readonly header: string;
  /** Milliseconds of the monotonic clock; Infinity where the server gave no lifetime. */
  readonly renewAtMs: number;
  /** The secret it was asked with; another secret asks anew. */
  readonly secret: string;
}

export class TokenSource {
  readonly #config: OAuth2Config;
  readonly #client: HttpClient;
  readonly #clock: Clock;
  #token: Token | null = null;
  #pending: Promise<Token> | null = null;
  /** Where the client's id and secret go; servers differ, so the first refusal tries the other place. */
  #secretInBody = false;

  constructor(config: OAuth2Config, client: HttpClient, clock: Clock) {
    this.#config = config;
    this.#client = client;
    this.#clock = clock;
  }

  /** The `Authorization` header. @throws OAuth2Error, CredentialFileError, or the signal's reason */
  async header(signal: AbortSignal): Promise<string> {
    const secret = await this.#secret();
    const token = this.#token;
    if (token !== null && token.secret === secret && this.#clock.monotonicMs() < token.renewAtMs) return token.header;
    // One request's end must not cut the fetch that others wait for, so it has a time limit of its own.
    this.#pending ??= this.#fetch(secret).finally(() => (this.#pending = null));
    this.#token = await untilAborted(this.#pending, signal);
    return this.#token.header;
  }

  async #secret(): Promise<string> {
    const { grantType, clientSecret, clientSecretFile, clientCertificateKey, clientCertificateKeyFile } = this.#config;
    if (grantType === JWT_BEARER_GRANT) {
      return clientCertificateKeyFile === ''
        ? clientCertificateKey
        : readCredentialFile(clientCertificateKeyFile, 'oauth2 client key file');
    }
    return clientSecretFile === ''
      ? clientSecret
      : (await readCredentialFile(clientSecretFile, 'oauth2 client secret file')).trim();
  }

  async #fetch(secret: string): Promise<Token> {
    if (this.#config.grantType === JWT_BEARER_GRANT)
      return this.#ask(secret, { assertion: this.#signedJwt(secret) }, {});
    if (!this.#secretInBody) {
      const pair = `${encodeURIComponent(this.#config.clientId)}:${encodeURIComponent(secret)}`;
      try {
        return await this.#ask(secret, {}, { authorization: `Basic ${Buffer.from(pair).toString('base64')}` });
      } catch (error) {
        if (!(error instanceof OAuth2Error)) throw error;
      }
    }
    const token = await this.#ask(secret, { client_id: this.#config.clientId, client_secret: secret }, {});
    this.#secretInBody = true;
    return token;
  }

  async #ask(secret: string, parameters: Record<string, string>, headers: Record<string, string>): Promise<Token> {
    const { grantType, scopes, endpointParams, tokenUrl } = this.#config;
    const form = new URLSearchParams({
      grant_type: grantType === '' ? 'client_credentials' : grantType,
      ...parameters,
    });
    if (scopes.length > 0 && grantType !== JWT_BEARER_GRANT) form.set('scope', scopes.join(' '));
    for (const [name, value] of endpointParams) form.set(name, value);
    const response = await this.#client.request({
      url: tokenUrl,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json', ...headers },
      body: form.toString(),
      signal: AbortSignal.timeout(TOKEN_TIMEOUT_MS),
      maxBodyBytes: MAX_TOKEN_BYTES,
    });
    const text = await readText(response);
    if (response.status < 200 || response.status > 299) {
      throw new OAuth2Error(
        `oauth2: cannot fetch token: ${response.status} ${response.statusText}: ${text.slice(0, MAX_SHOWN_ANSWER)}`,
      );
    }
    return { ...decodeToken(text, this.#clock.monotonicMs()), secret };
  }

  #signedJwt(key: string): string {
    const { clientId, clientCertificateKeyId, signatureAlgorithm, iss, audience, tokenUrl, scopes, claims } =
      this.#config;
    const algorithm = signatureAlgorithm === '' ? 'RS256' : signatureAlgorithm;
    const issuedAt = Math.floor(this.#clock.nowMs() / 1000);
    const head = {
      alg: algorithm,
      typ: 'JWT',
      ...(clientCertificateKeyId === '' ? {} : { kid: clientCertificateKeyId }),
    };
    const payload = {
      ...Object.fromEntries(claims),
      iss: iss === '' ? clientId : iss,
      aud: audience === '' ? tokenUrl : audience,
      iat: issuedAt,
      exp: issuedAt + JWT_LIFETIME_S,
      jti: randomUUID(),
      ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    };
    const signed = `${base64Json(head)}.${base64Json(payload)}`;
    try {
      return `${signed}.${createSign(`sha${algorithm.slice(2)}`)
        .update(signed)
        .sign(key, 'base64url')}`;
    } catch (cause) {
      throw new OAuth2Error(
        `oauth2: cannot sign with the client certificate key: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );
    }
  }
}

function decodeToken(text: string, nowMs: number): { header: string; renewAtMs: number } {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (cause) {
    throw new OAuth2Error(`oauth2: the token endpoint's answer is not JSON: ${text.slice(0, MAX_SHOWN_ANSWER)}`, {
      cause,
    });
  }
  const fields: Readonly<Record<string, unknown>> = typeof answer === 'object' && answer !== null ? { ...answer } : {};
  const { access_token: token, token_type: type, expires_in: lifetime } = fields;
  if (typeof token !== 'string' || token === '') throw new OAuth2Error('oauth2: server response missing access_token');
  // Some servers send the lifetime as text.
  const lifetimeS = typeof lifetime === 'number' || typeof lifetime === 'string' ? Number(lifetime) : 0;
  return {
    header: `${typeof type === 'string' && type.toLowerCase() !== 'bearer' && type !== '' ? type : 'Bearer'} ${token}`,
    renewAtMs: lifetimeS > 0 ? nowMs + lifetimeS * 1000 - EXPIRY_MARGIN_MS : Number.POSITIVE_INFINITY,
  };
}

async function readText(response: HttpResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

const base64Json = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
