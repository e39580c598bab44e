import { formatMoment } from '../format/format-time.ts';
import { formatValue } from '../format/format-value.ts';
import type { SeriesTable } from '../series-table.ts';
import { useTheme } from '../theme/use-theme.ts';
import { Swatch } from '../ui/swatch.tsx';
import type { ChartCursor } from './chart-options.ts';

/** Lines in a tooltip, the highest values first. */
const MOST_LINES = 10;
/** Distance from the cursor, CSS pixels. */
const DISTANCE = 14;

export interface ChartTooltipProps {
  readonly table: SeriesTable;
  readonly cursor: ChartCursor;
  readonly hidden: ReadonlySet<string>;
}

/** The values at the time under the cursor, on the side where there is more room. */
export function ChartTooltip({ table, cursor, hidden }: ChartTooltipProps) {
  const theme = useTheme();
  const { row, left, top, width } = cursor;
  const all = table.lines.flatMap((line, at) => {
    const value = line.values[row];
    return value === null || value === undefined || hidden.has(line.key) ? [] : [{ line, at, value }];
  });
  if (all.length === 0) return null;
  const shown = all.toSorted((a, b) => b.value - a.value).slice(0, MOST_LINES);
  const isIncomplete = all.some(({ line }) => row >= line.completeRows);
  const isLeft = left > width / 2;
  const side = isLeft ? { right: width - left + DISTANCE } : { left: left + DISTANCE };
  const room = (isLeft ? left : width - left) - 2 * DISTANCE;
  return (
    <div className="chart-tooltip" style={{ ...side, top: Math.max(0, top), maxWidth: room }} aria-hidden="true">
      <p className="number">
        {formatMoment(table.timesS[row] * 1_000, Date.now())}
        {isIncomplete && <span className="incomplete-mark"> not complete yet</span>}
      </p>
      <ul>
        {shown.map(({ line, at, value }) => (
          <li key={line.key}>
            <Swatch theme={theme} line={at} />
            <span className="tooltip-name">{line.label}</span>
            <span className="number">{formatValue(value, line.unit.name)}</span>
          </li>
        ))}
      </ul>
      {all.length > shown.length && <p className="hint">and {all.length - shown.length} more</p>}
    </div>
  );
}
