/**
 * Pages by path, over the browser's history.
 */
import { useSyncExternalStore } from 'react';
import { routePrefix } from '../api/prefix.ts';

export interface Location {
  /** Below the route prefix: `/query`. */
  readonly path: string;
  /** With its question mark, or ''. */
  readonly search: string;
}

const listeners = new Set<() => void>();
let current = read();

addEventListener('popstate', announce);

/** @param to path below the prefix, with an optional search part */
export function navigate(to: string, { replace = false } = {}): void {
  const address = hrefOf(to);
  if (replace) history.replaceState(null, '', address);
  else history.pushState(null, '', address);
  announce();
}

/** The address of a page, for links. */
export function hrefOf(to: string): string {
  return routePrefix() + to;
}

export function useLocation(): Location {
  return useSyncExternalStore(subscribe, () => current);
}

function announce(): void {
  current = read();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function read(): Location {
  const { pathname, search } = window.location;
  const below = pathname.startsWith(routePrefix()) ? pathname.slice(routePrefix().length) : pathname;
  const path = below.replace(/\/+$/, '');
  return { path: path === '' ? '/' : path, search };
}
