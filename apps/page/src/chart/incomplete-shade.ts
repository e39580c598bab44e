import type uPlot from 'uplot';
import type { IncompleteFrom } from '../series-table.ts';
import type { ChartColours } from './palette.ts';

/** Min width of the shade to have words in it, CSS pixels. */
const WORDS_WIDTH = 124;

/**
 * A uPlot plugin that hatches the background from `incompleteFrom()` on, and draws a line where it begins. Values there
 * are real, but more of them may come.
 */
export function incompleteShade(colours: ChartColours, incompleteFrom: () => IncompleteFrom): uPlot.Plugin {
  let hatch: CanvasPattern | null = null;
  return {
    hooks: {
      // Before the lines, which stay as strong as elsewhere.
      drawAxes: (u) => {
        const shade = shadeOf(u, incompleteFrom());
        if (shade === undefined) return;
        const { x, width } = shade;
        const { top, height } = u.bbox;
        hatch ??= u.ctx.createPattern(hatchTile(colours.tide, devicePixelRatio), 'repeat');
        u.ctx.save();
        u.ctx.globalAlpha = 0.12;
        u.ctx.fillStyle = colours.tide;
        u.ctx.fillRect(x, top, width, height);
        u.ctx.globalAlpha = 0.35;
        u.ctx.fillStyle = hatch ?? colours.tide;
        u.ctx.fillRect(x, top, width, height);
        u.ctx.restore();
      },
      draw: (u) => {
        const from = incompleteFrom();
        const shade = shadeOf(u, from);
        if (shade === undefined) return;
        const { x, width, hasEdge } = shade;
        const { top, height } = u.bbox;
        u.ctx.save();
        if (hasEdge) {
          u.ctx.fillStyle = colours.tide;
          u.ctx.fillRect(x, top, Math.max(1, Math.round(devicePixelRatio)), height);
        }
        if (width / devicePixelRatio >= WORDS_WIDTH) {
          const words = from === 'unknown' ? 'completeness unknown' : 'not complete yet';
          drawWords(u.ctx, words, x + width / 2, top + 8 * devicePixelRatio, colours);
        }
        u.ctx.restore();
      },
    },
  };
}

/** Where the shade is, canvas pixels; undefined when it is right of the graph. */
function shadeOf(u: uPlot, from: IncompleteFrom) {
  const { left, width } = u.bbox;
  const startX = from === 'unknown' ? left : u.valToPos(from / 1_000, 'x', true);
  const x = Math.round(Math.max(left, Math.min(startX, left + width)));
  const shaded = left + width - x;
  return shaded > 0 ? { x, width: shaded, hasEdge: startX > left } : undefined;
}

function drawWords(
  ctx: CanvasRenderingContext2D,
  words: string,
  x: number,
  y: number,
  { surface, tide }: ChartColours,
): void {
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'top';
  ctx.lineWidth = 4 * devicePixelRatio;
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
