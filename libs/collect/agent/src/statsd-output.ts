import { type AggregateOutput, METRIC_SUFFIXES, type ServiceCheck, type StatsdSeries } from '@tidemark/dogstatsd';
import { type Kind, type KindName, kindName, SERVICE_CHECK_STATUSES, serviceCheckMetric } from '@tidemark/model';
import type { Clock } from '@tidemark/ports';
import type { DDSketch } from '@tidemark/sketch';
import type { AgentSeries } from './agent-client.ts';
import type { HandleCache, RefusedSeries } from './handle-cache.ts';

/** Sends the aggregates of DogStatsD to the client. */
export class StatsdOutput implements AggregateOutput {
  readonly #handles: HandleCache;
  readonly #clock: Pick<Clock, 'wallMs'>;
  /** Handles by suffix. An entry ends with its series, which the aggregator removes. */
  readonly #bySeries = new WeakMap<StatsdSeries, (AgentSeries | RefusedSeries | undefined)[]>();
  #points = 0;

  constructor(handles: HandleCache, clock: Pick<Clock, 'wallMs'>) {
    this.#handles = handles;
    this.#clock = clock;
  }

  get points(): number {
    return this.#points;
  }

  point(series: StatsdSeries, suffix: number, kind: Kind, value: number, timestampMs: number): void {
    this.#record(this.#handle(series, suffix, kindName(kind)), value, timestampMs);
  }

  sketch(series: StatsdSeries, sketch: DDSketch, timestampMs: number): void {
    const handle = this.#handle(series, 0, 'distribution');
    if (handle === undefined) return;
    this.#points++;
    handle.recordSketch(sketch, timestampMs);
  }

  /** A service check is a gauge, as over HTTP. Without a time it has that of its receipt. */
  serviceCheck({ name, status, timestampMs = Math.floor(this.#clock.wallMs()), host, tags }: ServiceCheck): void {
    const all = host === undefined ? tags : [...tags, `host:${host}`];
    const handle = this.#handles.get(serviceCheckMetric(name), 'gauge', all);
    this.#record(handle, SERVICE_CHECK_STATUSES.indexOf(status), timestampMs);
  }

  #record(handle: AgentSeries | undefined, value: number, timestampMs: number): void {
    if (handle === undefined) return;
    this.#points++;
    handle.record(value, timestampMs);
  }

  #handle(series: StatsdSeries, suffix: number, kind: KindName): AgentSeries | undefined {
    let handles = this.#bySeries.get(series);
    if (handles === undefined) {
      handles = [];
      this.#bySeries.set(series, handles);
    }
    let handle = handles[suffix];
    if (handle === undefined || this.#handles.isOutdated(handle)) {
      handle = this.#handles.make(series.metric + METRIC_SUFFIXES[suffix], kind, series.tags);
      handles[suffix] = handle;
    }
    return this.#handles.forPoint(handle);
  }
}
