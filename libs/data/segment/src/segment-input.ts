import { compareBytes } from '@tidemark/bytes';
import { DAY_MS, ID_BYTES } from '@tidemark/model';
import { PAGE_SLOTS_LIMIT } from '@tidemark/page';
import { assert } from '@tidemark/ports';
import { CUT_POINTS, DAY_HOURS, weightOf } from './day-cut.ts';
import { compareMetricKeys, type MetricKey } from './metric-key.ts';
import { METRIC_BYTES_LIMIT, TENANT_BYTES_LIMIT } from './segment-format.ts';
import type { SegmentSeries } from './segment-series.ts';

/** Points of a group at most, except for those of a single series: a writer has so many in memory. A sketch counts as many as its bytes. */
const GROUP_POINTS = DAY_HOURS * CUT_POINTS;

/** Series of one metric that follow each other. */
export interface SeriesGroup {
  readonly key: MetricKey;
  readonly series: readonly SegmentSeries[];
  /** Points that the series had when they were read. */
  readonly points: number;
}

/**
 * Reads series in the order of segments, ascending by tenant, metric, class and id, and gives them out in groups. After an error
 * every call throws it again: a segment that continued would lack the group in which it happened.
 */
export class SegmentInput {
  readonly #series: AsyncIterator<SegmentSeries> | Iterator<SegmentSeries>;
  readonly #dayStartMs: number;
  #next: SegmentSeries | undefined;
  #key: MetricKey | undefined;
  #isStarted = false;
  #failure: { readonly error: unknown } | undefined;

  /** Series of the UTC day `day`. Their arrays stay unchanged until the group after them is asked for. */
  constructor(series: AsyncIterable<SegmentSeries> | Iterable<SegmentSeries>, day: number) {
    this.#series = Symbol.asyncIterator in series ? series[Symbol.asyncIterator]() : series[Symbol.iterator]();
    this.#dayStartMs = day * DAY_MS;
  }

  /** True when no series is left. */
  async isDone(): Promise<boolean> {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (!this.#isStarted) await this.#read();
    return this.#next === undefined;
  }

  /** Ends the iteration of the series, also where some are left. */
  async close(): Promise<void> {
    await this.#series.return?.();
  }

  /** The next group; undefined at the end. */
  async group(): Promise<SeriesGroup | undefined> {
    if (await this.isDone()) return undefined;
    const key = this.#key;
    assert(key !== undefined, 'a series has a metric');
    const series: SegmentSeries[] = [];
    let weight = 0;
    let points = 0;
    while (this.#next !== undefined && this.#key === key && series.length < PAGE_SLOTS_LIMIT) {
      const own = this.#next.parts.reduce((sum, part) => sum + weightOf(part, 0, part.timesMs.length), 0);
      if (series.length > 0 && weight + own > GROUP_POINTS) break;
      series.push(this.#next);
      weight += own;
      points += this.#next.parts.reduce((sum, { timesMs }) => sum + timesMs.length, 0);
      await this.#read();
    }
    return { key, series, points };
  }

  async #read(): Promise<void> {
    this.#isStarted = true;
    const before = this.#next;
    try {
      const { done, value } = await this.#series.next();
      this.#next = done === true ? undefined : value;
      if (this.#next === undefined) return;
      checkParts(this.#next, this.#dayStartMs);
      this.#key = keyAfter(this.#next, before, this.#key);
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }
}

/** The key of a series: the same object as that of the series before, if it is of the same metric. */
function keyAfter(series: SegmentSeries, before: SegmentSeries | undefined, key: MetricKey | undefined): MetricKey {
  const { tenant, metric, seriesClass, id } = series;
  if (
    key !== undefined &&
    before?.metric === metric &&
    before.tenant === tenant &&
    before.seriesClass === seriesClass
  ) {
    assert(compareBytes(before.id, id) < 0, 'series ascend by their ids');
    return key;
  }
  const next = { tenant: Buffer.from(tenant), metric: Buffer.from(metric), seriesClass };
  assert(next.tenant.length <= TENANT_BYTES_LIMIT, `a tenant of ${next.tenant.length} bytes`);
  assert(next.metric.length <= METRIC_BYTES_LIMIT, `a metric of ${next.metric.length} bytes`);
  assert(key === undefined || compareMetricKeys(key, next) < 0, 'metrics ascend');
  return next;
}

function checkParts({ id, parts }: SegmentSeries, dayStartMs: number): void {
  assert(id.length === ID_BYTES, `an id has ${ID_BYTES} bytes`);
  assert(parts.length > 0, 'a series has points');
  parts.forEach(({ mapEpoch, timesMs, values, sketches }, i) => {
    const { length } = timesMs;
    assert(length > 0 && (values ?? sketches)?.length === length, 'a part has as many values as times');
    assert(timesMs[0] >= dayStartMs && timesMs[length - 1] < dayStartMs + DAY_MS, 'times are within the day');
    assert(isNonDescending(timesMs), 'times of a part do not descend');
    assert(i === 0 || parts[i - 1].mapEpoch < mapEpoch, 'map epochs ascend');
  });
}

function isNonDescending(timesMs: Float64Array): boolean {
  for (let i = 1; i < timesMs.length; i++) if (!(timesMs[i] >= timesMs[i - 1])) return false;
  return true;
}
