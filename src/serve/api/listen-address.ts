/**
 * `host:port` as flags name it: `127.0.0.1:9090`, `[::1]:9090`, `:9090` for all interfaces.
 */

/** @returns host '' for all interfaces; undefined if `text` is no address */
export function readListenAddress(text: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([\da-fA-F:.%\w]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  if (!match) return undefined;
  const port = Number(match[3]);
  return port > 65_535 ? undefined : { host: match[1] ?? match[2] ?? '', port };
}

/** For an address that was checked before. */
export function parseListenAddress(text: string): { host: string; port: number } {
  const address = readListenAddress(text);
  if (!address) throw new Error(`${text} is no listen address`);
  return address;
}
