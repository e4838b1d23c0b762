/**
 * The browser's title follows the page.
 */
import { useEffect } from 'react';

export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Coeus`;
  }, [title]);
}
