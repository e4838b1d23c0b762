/**
 * The browser's title: the page's name before the server's title, which an operator may choose.
 */
import { useEffect } from 'react';

let serverTitle: string | undefined;

export function usePageTitle(title: string): void {
  useEffect(() => {
    serverTitle ??= document.title;
    document.title = `${title} · ${serverTitle}`;
  }, [title]);
}
