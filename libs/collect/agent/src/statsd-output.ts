import { type AggregateOutput, METRIC_SUFFIXES, type StatsdSeries } from '@tidemark/dogstatsd';
import { type Kind, type KindName, kindName } from '@tidemark/model';
import type { DDSketch } from '@tidemark/sketch';
import type { AgentSeries } from './agent-client.ts';
import type { HandleCache } from './handle-cache.ts';

/** Sends the aggregates of DogStatsD to the client. */
export class StatsdOutput implements AggregateOutput {
  readonly #handles: HandleCache;
  /** Handles by suffix; null where the client refused. An entry ends with its series, which the aggregator removes. */
  readonly #bySeries = new WeakMap<StatsdSeries, (AgentSeries | null | undefined)[]>();
  #points = 0;
  #refused = 0;

  constructor(handles: HandleCache) {
    this.#handles = handles;
  }

  get points(): number {
    return this.#points;
  }

  /** Points of series that the client refused. */
  get refused(): number {
    return this.#refused;
  }

  point(series: StatsdSeries, suffix: number, kind: Kind, value: number, timestampMs: number): void {
    const handle = this.#handle(series, suffix, kindName(kind));
    if (handle === null) {
      this.#refused++;
      return;
    }
    this.#points++;
    handle.record(value, timestampMs);
  }

  sketch(series: StatsdSeries, sketch: DDSketch, timestampMs: number): void {
    const handle = this.#handle(series, 0, 'distribution');
    if (handle === null) {
      this.#refused++;
      return;
    }
    this.#points++;
    handle.recordSketch(sketch, timestampMs);
  }

  #handle(series: StatsdSeries, suffix: number, kind: KindName): AgentSeries | null {
    let handles = this.#bySeries.get(series);
    if (handles === undefined) {
      handles = [];
      this.#bySeries.set(series, handles);
    }
    let handle = handles[suffix];
    if (handle === undefined) {
      handle = this.#handles.make(series.metric + METRIC_SUFFIXES[suffix], kind, series.tags) ?? null;
      handles[suffix] = handle;
    }
    return handle;
  }
}
