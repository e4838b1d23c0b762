/**
 * What the server wants its users to know, above every page.
 */
import { Alert } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { fetchNotifications } from '../api/server-status.ts';
import { useSettings } from './settings.tsx';
import { formatDateTime } from '../model/zone.ts';

const REFRESH_MS = 10_000;

export function Notices(): ReactNode {
  const { zone } = useSettings();
  // Servers before 3.0 tell none, and one that is away is told of elsewhere.
  const { data = [] } = useQuery({
    queryKey: ['notifications'],
    queryFn: ({ signal }) => fetchNotifications(signal),
    refetchInterval: REFRESH_MS,
    retry: false,
  });
  return data.map(({ text, dateMs }) => (
    <Alert key={text} className="frame-notice" color="yellow" variant="light" role="status" title={text}>
      Since {formatDateTime(dateMs, zone)}. The server’s log says more.
    </Alert>
  ));
}
