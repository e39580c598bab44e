import { useMemo } from 'react';
import type { QueryAnswer } from './api/api-types.ts';
import type { IncompleteFrom } from './chart/incomplete-shade.ts';
import { incompleteFromMs } from './series-table.ts';
import { useServices } from './services.ts';
import { type Bounds, boundsOf, printRange, refreshMs, type TimeRange } from './time-range.ts';
import { type Polled, usePolling } from './use-polling.ts';

export interface Answered {
  readonly query: string;
  readonly answer: QueryAnswer;
  /** The range that was asked for. */
  readonly bounds: Bounds;
}

/** Asks a query over a range, again and again while the range follows the clock. An empty query asks nothing. */
export function useQuery(query: string, range: TimeRange): Polled<Answered> {
  const { client, clock } = useServices();
  const ask = async (signal: AbortSignal): Promise<Answered> => {
    const bounds = boundsOf(range, clock.nowMs());
    return { query, answer: await client.query(query, bounds.fromMs, bounds.toMs, signal), bounds };
  };
  return usePolling(ask, query === '' ? undefined : `${printRange(range)} ${query}`, refreshMs(range));
}

/** From where the graph of an answer is shaded; with nothing known to be complete, all of it. */
export function useIncompleteFrom(answer: QueryAnswer | undefined, intervalMs: number): IncompleteFrom {
  return useMemo(() => {
    if (answer === undefined) return Number.POSITIVE_INFINITY;
    return incompleteFromMs(answer.completeThroughMs, intervalMs) ?? 'unknown';
  }, [answer, intervalMs]);
}
