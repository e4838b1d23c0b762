/**
 * The Status pages: the process, its storage, its flags and its configuration.
 */
import type { ReactNode } from 'react';
import { usePageTitle } from '../app/page-title.ts';
import { PartNav } from '../app/part-nav.tsx';
import { ConfigStatus } from './config-status.tsx';
import { FlagStatus } from './flag-status.tsx';
import { RuntimeStatus } from './runtime-status.tsx';
import './status.css';
import { TsdbStatusView } from './tsdb-status-view.tsx';

const PARTS = [
  { path: '/status', label: 'Runtime', Part: RuntimeStatus },
  { path: '/tsdb-status', label: 'Storage', Part: TsdbStatusView },
  { path: '/flags', label: 'Flags', Part: FlagStatus },
  { path: '/config', label: 'Configuration', Part: ConfigStatus },
] as const;

export function StatusPage({ path }: { readonly path: string }): ReactNode {
  const { label, Part } = PARTS.find((part) => part.path === path) ?? PARTS[0];
  usePageTitle(label);
  return (
    <>
      <h1 className="page-title">Status</h1>
      <PartNav name="Parts of the status" parts={PARTS} path={path} />
      <Part />
    </>
  );
}
