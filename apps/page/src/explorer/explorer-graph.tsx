import { printable } from '@tidemark/model/safe-text';
import { useCallback, useMemo, useState } from 'react';
import type { AnswerSeries } from '../api/api-types.ts';
import { Chart } from '../chart/chart.tsx';
import type { ChartStyle } from '../chart/chart-style.ts';
import { toCsv } from '../csv.ts';
import { labelOfSeries, NO_TABLE, tableOf } from '../series-table.ts';
import { boundsOf, type TimeRange } from '../time-range.ts';
import { CompletenessLabel } from '../ui/completeness-label.tsx';
import { AnswerNotices, Notice } from '../ui/notices.tsx';
import type { Polled } from '../use-polling.ts';
import type { Answered } from '../use-query.ts';
import { hiddenAfter } from './legend-order.ts';
import { LegendTable } from './legend-table.tsx';

const CHART_HEIGHT = 300;
const AREAS: ChartStyle = { drawing: 'areas', scale: 'linear' };

export interface ExplorerGraphProps {
  readonly query: string;
  readonly range: TimeRange;
  readonly top: number;
  readonly style: ChartStyle;
  readonly polled: Polled<Answered>;
  readonly onZoom: (fromMs: number, toMs: number) => void;
}

/** The graph of a query with its legend, completeness, errors and notes, and the CSV. */
export function ExplorerGraph({ query, range, top, style, polled, onZoom }: ExplorerGraphProps) {
  const [row, setRow] = useState<number | null>(null);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(() => new Set());
  const [firstBounds] = useState(() => boundsOf(range, Date.now()));
  // The answer to the previous query stays, dimmed, until the next answer or error arrives.
  const isOther = polled.data !== undefined && polled.data.query !== query;
  const answer = isOther && polled.error !== undefined ? undefined : polled.data?.answer;
  const table = useMemo(
    () => (answer === undefined ? NO_TABLE : tableOf(answer, { labelOf: labelsOf(answer.series), limit: top })),
    [answer, top],
  );
  const pick = useCallback(
    (key: string, isOneMore: boolean) => {
      const keys = table.lines.map((line) => line.key);
      setHidden((before) => hiddenAfter(keys, before, key, isOneMore));
    },
    [table],
  );
  const isEmpty = answer !== undefined && answer.series.length === 0;
  const save = (): void => saveAs(`tidemark-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.csv`, table);

  function saveAs(name: string, saved: typeof table): void {
    const url = URL.createObjectURL(new Blob([toCsv(saved)], { type: 'text/csv' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = name;
    link.click();
    URL.revokeObjectURL(url);
  }

  return (
    <section className="card" aria-label="Graph">
      <header className="panel-head">
        <span className="hint series-count">
          {table.total > table.lines.length
            ? `the highest ${table.lines.length} of ${table.total} series, by average`
            : `${table.total} series`}
        </span>
        <CompletenessLabel
          completeThroughMs={answer?.completeThroughMs}
          isKnown={answer !== undefined}
          failingSinceMs={polled.error?.kind === 'away' ? polled.failingSinceMs : undefined}
        />
        <button type="button" onClick={save} disabled={isOther || table.lines.length === 0}>
          Download CSV
        </button>
      </header>
      {polled.error?.kind === 'away' && <Notice level="error">{polled.error.message}; retrying.</Notice>}
      {answer !== undefined && <AnswerNotices answer={answer} />}
      <div className={`chart-frame ${isOther || polled.error?.kind === 'refused' ? 'is-stale' : ''}`}>
        <Chart
          label={`${query}: ${table.lines.length} lines over time`}
          table={table}
          bounds={polled.data?.bounds ?? firstBounds}
          unit={table.lines[0]?.unit.name ?? 'none'}
          height={CHART_HEIGHT}
          style={table.lines.length === 1 && style.drawing === 'lines' && style.scale === 'linear' ? AREAS : style}
          sync="explorer"
          hidden={hidden}
          onCursor={setRow}
          onZoom={onZoom}
        />
        {answer === undefined && polled.error === undefined && <p className="chart-state">loading…</p>}
        {isEmpty && <p className="chart-state">no matching series in this range</p>}
      </div>
      <LegendTable table={table} row={row} hidden={hidden} onPick={pick} />
      <p className="hint notes">{printable(answer?.notes.join(' · ') ?? '')}</p>
    </section>
  );
}

/** Returns the labels of lines. When an answer has several expressions, tags alone would not distinguish the lines. */
function labelsOf(series: readonly AnswerSeries[]): (series: AnswerSeries) => string {
  const isMixed = new Set(series.map(({ expression }) => expression)).size > 1;
  if (!isMixed) return labelOfSeries;
  return (one) =>
    one.tags.length === 0 ? labelOfSeries(one) : printable(`${one.expression} · ${one.tags.join(', ')}`);
}
