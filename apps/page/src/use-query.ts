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
  /** The range of the request. */
  readonly bounds: Bounds;
}

/** Runs a query over a range, repeatedly while the range follows the clock. An empty query sends no request. */
export function useQuery(query: string, range: TimeRange): Polled<Answered> {
  const { client, clock } = useServices();
  const ask = async (signal: AbortSignal): Promise<Answered> => {
    const bounds = boundsOf(range, clock.nowMs());
    return { query, answer: await client.query(query, bounds.fromMs, bounds.toMs, signal), bounds };
  };
  return usePolling(ask, query === '' ? undefined : `${printRange(range)} ${query}`, refreshMs(range));
}

/** Returns the time from which a graph is shaded; all of it when completeness is unknown. */
export function useIncompleteFrom(answer: QueryAnswer | undefined, intervalMs: number): IncompleteFrom {
  return useMemo(() => {
    if (answer === undefined) return Number.POSITIVE_INFINITY;
    return incompleteFromMs(answer.completeThroughMs, intervalMs) ?? 'unknown';
  }, [answer, intervalMs]);
}
