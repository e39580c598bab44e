import { ByteWriter } from '@tidemark/bytes';
import {
  decodeShare,
  encodeShare,
  inspectShare,
  PointColumns,
  pointCount,
  type ShareSummary,
  SketchColumns,
} from '@tidemark/columns';
import type { Batch } from '@tidemark/contract';
import type { PointLimits } from '@tidemark/model';
import { isTidemarkError, type SlicedWork, type TidemarkError } from '@tidemark/ports';
import type { ClientDictionary } from './client-dictionary.ts';
import type { IntakeLimits } from './intake-limits.ts';
import { isPlainNumber, PointRules } from './point-rules.ts';
import type { Rejections } from './rejections.ts';
import { STEP_POINTS, STEP_SKETCH_BYTES, STEP_SKETCHES } from './request-limits.ts';

export interface CheckedShare {
  /** Bytes to append: the client's own, or the encoded remaining points. */
  readonly bytes: Uint8Array;
  readonly summary: ShareSummary;
}

/**
 * Checks a client's share by `PointRules`. A share without errors is accepted unchanged, and its points are not read
 * where its encoding proves them valid. Otherwise its good points are kept and the others are counted by reason. The
 * result is undefined for an unreadable share, which counts as one point, since its points cannot be counted. Large shares
 * are checked in slices.
 */
export function* checkShare(
  bytes: Uint8Array,
  dictionary: ClientDictionary,
  acceptMs: number,
  limits: IntakeLimits & PointLimits,
  rejections: Rejections,
): SlicedWork<CheckedShare | undefined> {
  const summary = summaryOf(bytes, limits);
  if (isTidemarkError(summary)) {
    rejections.add('share_malformed', 'share.points', `the share format: ${summary.message}`);
    return undefined;
  }
  const rules = new PointRules(limits, acceptMs);
  const hasNumbers = summary.points > 0;
  const isClean =
    summary.maxRef < dictionary.size &&
    dictionary.refused.size === 0 &&
    !summary.mayBeNonFinite &&
    summary.minTimeMs >= rules.minTimeMs &&
    summary.maxTimeMs <= rules.maxTimeMs &&
    summary.sketches === 0 &&
    (!hasNumbers || dictionary.distributions === 0);
  return isClean ? { bytes, summary } : yield* filterShare(bytes, summary, dictionary, rules, rejections);
}

/** Unreadable shares of a batch after which the others are not read: each costs as much as kilobytes that can be read. */
const MAX_UNREADABLE_SHARES = 64;

/** Returns the points of a batch that is refused as a whole, as far as its shares can be read; at least 1. */
export function pointsIn({ shares }: Batch, limits: IntakeLimits): number {
  let points = 0;
  let unreadable = 0;
  for (const share of shares) {
    const summary = summaryOf(share.points, limits);
    if (!isTidemarkError(summary)) points += pointCount(summary);
    else if (++unreadable === MAX_UNREADABLE_SHARES) break;
  }
  return Math.max(1, points);
}

function summaryOf(bytes: Uint8Array, limits: IntakeLimits): ShareSummary | TidemarkError {
  try {
    // `PointRules` refuses a sketch that is too large; its share stays readable.
    const { sharePoints, shareSketches } = limits;
    return inspectShare(bytes, { points: sharePoints, sketches: shareSketches, sketchBytes: bytes.length });
  } catch (error) {
    if (isTidemarkError(error, 'data_loss')) return error;
    throw error;
  }
}

/** Columns that are used again for each share that is checked at once. */
const SCRATCH = newColumns();

function newColumns() {
  return {
    points: new PointColumns(0),
    sketches: new SketchColumns(0),
    kept: new PointColumns(0),
    keptSketches: new SketchColumns(0),
  };
}

function* filterShare(
  bytes: Uint8Array,
  summary: ShareSummary,
  dictionary: ClientDictionary,
  rules: PointRules,
  rejections: Rejections,
): SlicedWork<CheckedShare> {
  // Between two slices other shares are checked.
  const isAtOnce =
    summary.points <= STEP_POINTS && summary.sketches <= STEP_SKETCHES && bytes.length <= STEP_SKETCH_BYTES;
  const { points, sketches, kept, keptSketches } = isAtOnce ? SCRATCH : newColumns();
  for (const columns of [points, sketches, kept, keptSketches]) columns.clear();
  decodeShare(bytes, points, sketches);
  const { minTimeMs, maxTimeMs } = rules;
  // Sketches come first, as in a request: the first point with a reason gives its field and limit.
  let sinceBytes = 0;
  for (let i = 0; i < sketches.length; i++) {
    if (!isAtOnce && (i % STEP_SKETCHES === 0 || sinceBytes >= STEP_SKETCH_BYTES)) {
      yield;
      sinceBytes = 0;
    }
    sinceBytes += sketches.payloads[i].length;
    const ref = sketches.refs[i];
    if (isRefused(ref, dictionary, rejections)) continue;
    const timeMs = sketches.timesMs[i];
    const payload = sketches.payloads[i];
    const known = rejections.reasons;
    if (!rules.rejectsSketch(dictionary.seriesClass(ref), timeMs, payload, rejections))
      keptSketches.push(ref, timeMs, payload);
    else rejections.nameSince(known, dictionary.metricName(ref));
  }
  for (let i = 0; i < points.length; i++) {
    if (!isAtOnce && i % STEP_POINTS === 0) yield;
    const ref = points.refs[i];
    if (isRefused(ref, dictionary, rejections)) continue;
    const seriesClass = dictionary.seriesClass(ref);
    const timeMs = points.timesMs[i];
    const value = points.values[i];
    const isPlain = isPlainNumber(seriesClass, timeMs, value, minTimeMs, maxTimeMs);
    const known = rejections.reasons;
    if (isPlain || !rules.rejectsNumber(seriesClass, dictionary.isCounter(ref), timeMs, value, rejections)) {
      kept.push(ref, timeMs, value);
    } else rejections.nameSince(known, dictionary.metricName(ref));
  }
  if (kept.length === points.length && keptSketches.length === sketches.length) return { bytes, summary };
  const out = new ByteWriter(bytes.length);
  const keptSummary = encodeShare(kept, keptSketches, out);
  return { bytes: out.take(), summary: keptSummary };
}

/** Returns true for a ref without a series, or of a refused one, and counts its point under that reason. */
function isRefused(ref: number, dictionary: ClientDictionary, rejections: Rejections): boolean {
  if (ref >= dictionary.size) {
    rejections.add('unknown_ref', 'ref', `${dictionary.size} refs defined`);
    return true;
  }
  const refusal = dictionary.refused.get(ref);
  if (refusal === undefined) return false;
  rejections.refuse(refusal);
  return true;
}
