import type { Theme } from '../theme/theme.ts';

/**
 * Colours of lines, in this order: neighbours stay apart for readers with colour-vision deficiencies, and each has a
 * contrast of 3:1 or near it against its surface. The ninth line begins again with the first colour, in another shade:
 * dashes mean that a line may still change.
 */
const LINES: Readonly<Record<Theme, readonly string[]>> = {
  light: ['#2a78d6', '#eb6834', '#1baf7a', '#b97d00', '#d4568d', '#008300', '#4a3aa7', '#e34948'],
  dark: ['#4a97ea', '#e8743f', '#27b083', '#d19a16', '#dd6a99', '#3aa53a', '#9b92ee', '#ec7372'],
};

export interface ChartColours {
  readonly surface: string;
  readonly text: string;
  readonly grid: string;
  readonly axis: string;
  readonly tide: string;
}

export const CHART_COLOURS: Readonly<Record<Theme, ChartColours>> = {
  light: { surface: '#ffffff', text: '#14202a', grid: '#e9edf0', axis: '#5d6b76', tide: '#0b6e7f' },
  dark: { surface: '#161b20', text: '#e4eaee', grid: '#262e36', axis: '#93a1ad', tide: '#4fb7c9' },
};

/** Share of the text's colour in the lines of each further round through the colours. */
const SHADES: readonly number[] = [0, 0.45, 0.2, 0.65];

export function lineColour(theme: Theme, line: number): string {
  const colours = LINES[theme];
  const shade = SHADES[Math.floor(line / colours.length) % SHADES.length];
  return mixed(colours[line % colours.length], CHART_COLOURS[theme].text, shade);
}

/** Returns the colour of the area below a line that covers what is behind it. */
export function areaColour(theme: Theme, line: number, share: number): string {
  return mixed(CHART_COLOURS[theme].surface, lineColour(theme, line), share);
}

/** Mixes two colours `#rrggbb`; `share` is that of the second, 0 to 1. */
function mixed(first: string, second: string, share: number): string {
  const channel = (at: number): string => {
    const [a, b] = [first, second].map((colour) => Number.parseInt(colour.slice(at, at + 2), 16));
    return Math.round(a + (b - a) * share)
      .toString(16)
      .padStart(2, '0');
  };
  return `#${channel(1)}${channel(3)}${channel(5)}`;
}
