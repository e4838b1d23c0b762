/**
 * Long lists that grow as their end comes into view, so that ten thousand rows cost as much as those that are seen.
 */
import { useEffect, useRef, useState, type RefObject } from 'react';

const BATCH = 200;
/** The next rows are made before the reader gets there. */
const AHEAD = '1200px';

export interface GrowingList<T extends Element> {
  /** How many of the rows to show. */
  readonly shownCount: number;
  /** Goes on the element after the last row. */
  readonly end: RefObject<T | null>;
}

/** @param resetKey the list begins anew where this changes */
export function useGrowingList<T extends Element>(rowCount: number, resetKey: unknown): GrowingList<T> {
  const [grown, setGrown] = useState({ resetKey, count: BATCH });
  const end = useRef<T>(null);
  const count = grown.resetKey === resetKey ? grown.count : BATCH;
  const hasMore = count < rowCount;
  useEffect(() => {
    const element = end.current;
    if (!hasMore || !element) return undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) setGrown({ resetKey, count: count + BATCH });
      },
      { rootMargin: AHEAD },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [hasMore, count, resetKey]);
  return { shownCount: Math.min(count, rowCount), end };
}
