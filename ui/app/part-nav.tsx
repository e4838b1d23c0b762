/**
 * Links between pages that are parts of one.
 */
import type { ReactNode } from 'react';
import { PageLink } from './link.tsx';

interface PartNavProps {
  /** For those who don't see it. */
  readonly name: string;
  readonly parts: readonly { readonly path: string; readonly label: string }[];
  /** The part that is open. */
  readonly path: string;
}

export function PartNav({ name, parts, path }: PartNavProps): ReactNode {
  return (
    <nav className="part-nav" aria-label={name}>
      {parts.map((part) => (
        <PageLink
          key={part.path}
          to={part.path}
          className="nav-link"
          {...(part.path === path ? { 'aria-current': 'page' as const } : {})}
        >
          {part.label}
        </PageLink>
      ))}
    </nav>
  );
}
