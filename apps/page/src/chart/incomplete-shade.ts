import type uPlot from 'uplot';
import type { ChartColours } from './palette.ts';

/** Min width of the shade to have words in it, CSS pixels. */
const WORDS_WIDTH = 124;

/** Time from which a graph is not complete, ms; `unknown` shades all of it. */
export type IncompleteFrom = number | 'unknown';

/**
 * A uPlot plugin that dims what is drawn from `incompleteFrom()` on, hatches it, and draws a line where it begins.
 * Values there are real, but more of them may come.
 */
export function incompleteShade(colours: ChartColours, incompleteFrom: () => IncompleteFrom): uPlot.Plugin {
  let hatch: CanvasPattern | null = null;
  return {
    hooks: {
      draw: (u) => {
        const { left, top, width, height } = u.bbox;
        const from = incompleteFrom();
        const startX = from === 'unknown' ? left : u.valToPos(from / 1_000, 'x', true);
        const x = Math.round(Math.max(left, Math.min(startX, left + width)));
        const shaded = left + width - x;
        if (shaded <= 0) return;
        const ratio = devicePixelRatio;
        hatch ??= u.ctx.createPattern(hatchTile(colours.tide, ratio), 'repeat');
        u.ctx.save();
        u.ctx.globalAlpha = 0.55;
        u.ctx.fillStyle = colours.surface;
        u.ctx.fillRect(x, top, shaded, height);
        u.ctx.globalAlpha = 0.12;
        u.ctx.fillStyle = colours.tide;
        u.ctx.fillRect(x, top, shaded, height);
        u.ctx.globalAlpha = 0.35;
        u.ctx.fillStyle = hatch ?? colours.tide;
        u.ctx.fillRect(x, top, shaded, height);
        u.ctx.globalAlpha = 1;
        if (startX > left) {
          u.ctx.fillStyle = colours.tide;
          u.ctx.fillRect(x, top, Math.max(1, Math.round(ratio)), height);
        }
        if (shaded / ratio >= WORDS_WIDTH) {
          const words = from === 'unknown' ? 'completeness unknown' : 'not complete yet';
          drawWords(u.ctx, words, x + shaded / 2, top + 8 * ratio, ratio, colours);
        }
        u.ctx.restore();
      },
    },
  };
}

function drawWords(
  ctx: CanvasRenderingContext2D,
  words: string,
  x: number,
  y: number,
  ratio: number,
  { surface, tide }: ChartColours,
): void {
  ctx.font = `${11 * ratio}px system-ui, sans-serif`;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'top';
  ctx.lineWidth = 4 * ratio;
  ctx.strokeStyle = surface;
  ctx.strokeText(words, x, y);
  ctx.fillStyle = tide;
  ctx.fillText(words, x, y);
}

/** Diagonal lines, 7 CSS pixels apart. */
function hatchTile(colour: string, ratio: number): HTMLCanvasElement {
  const size = Math.max(4, Math.round(7 * ratio));
  const tile = document.createElement('canvas');
  tile.width = size;
  tile.height = size;
  const ctx = tile.getContext('2d');
  if (ctx === null) return tile;
  ctx.strokeStyle = colour;
  ctx.lineWidth = ratio;
  ctx.beginPath();
  // The corners belong to the neighbouring tiles' lines.
  for (const shift of [-size, 0, size]) {
    ctx.moveTo(shift - 1, size + 1);
    ctx.lineTo(shift + size + 1, -1);
  }
  ctx.stroke();
  return tile;
}
