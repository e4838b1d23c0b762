/**
 * Whether the server answers, and whether it is ready.
 */
import { useQuery } from '@tanstack/react-query';
import { askReady } from '../api/http.ts';

export type ServerHealth = 'unknown' | 'ready' | 'starting' | 'unreachable';

const CALM_PERIOD_MS = 5000;
const EAGER_PERIOD_MS = 1000;

export function useServerHealth(): ServerHealth {
  const { data, isError } = useQuery({
    queryKey: ['ready'],
    queryFn: ({ signal }) => askReady(signal),
    retry: false,
    refetchInterval: ({ state }) => (state.data === true && state.error === null ? CALM_PERIOD_MS : EAGER_PERIOD_MS),
  });
  if (isError) return 'unreachable';
  if (data === undefined) return 'unknown';
  return data ? 'ready' : 'starting';
}
