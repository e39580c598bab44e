import { useMemo, useState } from 'react';
import { Chart } from '../chart/chart.tsx';
import { type ChartStyle, DEFAULT_STYLE } from '../chart/chart-style.ts';
import { formatClock } from '../format/format-time.ts';
import { formatValue } from '../format/format-value.ts';
import { printRoute } from '../route.ts';
import { NO_TABLE, type SeriesTable, tableOf } from '../series-table.ts';
import { useTheme } from '../theme/use-theme.ts';
import { type Bounds, boundsOf, type TimeRange } from '../time-range.ts';
import { CompletenessLabel } from '../ui/completeness-label.tsx';
import { Swatch } from '../ui/swatch.tsx';
import { useQuery } from '../use-query.ts';
import { type HostPanel, PANEL_LINES, panelLabel, panelQuery } from './host-panels.ts';

const CHART_HEIGHT = 240;
const AREAS: ChartStyle = { drawing: 'areas', scale: 'linear' };

export interface PanelProps {
  readonly panel: HostPanel;
  readonly host: string;
  readonly range: TimeRange;
  readonly onZoom: (fromMs: number, toMs: number) => void;
}

/** One graph of the dashboard, with its own query, completeness and legend. */
export function Panel({ panel, host, range, onZoom }: PanelProps) {
  const query = panelQuery(panel, host);
  const polled = useQuery(query, range);
  const [row, setRow] = useState<number | null>(null);
  const answer = polled.data?.answer;
  const table = useMemo(
    () =>
      answer === undefined
        ? NO_TABLE
        : tableOf(answer, { labelOf: (one) => panelLabel(panel, one), limit: PANEL_LINES }),
    [answer, panel],
  );
  const [firstBounds] = useState<Bounds>(() => boundsOf(range, Date.now()));
  const bounds = polled.data?.bounds ?? firstBounds;
  const state = stateOf(polled.error?.message, answer !== undefined, table);

  return (
    <section className="card panel" aria-label={panel.title}>
      <header className="panel-head">
        <h2>
          <a
            href={printRoute({ view: 'explore', query, range, top: 20, style: DEFAULT_STYLE })}
            title="Open in the explorer"
          >
            {panel.title}
          </a>
        </h2>
        <CompletenessLabel
          completeThroughMs={answer?.completeThroughMs}
          isKnown={answer !== undefined}
          failingSinceMs={polled.failingSinceMs}
        />
      </header>
      <div className="chart-frame">
        <Chart
          label={`${panel.title}: ${table.lines.length} lines over time`}
          table={table}
          bounds={bounds}
          unit={table.lines[0]?.unit.name ?? panel.unit}
          height={CHART_HEIGHT}
          style={panel.filled ? AREAS : DEFAULT_STYLE}
          sync="dashboard"
          onCursor={setRow}
          onZoom={onZoom}
        />
        {state !== undefined && <p className="chart-state">{state}</p>}
      </div>
      <PanelLegend table={table} row={row} />
    </section>
  );
}

function stateOf(error: string | undefined, hasAnswer: boolean, table: SeriesTable): string | undefined {
  if (!hasAnswer) return error ?? 'loading…';
  return table.lines.some(({ values }) => values.some((value) => value !== null))
    ? undefined
    : 'no points in this range';
}

/** Shows the values under the cursor, or the newest values when the cursor is elsewhere. */
function PanelLegend({ table, row }: { readonly table: SeriesTable; readonly row: number | null }) {
  const theme = useTheme();
  const timeS = row === null ? undefined : table.timesS[row];
  return (
    <footer className="panel-legend">
      <ul>
        {table.lines.map((line, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other identity that is sure to be unique
          <li key={i}>
            <Swatch theme={theme} line={i} />
            <span className="legend-name">{line.label}</span>
            <span className="number">
              {formatValue(timeS === undefined || row === null ? line.summary.last : line.values[row], line.unit.name)}
            </span>
          </li>
        ))}
        {table.total > table.lines.length && <li className="hint">+{table.total - table.lines.length} more</li>}
      </ul>
      <span className="number hint legend-time">{timeS === undefined ? 'latest' : formatClock(timeS * 1_000)}</span>
    </footer>
  );
}
