import { lineColour } from '../chart/palette.ts';
import type { Theme } from '../theme/theme.ts';

/** A sample of a line with the colour of the graph. */
export function Swatch({ theme, line }: { readonly theme: Theme; readonly line: number }) {
  return (
    <svg className="swatch" width="16" height="8" aria-hidden="true">
      <line x1="0" x2="16" y1="4" y2="4" stroke={lineColour(theme, line)} strokeWidth="3" />
    </svg>
  );
}
