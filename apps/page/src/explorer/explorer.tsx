import { useState } from 'react';
import type { ChartStyle } from '../chart/chart-style.ts';
import { TOP_CHOICES } from '../route.ts';
import { useServices } from '../services.ts';
import { betweenRange, type TimeRange } from '../time-range.ts';
import { NoMetricYet } from '../ui/notices.tsx';
import { RangePicker } from '../ui/range-picker.tsx';
import { useQuery } from '../use-query.ts';
import { ExplorerGraph } from './explorer-graph.tsx';
import { MetricMeanings } from './metric-meanings.tsx';
import { QueryBuilder } from './query-builder.tsx';
import { QueryEditor } from './query-editor.tsx';
import { StylePicker } from './style-picker.tsx';
import { useMetricList } from './use-suggestions.ts';

export interface ExplorerState {
  readonly query: string;
  readonly range: TimeRange;
  readonly top: number;
  readonly style: ChartStyle;
}

export interface ExplorerProps extends ExplorerState {
  readonly onChange: (change: Partial<ExplorerState>) => void;
}

/** One query and its graph. The address has all of its state. */
export function Explorer({ query, range, top, style, onChange }: ExplorerProps) {
  const { clock } = useServices();
  const polled = useQuery(query, range);
  const listed = useMetricList();
  const [liveRange, setLiveRange] = useState<TimeRange>({ type: 'last', seconds: 900 });
  const run = (text: string): void => onChange({ query: text });
  const setRange = (chosen: TimeRange): void => {
    if (range.type === 'last') setLiveRange(range);
    onChange({ range: chosen });
  };
  const zoom = (fromMs: number, toMs: number): void => {
    const chosen = betweenRange(fromMs, toMs);
    if (chosen !== undefined) setRange(chosen);
  };

  return (
    <main className="page">
      <div className="toolbar">
        <h1>Explorer</h1>
        <span className="spring" />
        <label className="inline-field">
          Top
          <select value={top} onChange={(event) => onChange({ top: Number(event.target.value) })}>
            {TOP_CHOICES.map((choice) => (
              <option key={choice}>{choice}</option>
            ))}
          </select>
          series
        </label>
        <StylePicker style={style} onChange={(chosen) => onChange({ style: chosen })} />
        {range.type === 'between' && (
          <button type="button" onClick={() => onChange({ range: liveRange })}>
            Back to live
          </button>
        )}
        <RangePicker range={range} nowMs={clock.nowMs()} onChange={setRange} />
      </div>
      <section className="card query-card" aria-label="Query">
        <QueryBuilder query={query} listed={listed} onRun={run} />
        <QueryEditor query={query} listed={listed} error={polled.error} onRun={run} />
        <MetricMeanings query={query} />
      </section>
      {query === '' ? (
        listed?.metrics.length === 0 ? (
          <NoMetricYet />
        ) : (
          <div className="empty">
            <h2>Choose a metric</h2>
            <p>Search for a part of its name, or type a query.</p>
          </div>
        )
      ) : (
        <ExplorerGraph query={query} range={range} top={top} style={style} polled={polled} onZoom={zoom} />
      )}
    </main>
  );
}
