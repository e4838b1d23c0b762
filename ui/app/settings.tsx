/**
 * Choices of the reader that outlive the page. The colour scheme is kept by Mantine.
 */
import { createContext, useCallback, useContext, useMemo, useState, type ReactNode } from 'react';
import type { Zone } from '../model/zone.ts';

interface Settings {
  readonly zone: Zone;
  readonly setZone: (zone: Zone) => void;
}

const ZONE_KEY = 'coeus.zone';
const SettingsContext = createContext<Settings | null>(null);

export function SettingsProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [zone, changeZone] = useState<Zone>(() => (readStored(ZONE_KEY) === 'utc' ? 'utc' : 'local'));
  const setZone = useCallback((next: Zone) => {
    changeZone(next);
    writeStored(ZONE_KEY, next);
  }, []);
  const settings = useMemo(() => ({ zone, setZone }), [zone, setZone]);
  return <SettingsContext value={settings}>{children}</SettingsContext>;
}

export function useSettings(): Settings {
  const settings = useContext(SettingsContext);
  if (!settings) throw new Error('settings are read outside their provider');
  return settings;
}

/** Storage may be switched off; then choices last as long as the page. */
export function readStored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}

export function writeStored(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}
