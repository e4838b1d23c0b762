/**
 * Colours of series: told apart by people with any colour vision and by contrast with the page, light or dark.
 */

export type Scheme = 'light' | 'dark';

const PALETTE: Readonly<Record<Scheme, readonly string[]>> = {
  light: ['#2a63d6', '#0a8f7f', '#d0670a', '#8a4fd8', '#c92f50', '#4d8a1f', '#b8429b', '#8f6d00', '#0b83ad', '#69727d'],
  dark: ['#7aabff', '#3fcbb3', '#ffad5c', '#b893ff', '#ff7d8e', '#8fd46a', '#ef8fd2', '#dfbf4f', '#5fcdf0', '#a3adb8'],
};

/** After the palette come hues a golden angle apart, which never fall close to the ones just before. */
export function seriesColor(index: number, scheme: Scheme): string {
  const palette = PALETTE[scheme];
  const fixed = palette[index];
  if (fixed !== undefined) return fixed;
  const hue = Math.round((index * 137.508) % 360);
  return scheme === 'dark' ? `hsl(${hue} 70% 68%)` : `hsl(${hue} 65% 40%)`;
}

export interface ChartInk {
  readonly text: string;
  readonly grid: string;
}

export const CHART_INK: Readonly<Record<Scheme, ChartInk>> = {
  light: { text: '#5a6370', grid: 'rgba(30, 41, 59, 0.09)' },
  dark: { text: '#9aa4b2', grid: 'rgba(226, 232, 240, 0.09)' },
};

/** `color` with `alpha` between 0 and 1, for fills. */
export function withAlpha(color: string, alpha: number): string {
  if (color.startsWith('#')) {
    const byte = Math.round(alpha * 255);
    return color + byte.toString(16).padStart(2, '0');
  }
  return color.replace(')', ` / ${alpha})`);
}
