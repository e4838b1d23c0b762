/**
 * One answer of the server, or why it is not there.
 */
import { Alert } from '@mantine/core';
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';

export function useStatus<T>(
  name: string,
  ask: (signal: AbortSignal) => Promise<T>,
  refreshMs: number | false,
): UseQueryResult<T> {
  return useQuery({ queryKey: ['status', name], queryFn: ({ signal }) => ask(signal), refetchInterval: refreshMs });
}

export function StatusFault({ error }: { readonly error: Error | null }): ReactNode {
  if (error === null) return null;
  return (
    <Alert color="red" variant="light" role="alert" title="The server did not tell">
      {error.message}
    </Alert>
  );
}
