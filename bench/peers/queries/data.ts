import { ByteWriter } from '@tidemark/bytes';
import { compressSync } from 'snappy';
import { METRICS } from '../../data/hosts.ts';
import { labelFields, labelledMetric, WIDE_METRIC, wideLabelFields } from '../../data/labelled-series.ts';
import { SeriesValues } from '../../data/series-values.ts';
import { appendSample, appendSeries } from '../../remote-write/encode.ts';

export const HOSTS = 1000;
export const START_MS = Date.UTC(2026, 10, 1);
export const STEP_MS = 10_000;
export const HOUR_MS = 3_600_000;
export const END_MS = START_MS + 6 * HOUR_MS;
/** The wide metric begins here: its series are of the last hour, and of two minutes that its first increases need. */
export const WIDE_START_MS = END_MS - HOUR_MS - 120_000;
const WIDE_SERIES = 100_000;
/** Metrics of 1,000 series for all six hours: two counters and two gauges, by their numbers. */
const NARROW = [0, 1, 2, 3];
export const COUNTER = labelledMetric(0);
export const GAUGE = labelledMetric(2);
export { WIDE_METRIC };

/** A body has two samples of each of its series, as Prometheus sends them when it is a little behind. */
const BODY_SERIES = 1000;
const BODY_STEPS = 2;
/** Time that the bodies of one call cover. */
export const BODY_MS = BODY_STEPS * STEP_MS;

export const POINTS = (HOSTS * NARROW.length * (END_MS - START_MS) + WIDE_SERIES * (END_MS - WIDE_START_MS)) / STEP_MS;

/** The remote-write bodies of the comparison of queries, the same for each peer. */
export class QueryBodies {
  readonly #narrow = new SeriesSet(
    Array.from({ length: HOSTS * NARROW.length }, (_, i) => {
      const metric = NARROW[i % NARROW.length];
      return { metric, labels: labelFields(Math.floor(i / NARROW.length) * METRICS + metric) };
    }),
  );
  readonly #wide = new SeriesSet(
    Array.from({ length: WIDE_SERIES }, (_, i) => ({ metric: 0, labels: wideLabelFields(i) })),
  );

  /** Yields the bodies of the samples from `fromMs` on, for `BODY_MS`. To be called once for each time, in order. */
  *at(fromMs: number): Generator<Buffer> {
    yield* this.#narrow.bodies(fromMs);
    if (fromMs >= WIDE_START_MS) yield* this.#wide.bodies(fromMs);
  }
}

class SeriesSet {
  readonly #labels: readonly Buffer[];
  readonly #values: SeriesValues;
  readonly #body = new ByteWriter(BODY_SERIES * 320);
  readonly #samples = new ByteWriter();

  constructor(series: readonly { readonly metric: number; readonly labels: Buffer }[]) {
    this.#labels = series.map(({ labels }) => labels);
    this.#values = new SeriesValues(
      Uint32Array.from(series, ({ metric }) => metric),
      1,
    );
  }

  *bodies(fromMs: number): Generator<Buffer> {
    for (let from = 0; from < this.#labels.length; from += BODY_SERIES) {
      this.#body.reset();
      for (let i = from; i < Math.min(this.#labels.length, from + BODY_SERIES); i++) this.#append(i, fromMs);
      yield compressSync(this.#body.view()) as Buffer;
    }
  }

  #append(i: number, fromMs: number): void {
    this.#samples.reset();
    for (let step = 0; step < BODY_STEPS; step++) {
      appendSample(this.#samples, fromMs + step * STEP_MS, this.#values.next(i));
    }
    appendSeries(this.#body, this.#labels[i], this.#samples);
  }
}
