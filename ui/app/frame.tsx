/**
 * What all pages share: skip link, navigation, choices of theme and time zone, and a notice when the server is away.
 */
import { ActionIcon, Alert, useMantineColorScheme, type MantineColorScheme } from '@mantine/core';
import type { ReactNode } from 'react';
import { Mark, MoonIcon, ScreenIcon, SunIcon } from './icons.tsx';
import { PageLink } from './link.tsx';
import { Notices } from './notices.tsx';
import type { ServerHealth } from './server-health.ts';
import { useSettings } from './settings.tsx';

const PAGES = [
  { to: '/', label: 'Home', paths: ['/'] },
  { to: '/query', label: 'Query', paths: ['/query', '/graph'] },
  { to: '/targets', label: 'Targets', paths: ['/targets', '/service-discovery'] },
  { to: '/status', label: 'Status', paths: ['/status', '/tsdb-status', '/flags', '/config'] },
] as const;

interface FrameProps {
  readonly path: string;
  readonly health: ServerHealth;
  readonly children: ReactNode;
}

export function Frame({ path, health, children }: FrameProps): ReactNode {
  return (
    <>
      <a className="skip-link" href="#content">
        Skip to content
      </a>
      <header className="frame-head">
        <PageLink to="/" className="brand" aria-label="Coeus, home">
          <Mark />
          <span className="brand-name">Coeus</span>
        </PageLink>
        <nav aria-label="Pages" className="nav">
          {PAGES.map(({ to, label, paths }) => {
            const isHere = (paths as readonly string[]).includes(path);
            return (
              <PageLink key={to} to={to} className="nav-link" {...(isHere ? { 'aria-current': 'page' as const } : {})}>
                {label}
              </PageLink>
            );
          })}
        </nav>
        <div className="frame-tools">
          <ZoneSwitch />
          <SchemeSwitch />
        </div>
      </header>
      {health === 'unreachable' && (
        <Alert className="frame-notice" color="red" variant="light" role="alert" title="The server can’t be reached">
          Trying again every second. What you see is from before.
        </Alert>
      )}
      {health === 'ready' && <Notices />}
      <main id="content" tabIndex={-1} className="content">
        {children}
      </main>
    </>
  );
}

function ZoneSwitch(): ReactNode {
  const { zone, setZone } = useSettings();
  const other = zone === 'utc' ? 'local' : 'utc';
  return (
    <button
      type="button"
      className="zone-switch"
      onClick={() => setZone(other)}
      aria-label={`Times are ${zone === 'utc' ? 'in UTC' : 'local'}. Switch to ${other === 'utc' ? 'UTC' : 'local time'}`}
      title={zone === 'utc' ? 'Times in UTC' : 'Times in your zone'}
    >
      {zone === 'utc' ? 'UTC' : 'Local'}
    </button>
  );
}

const NEXT_SCHEME: Readonly<Record<MantineColorScheme, MantineColorScheme>> = {
  auto: 'light',
  light: 'dark',
  dark: 'auto',
};
const SCHEME_NAMES: Readonly<Record<MantineColorScheme, string>> = {
  auto: 'as the system',
  light: 'light',
  dark: 'dark',
};

function SchemeSwitch(): ReactNode {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const next = NEXT_SCHEME[colorScheme];
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="lg"
      onClick={() => setColorScheme(next)}
      aria-label={`Theme: ${SCHEME_NAMES[colorScheme]}. Switch to ${SCHEME_NAMES[next]}`}
      title={`Theme: ${SCHEME_NAMES[colorScheme]}`}
    >
      {colorScheme === 'auto' ? <ScreenIcon /> : colorScheme === 'light' ? <SunIcon /> : <MoonIcon />}
    </ActionIcon>
  );
}
