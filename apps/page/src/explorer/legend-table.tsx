import { formatClock } from '../format/format-time.ts';
import { formatValue } from '../format/format-value.ts';
import type { SeriesTable } from '../series-table.ts';
import { useTheme } from '../theme/use-theme.ts';
import { Swatch } from '../ui/swatch.tsx';

export interface LegendTableProps {
  readonly table: SeriesTable;
  /** Row under the cursor. */
  readonly row: number | null;
  readonly hidden: ReadonlySet<string>;
  readonly onToggle: (key: string) => void;
}

/** One row of figures per line of the graph. A click on a name hides or shows its line. */
export function LegendTable({ table, row, hidden, onToggle }: LegendTableProps) {
  const theme = useTheme();
  const timeS = row === null ? undefined : table.timesS[row];
  return (
    <div className="table-frame legend-table">
      <table>
        <thead>
          <tr>
            <th scope="col">Series</th>
            {['Min', 'Avg', 'Max', 'Last'].map((name) => (
              <th scope="col" className="number" key={name}>
                {name}
              </th>
            ))}
            <th scope="col" className="number cursor-column">
              {timeS === undefined ? 'At cursor' : formatClock(timeS * 1_000)}
            </th>
          </tr>
        </thead>
        <tbody>
          {table.lines.map(({ key, label, unit, values, summary }, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: two expressions may have lines of one name
            <tr key={i} className={hidden.has(key) ? 'is-hidden' : ''}>
              <th scope="row">
                <button
                  type="button"
                  className="legend-button"
                  aria-pressed={!hidden.has(key)}
                  onClick={() => onToggle(key)}
                >
                  <Swatch theme={theme} line={i} />
                  <span>{label}</span>
                </button>
              </th>
              {[summary.min, summary.avg, summary.max, summary.last, row === null ? null : values[row]].map(
                (value, column) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: the columns are always these five
                  <td className="number" key={column}>
                    {formatValue(value, unit.name)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
