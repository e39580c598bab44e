/** How the values are drawn. Stacked areas and bars add the lines up. */
export const DRAWINGS = ['lines', 'areas', 'stacked', 'bars'] as const;
export type Drawing = (typeof DRAWINGS)[number];

export const SCALES = ['linear', 'log'] as const;
export type Scale = (typeof SCALES)[number];

export interface ChartStyle {
  readonly drawing: Drawing;
  /** Not used by drawings that add lines up: a logarithmic stack would show wrong shares. */
  readonly scale: Scale;
}

export const DEFAULT_STYLE: ChartStyle = { drawing: 'lines', scale: 'linear' };

export function isStacked(drawing: Drawing): boolean {
  return drawing === 'stacked' || drawing === 'bars';
}

export function isLogarithmic({ drawing, scale }: ChartStyle): boolean {
  return scale === 'log' && !isStacked(drawing);
}
