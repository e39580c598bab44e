import { classOfKind, KIND, type MetricChange, seriesName } from '@tidemark/model';
import { isTidemarkError } from '@tidemark/ports';
import { unpackSketch } from '@tidemark/sketch';
import type { PointSink } from './point-sink.ts';

/** Records what it receives as text that is easy to compare: a point is `kind metric{tags} timeMs value`. */
export class RecordingSink implements PointSink {
  readonly points: string[] = [];
  readonly examples: string[] = [];
  /** What was said of metrics, in order. */
  readonly descriptions: (readonly [metric: string, change: MetricChange])[] = [];
  /** Reporting intervals that were stated, ms, by metric. */
  readonly intervalsMs = new Map<string, number>();
  readonly #refused = new Map<string, number>();
  readonly #names: (string | { readonly reason: string; readonly field: string; readonly limit: string })[] = [];

  /** Refusals as `points reason (field: limit)`, in the order of their first occurrence. */
  get refusals(): string[] {
    return [...this.#refused].map(([refusal, points]) => `${points} ${refusal}`);
  }

  series({ metric, kind, tags, intervalMs = 0 }: Parameters<PointSink['series']>[0]): number {
    if (intervalMs > 0) this.intervalsMs.set(metric, intervalMs);
    try {
      const name = seriesName('t', metric, classOfKind(KIND[kind]), tags);
      return this.#names.push(`${kind} ${metric}{${name.tags.join(',')}}`) - 1;
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      const { reason, field, limit } = error.detail;
      return this.#names.push({ reason: String(reason), field: String(field), limit: String(limit) }) - 1;
    }
  }

  describe(metric: string, change: MetricChange): void {
    this.descriptions.push([metric, change]);
  }

  isRefused(handle: number): boolean {
    return typeof this.#names[handle] !== 'string';
  }

  point(handle: number, timeMs: number, value: number): void {
    if (!Number.isSafeInteger(timeMs) || Number.isNaN(value)) throw new Error(`garbage: ${timeMs} ${value}`);
    const name = this.#names[handle];
    if (typeof name === 'string') this.points.push(`${name} ${timeMs} ${Object.is(value, -0) ? '-0' : value}`);
    else this.reject(name.reason, name.field, name.limit, 1);
  }

  /** A sketch is `distribution metric{tags} timeMs count min max sum`. */
  sketch(handle: number, timeMs: number, packed: Uint8Array): void {
    if (!Number.isSafeInteger(timeMs)) throw new Error(`garbage: ${timeMs}`);
    const { count, min, max, sum } = unpackSketch(packed);
    const name = this.#names[handle];
    if (typeof name === 'string') this.points.push(`${name} ${timeMs} ${count} ${min} ${max} ${sum}`);
    else this.reject(name.reason, name.field, name.limit, 1);
  }

  reject(reason: string, field: string, limit: string, points: number, example?: string): void {
    if (!(points > 0)) throw new Error(`${points} refused points`);
    if (example !== undefined) this.examples.push(example);
    const refusal = `${reason} (${field}: ${limit})`;
    this.#refused.set(refusal, (this.#refused.get(refusal) ?? 0) + points);
  }
}
