/**
 * Links between pages that don't load the app anew.
 */
import type { AnchorHTMLAttributes, MouseEvent, ReactNode } from 'react';
import { hrefOf, navigate } from './router.ts';

interface PageLinkProps extends Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'> {
  /** Path below the prefix. */
  readonly to: string;
  readonly children: ReactNode;
}

export function PageLink({ to, children, ...rest }: PageLinkProps): ReactNode {
  const follow = (event: MouseEvent): void => {
    // New tabs and windows are the browser's.
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    event.preventDefault();
    navigate(to);
    window.scrollTo(0, 0);
  };
  return (
    <a {...rest} href={hrefOf(to)} onClick={follow}>
      {children}
    </a>
  );
}
