import { ByteWriter } from '@tidemark/bytes';
import { encodeShare, PointColumns } from '@tidemark/columns';
import { hash128, SERIES_CLASS } from '@tidemark/model';
import { encodeBareRecord, encodeRecord, RECORD } from '@tidemark/point-records';
import type { LogRecord } from '@tidemark/ports';
import { mulberry32 } from '../data/mulberry32.ts';

export const SERIES_PER_METRIC = 250;
const STEP_MS = 10_000;
/** The start of a bucket of two hours. */
const START_MS = 1_700_006_400_000;
const SEED = 20_240_817;
/** Blocks by which late points come later: ten minutes. */
const LATE_STEPS = 60;

const session = Buffer.alloc(16, 1);
const base = { partition: 0, session, lane: 0, epoch: 0, tagsOffset: 0, keyframeOffset: -1, era: -1, eraStartMs: 0 };

interface LatePoint {
  readonly series: number;
  readonly timeMs: number;
  readonly value: number;
}

/**
 * The log of one partition: blocks of one timestamp for all series, 10 s apart. 40% counters with random increments, 40%
 * gauges of one or two decimals, 20% constants. A share of the points come ten minutes late, in a later block.
 */
export class PointLoad {
  readonly metricIds: readonly Buffer[];
  readonly seriesIds: readonly Buffer[];
  readonly #next = mulberry32(SEED);
  readonly #values: Float64Array;
  readonly #speeds: Float64Array;
  readonly #columns: PointColumns;
  readonly #out = new ByteWriter(1 << 20);
  readonly #lateShare: number;
  /** By step of the block with which they come. */
  readonly #late = new Map<number, LatePoint[]>();

  readonly #seriesPerMetric: number;

  constructor(series: number, lateShare = 0, seriesPerMetric = SERIES_PER_METRIC) {
    this.#lateShare = lateShare;
    this.#seriesPerMetric = seriesPerMetric;
    this.metricIds = Array.from({ length: Math.ceil(series / seriesPerMetric) }, (_, i) =>
      hash128(Buffer.from(`metric ${i}`)),
    );
    this.seriesIds = Array.from({ length: series }, (_, i) => hash128(Buffer.from(`series ${i}`)));
    this.#values = Float64Array.from({ length: series }, () => Math.floor(this.#next() * 1000));
    this.#speeds = Float64Array.from({ length: series }, () => Math.floor(1000 ** this.#next()));
    this.#columns = new PointColumns(series);
  }

  /** The record that opens the lane. */
  open(): LogRecord {
    const value = encodeBareRecord({ ...base, type: RECORD.open, sequence: 0, markMs: START_MS });
    return { offset: 0, appendTimeMs: START_MS, value };
  }

  /** The block of a step, the next one of 0, 1, 2 … */
  block(step: number): LogRecord {
    this.#advance();
    const { seriesIds, metricIds } = this;
    const columns = this.#columns;
    const out = this.#out;
    columns.clear();
    const timeMs = START_MS + step * STEP_MS;
    const due = this.#late.get(step) ?? [];
    this.#late.delete(step);
    const late: LatePoint[] = [];
    let next = 0;
    for (let i = 0; i < seriesIds.length; i++) {
      // Both ascend by series, as the points of a share do.
      for (; next < due.length && due[next].series === i; next++) columns.push(i, due[next].timeMs, due[next].value);
      const value = this.#values[i];
      // The first block defines the series.
      if (this.#lateShare > 0 && step > 0 && this.#next() < this.#lateShare) late.push({ series: i, timeMs, value });
      else columns.push(i, timeMs, value);
    }
    this.#late.set(step + LATE_STEPS, late);
    out.reset();
    encodeShare(columns, undefined, out);
    const series = seriesIds.map((seriesId, i) => ({
      seriesId,
      metricId: metricIds[Math.floor(i / this.#seriesPerMetric)],
      seriesClass: SERIES_CLASS.reading,
    }));
    const value = encodeRecord({
      ...base,
      type: RECORD.block,
      sequence: step + 1,
      markMs: timeMs + 1000,
      minTimeMs: due.length > 0 ? due[0].timeMs : timeMs,
      maxTimeMs: timeMs,
      points: columns.length,
      definitions: step === 0 ? [{ dictionary: 0, firstRef: 0, series }] : [],
      spans: [
        {
          clientSession: Buffer.alloc(16, 2),
          sequence: step,
          mapEpoch: 1,
          floor: step,
          frontierMs: undefined,
          tenant: 'default',
          dictionary: 0,
          share: out.take(),
        },
      ],
    });
    return { offset: step + 1, appendTimeMs: timeMs + STEP_MS, value };
  }

  /** The range of the first `steps` blocks. */
  range(steps: number): { readonly fromMs: number; readonly toMs: number; readonly stepMs: number } {
    return { fromMs: START_MS, toMs: START_MS + steps * STEP_MS, stepMs: 60_000 };
  }

  #advance(): void {
    const next = this.#next;
    const values = this.#values;
    for (let i = 0; i < values.length; i++) {
      const kind = Math.floor(i / SERIES_PER_METRIC) % 5;
      if (kind < 2) {
        values[i] += Math.floor(next() * (2 * this.#speeds[i] + 1));
      } else if (kind < 4) {
        const power = 10 ** (kind - 1);
        values[i] = Math.round((50 + (next() - 0.5) * this.#speeds[i] * 0.1) * power) / power;
      }
    }
  }
}
