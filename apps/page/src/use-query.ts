import type { QueryAnswer } from './api/api-types.ts';
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
