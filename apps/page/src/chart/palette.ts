export type Theme = 'light' | 'dark';

/**
 * Colours of lines, in this order: neighbours stay apart for readers with colour-vision deficiencies, and each has a
 * contrast of 3:1 or near it against its surface. The ninth line begins again with the first colour, dashed.
 */
const LINES: Readonly<Record<Theme, readonly string[]>> = {
  light: ['#2a78d6', '#eb6834', '#1baf7a', '#b97d00', '#d4568d', '#008300', '#4a3aa7', '#e34948'],
  dark: ['#4a97ea', '#e8743f', '#27b083', '#d19a16', '#dd6a99', '#3aa53a', '#9b92ee', '#ec7372'],
};

export interface ChartColours {
  readonly surface: string;
  readonly grid: string;
  readonly axis: string;
  readonly tide: string;
}

export const CHART_COLOURS: Readonly<Record<Theme, ChartColours>> = {
  light: { surface: '#ffffff', grid: '#e9edf0', axis: '#5d6b76', tide: '#0b6e7f' },
  dark: { surface: '#161b20', grid: '#262e36', axis: '#93a1ad', tide: '#4fb7c9' },
};

export function lineColour(theme: Theme, line: number): string {
  return LINES[theme][line % LINES[theme].length];
}

/** Returns the canvas dash of a line, CSS pixels; empty for a solid line. */
export function lineDash(line: number): readonly number[] {
  return DASHES[Math.floor(line / LINES.light.length) % DASHES.length];
}

const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 3], [9, 3, 2, 3]];
