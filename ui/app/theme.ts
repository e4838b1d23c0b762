/**
 * The look: calm surfaces, system fonts, one accent.
 */
import { createTheme, localStorageColorSchemeManager } from '@mantine/core';

export const theme = createTheme({
  colors: {
    // Bluish greys instead of Mantine's neutral ones, to go with the page's own surfaces.
    dark: [
      '#d3d9e2',
      '#a2abb9',
      '#8a94a4',
      '#64707f',
      '#3c4452',
      '#2a303b',
      '#222834',
      '#1a1e26',
      '#15181f',
      '#12151b',
    ],
  },
  primaryColor: 'indigo',
  primaryShade: { light: 7, dark: 8 },
  autoContrast: true,
  defaultRadius: 'md',
  cursorType: 'pointer',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  headings: { fontWeight: '600' },
});

export const colorSchemeManager = localStorageColorSchemeManager({ key: 'coeus.color-scheme' });
