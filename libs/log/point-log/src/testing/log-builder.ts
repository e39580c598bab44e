import { ByteWriter } from '@tidemark/bytes';
import { encodeShare, PointColumns, SketchColumns } from '@tidemark/columns';
import { FIRST_ERA, hash128, SERIES_CLASS, type SeriesClass } from '@tidemark/model';
import {
  type BlockRecord,
  type Definitions,
  encodeBareRecord,
  encodeRecord,
  RECORD,
  type RecordType,
} from '@tidemark/point-records';
import type { LogRecord } from '@tidemark/ports';
import { DDSketch, packSketch } from '@tidemark/sketch';

/** Classes of the test series 0 to 3, and again from 4 on. */
const CLASSES = [SERIES_CLASS.reading, SERIES_CLASS.count, SERIES_CLASS.reading, SERIES_CLASS.distribution] as const;

/** Returns the class of test series `i`. Every fourth series is of the same metric. */
export function classOf(series: number): SeriesClass {
  return CLASSES[series % CLASSES.length];
}

export function seriesIdOf(series: number): Buffer {
  return hash128(Buffer.from(`series ${series}`));
}

/** Returns the id of the metric of a test series. */
export function metricIdOf(series: number): Buffer {
  return hash128(Buffer.from(`metric ${series % CLASSES.length}`));
}

export interface TestPoint {
  readonly series: number;
  readonly timeMs: number;
  /** Value of the point; of a distribution, the only value of its sketch. */
  readonly value: number;
}

export interface TestSpan {
  readonly client: number;
  readonly sequence: number;
  readonly mapEpoch?: number;
  /** Reporting interval that the definitions of the span's new series state, ms. */
  readonly intervalMs?: number;
  readonly points: readonly TestPoint[];
}

interface TestLane {
  sequence: number;
  epoch: number;
  /** The era that its records name. */
  era: number;
  eraStartMs: number;
  /** Refs by series, per dictionary. */
  dictionaries: Map<number, Map<number, number>>;
}

/** Writes the log of one partition as intakes would: lanes with sequences and epochs, and one dictionary per client. */
export class LogBuilder {
  readonly records: LogRecord[] = [];
  /** Append time of the next records; by default it is after every mark. */
  appendTimeMs = Number.MAX_SAFE_INTEGER;
  /** The reporting interval that every definition of a series states, ms, unless its span states another. */
  statedMsOf: (series: number) => number | undefined = () => undefined;
  /** The id of the metric of a series. */
  metricOf: (series: number) => Buffer = metricIdOf;
  readonly #lanes = new Map<number, TestLane>();

  bare(type: RecordType, session: number, markMs: number, change: Partial<BlockRecord> = {}): LogRecord {
    const lane = this.lane(session);
    const sequence = type === RECORD.fence ? 0 : lane.sequence++;
    const { epoch, era, eraStartMs } = lane;
    const place = { epoch, era, eraStartMs, sequence };
    return this.append(encodeBareRecord({ ...header(type, session, markMs), ...place, ...change }));
  }

  block(session: number, markMs: number, spans: readonly TestSpan[], change: Partial<BlockRecord> = {}): LogRecord {
    const lane = this.lane(session);
    const definitions: Definitions[] = [];
    const encoded = spans.map((span) => {
      const known = lane.dictionaries.get(span.client) ?? new Map<number, number>();
      lane.dictionaries.set(span.client, known);
      const fresh = [...new Set(span.points.map(({ series }) => series))].filter((series) => !known.has(series));
      if (fresh.length > 0) {
        const series = fresh.map((one) => ({
          seriesId: seriesIdOf(one),
          metricId: this.metricOf(one),
          seriesClass: classOf(one),
          intervalMs: span.intervalMs ?? this.statedMsOf(one),
        }));
        definitions.push({ dictionary: span.client, firstRef: known.size, series });
      }
      for (const series of fresh) known.set(series, known.size);
      return {
        clientSession: Buffer.alloc(16, span.client + 1),
        sequence: span.sequence,
        mapEpoch: span.mapEpoch ?? 1,
        floor: 0,
        frontierMs: undefined,
        tenant: 'default',
        dictionary: span.client,
        share: shareOf(span.points, (series) => known.get(series) ?? 0),
      };
    });
    const times = spans.flatMap(({ points }) => points.map(({ timeMs }) => timeMs));
    const record: BlockRecord = {
      ...header(RECORD.block, session, markMs),
      epoch: lane.epoch,
      era: lane.era,
      eraStartMs: lane.eraStartMs,
      sequence: lane.sequence++,
      minTimeMs: Math.min(0, ...times),
      maxTimeMs: Math.max(0, ...times),
      points: times.length,
      definitions,
      spans: encoded,
      ...change,
    };
    return this.append(encodeRecord(record));
  }

  /** Starts a new epoch: the lane's next block defines its series again. */
  nextEpoch(session: number): void {
    const lane = this.lane(session);
    lane.epoch++;
    lane.dictionaries = new Map();
  }

  append(value: Uint8Array): LogRecord {
    const record = { offset: this.records.length, appendTimeMs: this.appendTimeMs, value };
    this.records.push(record);
    return record;
  }

  lane(session: number): TestLane {
    let lane = this.#lanes.get(session);
    if (lane === undefined) {
      lane = { sequence: 0, epoch: 0, era: FIRST_ERA, eraStartMs: 0, dictionaries: new Map() };
      this.#lanes.set(session, lane);
    }
    return lane;
  }
}

function header(type: RecordType, session: number, markMs: number) {
  const id = Buffer.alloc(16, session + 100);
  const place = { partition: 0, session: id, lane: 0, epoch: 0, sequence: 0, era: FIRST_ERA, eraStartMs: 0 };
  return { type, ...place, markMs, tagsOffset: 0, keyframeOffset: -1 };
}

/** Encodes the share of the points, sorted by ref. */
export function shareOf(points: readonly TestPoint[], refOf: (series: number) => number): Buffer {
  const columns = new PointColumns();
  const sketches = new SketchColumns();
  const ordered = points.map((point, i) => ({ point, i, ref: refOf(point.series) }));
  for (const { point, ref } of ordered.sort((a, b) => a.ref - b.ref || a.i - b.i)) {
    if (classOf(point.series) === SERIES_CLASS.distribution) sketches.push(ref, point.timeMs, sketchOf(point.value));
    else columns.push(ref, point.timeMs, point.value);
  }
  const out = new ByteWriter();
  encodeShare(columns, sketches, out);
  return out.take();
}

export function sketchOf(value: number): Buffer {
  const sketch = new DDSketch();
  sketch.insert(value);
  const out = new ByteWriter();
  packSketch(sketch, out);
  return out.take();
}
