import { SERIES_CLASS } from '@tidemark/model';
import { ALL_LANES, RECORD } from '@tidemark/point-records';
import { classOf, LogBuilder, type TestPoint, type TestSpan } from './log-builder.ts';

export const START_MS = 1_700_000_000_000;
export const LATENESS_MS = 3_000;
export const SERIES = 12;
/** Longer than most gaps, so that an amount reaches over many points. */
const STATED_MS = 90_000;
/** Ratio of a set back to the advance of another step. */
const SET_BACK_FACTOR = 4;

export interface ScriptSpan {
  readonly client: number;
  /** Distance back to a sequence that was sent before; 0 is a new batch. */
  readonly repeat: number;
  readonly mapEpoch: number;
  readonly points: readonly { readonly series: number; readonly behindMs: number; readonly value: number }[];
}

export interface ScriptStep {
  readonly action: 'block' | 'mark' | 'close' | 'fence' | 'epoch' | 'repeat' | 'set-back';
  readonly session: number;
  readonly aheadMs: number;
  readonly spans: readonly ScriptSpan[];
}

/** A point of the model, with its place in the order in which the later point wins. */
export interface ModelPoint extends TestPoint {
  readonly mapEpoch: number;
}

/** Content that a partition must have after the whole log. */
export interface Model {
  /** Points by map epoch, then in log order. */
  readonly points: readonly ModelPoint[];
  readonly counts: { readonly points: number; readonly late: number; readonly duplicate: number };
  readonly watermarkMs: number;
  /** Series in the order in which the log first named them. */
  readonly series: readonly number[];
}

/** The reporting interval that senders state for a series of a script, ms; 0 for most of them. */
export function statedMsOf(series: number): number {
  return series % 3 === 0 ? STATED_MS : 0;
}

/** Plays a script. Returns the log, and the model that a plain reading of the rules gives. */
export function play(steps: readonly ScriptStep[]): { builder: LogBuilder; model: Model } {
  const builder = new LogBuilder();
  builder.statedMsOf = statedMsOf;
  const lanes = new Map([0, 1, 2].map((session) => [session, { isOpen: true, markMs: START_MS, id: session }]));
  const points: ModelPoint[] = [];
  const series: number[] = [];
  const sent = new Map<number, { points: readonly TestPoint[]; mapEpoch: number }[]>();
  const counts = { points: 0, late: 0, duplicate: 0 };
  let nowMs = START_MS;
  let watermarkMs = Number.NEGATIVE_INFINITY;
  for (const session of lanes.keys()) builder.bare(RECORD.open, session, START_MS);
  const advance = () => {
    const open = [...lanes.values()].filter(({ isOpen }) => isOpen);
    if (open.length > 0) watermarkMs = Math.max(watermarkMs, Math.min(...open.map(({ markMs }) => markMs)));
  };
  advance();
  for (const { action, session: name, aheadMs, spans } of steps) {
    if (action === 'set-back') {
      // The log's clock was ahead. An intake begins another session, which opens the first lane of the new era.
      nowMs -= SET_BACK_FACTOR * aheadMs;
      const id = builder.records.length + lanes.size;
      Object.assign(builder.lane(id), { era: builder.records.length, eraStartMs: nowMs });
      for (const lane of lanes.values()) lane.isOpen = false;
      lanes.set(name, { isOpen: true, markMs: nowMs, id });
      builder.bare(RECORD.open, id, nowMs);
      watermarkMs = Math.min(watermarkMs, nowMs);
      advance();
      continue;
    }
    nowMs += aheadMs;
    const lane = lanes.get(name) ?? { isOpen: false, markMs: 0, id: name };
    const session = lane.id;
    if (action === 'fence') {
      builder.bare(RECORD.fence, session, 0, { lane: ALL_LANES });
      lane.isOpen = false;
      advance();
      continue;
    }
    if (action === 'epoch') builder.nextEpoch(session);
    if (action === 'repeat') {
      const last = builder.records.at(-1);
      if (last !== undefined) builder.append(last.value);
      continue;
    }
    if (lane.isOpen) lane.markMs = nowMs;
    if (action !== 'block') {
      builder.bare(action === 'close' ? RECORD.close : RECORD.mark, session, nowMs);
      advance();
      if (action === 'close') lane.isOpen = false;
      advance();
      continue;
    }
    const own: TestSpan[] = spans.map(({ client, repeat, mapEpoch, points: made }) => {
      const batches = sent.get(client) ?? [];
      sent.set(client, batches);
      const sequence = batches.length - repeat;
      const known = repeat > 0 ? batches[sequence] : undefined;
      if (known !== undefined) {
        counts.duplicate += known.points.length;
        return { client, sequence, ...known };
      }
      const fresh = made.map((one) => ({ series: one.series, timeMs: nowMs - one.behindMs, value: one.value }));
      const batch = { points: fresh, mapEpoch };
      const next = batches.push(batch) - 1;
      counts.points += fresh.length;
      counts.late += fresh.filter(({ timeMs }) => watermarkMs > timeMs + LATENESS_MS).length;
      for (const one of fresh) points.push({ ...one, mapEpoch });
      return { client, sequence: next, ...batch };
    });
    for (const one of own) {
      for (const { series: named } of one.points) if (!series.includes(named)) series.push(named);
    }
    builder.block(session, nowMs, own);
    advance();
  }
  points.sort((a, b) => a.mapEpoch - b.mapEpoch);
  return { builder, model: { points, counts, watermarkMs, series } };
}

/** Returns the points of a series, one per timestamp, ascending. Sums are exact, in whole units of 2^-100. */
export function resolved(model: Model, series: number): { timeMs: number; value: number }[] {
  const byTime = new Map<number, number[]>();
  for (const { series: own, timeMs, value } of model.points) {
    if (own === series) byTime.set(timeMs, [...(byTime.get(timeMs) ?? []), value]);
  }
  return [...byTime]
    .sort(([a], [b]) => a - b)
    .map(([timeMs, values]) => ({
      timeMs,
      value: classOf(series) === SERIES_CLASS.count ? exact(values) : (values.at(-1) ?? 0),
    }));
}

function exact(values: readonly number[]): number {
  if (values.length === 1) return values[0];
  const units = values.reduce((sum, value) => sum + BigInt(value * 2 ** 100), 0n);
  // A bigint becomes the nearest number.
  return Number(units) / 2 ** 100;
}
