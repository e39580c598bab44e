import { useState } from 'react';
import { formatClock } from '../format/format-time.ts';
import { formatValue } from '../format/format-value.ts';
import type { SeriesTable } from '../series-table.ts';
import { useTheme } from '../theme/use-theme.ts';
import { Swatch } from '../ui/swatch.tsx';
import { type LegendOrder, nextOrder, sortedLegend } from './legend-order.ts';

const FIGURES = ['min', 'avg', 'max', 'last'] as const;
const NAMES = { label: 'Series', min: 'Min', avg: 'Avg', max: 'Max', last: 'Last' } as const;

export interface LegendTableProps {
  readonly table: SeriesTable;
  /** Row under the cursor. */
  readonly row: number | null;
  readonly hidden: ReadonlySet<string>;
  /** Shows a line alone; with `isOneMore`, hides or shows it only. */
  readonly onPick: (key: string, isOneMore: boolean) => void;
}

/**
 * One row of figures of complete steps per line of the graph. A click on a name shows its line alone, one with Ctrl, Meta
 * or Shift hides or shows it.
 */
export function LegendTable({ table, row, hidden, onPick }: LegendTableProps) {
  const theme = useTheme();
  const [order, setOrder] = useState<LegendOrder>({ by: 'avg', isDescending: true });
  const timeS = row === null ? undefined : table.timesS[row];
  return (
    <div className="table-frame legend-table">
      <table>
        <thead>
          <tr>
            {(['label', ...FIGURES] as const).map((by) => (
              <th
                scope="col"
                className={by === 'label' ? '' : 'number'}
                key={by}
                aria-sort={order.by !== by ? undefined : order.isDescending ? 'descending' : 'ascending'}
              >
                <button type="button" className="sort-button" onClick={() => setOrder(nextOrder(order, by))}>
                  {NAMES[by]}
                  {order.by === by && <span aria-hidden="true">{order.isDescending ? ' ↓' : ' ↑'}</span>}
                </button>
              </th>
            ))}
            <th scope="col" className="number cursor-column">
              {timeS === undefined ? 'At cursor' : formatClock(timeS * 1_000)}
            </th>
          </tr>
        </thead>
        <tbody>
          {sortedLegend(table.lines, order).map(({ line: { key, label, unit, values, summary }, at }) => (
            <tr key={at} className={hidden.has(key) ? 'is-hidden' : ''}>
              <th scope="row">
                <button
                  type="button"
                  className="legend-button"
                  title="click: show alone; Ctrl or Shift and click: hide or show"
                  aria-pressed={!hidden.has(key)}
                  onClick={(event) => onPick(key, event.ctrlKey || event.metaKey || event.shiftKey)}
                >
                  <Swatch theme={theme} line={at} />
                  <span>{label}</span>
                </button>
              </th>
              {FIGURES.map((figure) => (
                <td className="number" key={figure}>
                  {formatValue(summary[figure], unit.name)}
                </td>
              ))}
              <td className="number cursor-column">{formatValue(row === null ? null : values[row], unit.name)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
