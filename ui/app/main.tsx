/**
 * Starts the app in the page.
 */
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiFailure } from '../api/http.ts';
import { App } from './app.tsx';
import './mantine.css';
import { SettingsProvider } from './settings.tsx';
import './app.css';
import { colorSchemeManager, theme } from './theme.ts';

/** Answers that nobody looks at any more are let go soon: a moving clock asks a new question every few seconds. */
const UNUSED_ANSWER_MS = 10_000;
const MAX_RETRIES = 1;

const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      gcTime: UNUSED_ANSWER_MS,
      refetchOnWindowFocus: false,
      networkMode: 'always',
      // What the server refuses it will refuse again.
      retry: (failures, error) => failures < MAX_RETRIES && !(error instanceof ApiFailure),
    },
  },
});

const root = document.querySelector('#root');
if (!root) throw new Error('the page has no #root');
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" colorSchemeManager={colorSchemeManager}>
      <QueryClientProvider client={queryClient}>
        <SettingsProvider>
          <App />
        </SettingsProvider>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
