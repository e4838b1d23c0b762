/**
 * Which clients a TLS server lets in by their certificates, in Go's policies.
 *
 * Node itself knows only "verify, or turn away"; the others are decided here once the handshake is done.
 * Source: Go, crypto/tls ClientAuthType; exporter-toolkit, client_allowed_sans.
 */
import { isIPv6 } from 'node:net';
import { isCertRequired, type ClientAuthType } from '../config/web-config.ts';
import type { TlsSettings } from '../config/load-web-config.ts';

/** What the handshake found out; part of a `TLSSocket`. */
export interface Handshake {
  readonly authorized: boolean;
  readonly authorizationError: Error | string | null;
  getPeerX509Certificate(): { readonly subjectAltName: string | undefined } | undefined;
}

/** Options of Node's servers for a policy: whether to ask, and whether a client that can't be verified fails the handshake. */
export function clientAuthOptions(type: ClientAuthType): {
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
} {
  return {
    requestCert: type !== '' && type !== 'NoClientCert',
    rejectUnauthorized: type === 'RequireAndVerifyClientCert',
  };
}

/** Why the client is turned away, or null. */
export function clientFault(handshake: Handshake, { clientAuthType, clientAllowedSans }: TlsSettings): string | null {
  if (!clientAuthOptions(clientAuthType).requestCert) return null;
  const certificate = handshake.getPeerX509Certificate();
  if (certificate === undefined)
    return isCertRequired(clientAuthType) ? "tls: client didn't provide a certificate" : null;
  if (clientAuthType === 'VerifyClientCertIfGiven' && !handshake.authorized)
    return `tls: failed to verify certificate: ${String(handshake.authorizationError)}`;
  if (clientAllowedSans.length === 0) return null;
  const names = alternativeNames(certificate.subjectAltName ?? '');
  const isAllowed = clientAllowedSans.some((allowed) => names.has(canonical(allowed)));
  return isAllowed ? null : 'could not find allowed SANs in client cert';
}

/** Names of `DNS:a, IP Address:0:0:0:0:0:0:0:1, email:…`, quoted ones as JSON, which is how Node shows a certificate's. */
function alternativeNames(text: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [, quoted, plain] of text.matchAll(
    /(?:^|, )(?:DNS|IP Address|email|URI):(?:("(?:[^"\\]|\\.)*")|([^,]*))/g,
  )) {
    names.add(canonical(quoted === undefined ? (plain ?? '') : String(JSON.parse(quoted))));
  }
  return names;
}

/** An IPv6 address in its shortest form, all else as it is. */
function canonical(name: string): string {
  return isIPv6(name) ? new URL(`http://[${name}]`).hostname : name;
}
