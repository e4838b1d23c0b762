/**
 * What is shown while the server starts: how far it has read its write-ahead log.
 */
import { Progress } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { fetchReplayProgress, replayShare } from '../api/server-status.ts';
import { usePageTitle } from './page-title.ts';

const PERIOD_MS = 500;

export function StartPage(): ReactNode {
  usePageTitle('Starting');
  const { data } = useQuery({
    queryKey: ['replay'],
    queryFn: ({ signal }) => fetchReplayProgress(signal),
    refetchInterval: PERIOD_MS,
    retry: false,
  });
  const share = data === undefined ? null : replayShare(data);
  const percent = share === null ? null : Math.round(share * 100);
  return (
    <div className="start" data-testid="start-page">
      <h1 className="page-title">Starting</h1>
      <p className="page-about">
        Reading what was stored before the last stop. Pages open by themselves when that is done.
      </p>
      {data !== undefined && percent !== null && (
        <>
          <Progress value={percent} size="lg" aria-label="Write-ahead log read" />
          <p className="start-detail" role="status">
            {percent} % · segment {data.current} of {data.min} to {data.max}
          </p>
        </>
      )}
    </div>
  );
}
