import { ByteWriter } from '@tidemark/bytes';
import {
  decodeShare,
  encodeShare,
  inspectShare,
  PointColumns,
  type ShareLimits,
  type ShareSummary,
  SketchColumns,
} from '@tidemark/columns';
import type { Batch } from '@tidemark/contract';
import { KIND, type PointLimits } from '@tidemark/model';
import { isTidemarkError, type TidemarkError } from '@tidemark/ports';
import { unpackSketch } from '@tidemark/sketch';
import type { ClientDictionary } from './client-dictionary.ts';
import type { IntakeLimits } from './intake-limits.ts';
import type { Rejections } from './rejections.ts';

export interface CheckedShare {
  /** The share to append: the client's own bytes, or what is left of them. */
  readonly bytes: Uint8Array;
  readonly summary: ShareSummary;
}

/**
 * Checks a client's share. A share that is right throughout is taken as it came, without a look at its points where
 * its encoding proves them right; otherwise its good points are kept and the others are counted by reason. Undefined
 * when the share as a whole can't be read: nobody knows how many points it has, so it counts as one.
 */
export function checkShare(
  bytes: Uint8Array,
  dictionary: ClientDictionary,
  nowMs: number,
  limits: IntakeLimits & PointLimits,
  rejections: Rejections,
): CheckedShare | undefined {
  const summary = summaryOf(bytes, limits);
  if (isTidemarkError(summary)) {
    rejections.add('share_malformed', 'share.points', `the share format: ${summary.message}`);
    return undefined;
  }
  const hasNumbers = summary.points > 0;
  const isClean =
    summary.maxRef < dictionary.size &&
    dictionary.refused.size === 0 &&
    !summary.mayBeNonFinite &&
    summary.minTimeMs >= nowMs - limits.behindMs &&
    summary.maxTimeMs <= nowMs + limits.aheadMs &&
    summary.sketches === 0 &&
    (!hasNumbers || dictionary.distributions === 0);
  return isClean ? { bytes, summary } : filterShare(bytes, summary, dictionary, nowMs, limits, rejections);
}

/** The points of a batch that is refused as a whole, as far as its shares can be read; at least 1. */
export function pointsIn({ shares }: Batch, limits: IntakeLimits): number {
  let points = 0;
  for (const share of shares) {
    const summary = summaryOf(share.points, limits);
    if (!isTidemarkError(summary)) points += summary.points + summary.sketches;
  }
  return Math.max(1, points);
}

function summaryOf(bytes: Uint8Array, limits: IntakeLimits): ShareSummary | TidemarkError {
  try {
    return inspectShare(bytes, shareLimits(limits));
  } catch (error) {
    if (isTidemarkError(error, 'data_loss')) return error;
    throw error;
  }
}

function shareLimits(limits: IntakeLimits): ShareLimits {
  return { points: limits.sharePoints, sketches: limits.shareSketches, sketchBytes: limits.sketchBytes };
}

const points = new PointColumns();
const sketches = new SketchColumns();
const kept = new PointColumns();
const keptSketches = new SketchColumns();

function filterShare(
  bytes: Uint8Array,
  summary: ShareSummary,
  dictionary: ClientDictionary,
  nowMs: number,
  limits: IntakeLimits & PointLimits,
  rejections: Rejections,
): CheckedShare {
  for (const columns of [points, sketches, kept, keptSketches]) columns.clear();
  decodeShare(bytes, points, sketches);
  const reject = (ref: number, timeMs: number) => refusalOf(ref, timeMs, dictionary, nowMs, limits, rejections);
  for (let i = 0; i < points.length; i++) {
    const ref = points.refs[i];
    const value = points.values[i];
    if (reject(ref, points.timesMs[i])) continue;
    const kind = dictionary.kind(ref);
    if (kind === KIND.distribution) rejections.add('kind_mismatch', 'value', 'a sketch for a distribution');
    else if (Number.isNaN(value)) rejections.add('value_nan', 'value', 'a number');
    else if (kind !== KIND.gauge && !Number.isFinite(value)) rejections.add('value_infinite', 'value', 'finite');
    else kept.push(ref, points.timesMs[i], value);
  }
  for (let i = 0; i < sketches.length; i++) {
    const ref = sketches.refs[i];
    if (reject(ref, sketches.timesMs[i])) continue;
    const kind = dictionary.kind(ref);
    if (kind !== KIND.distribution) rejections.add('kind_mismatch', 'sketch', 'a number for this kind');
    else if (!isSketch(sketches.payloads[i])) rejections.add('sketch_invalid', 'sketch', 'the packed sketch format');
    else keptSketches.push(ref, sketches.timesMs[i], sketches.payloads[i]);
  }
  if (kept.length === points.length && keptSketches.length === sketches.length) return { bytes, summary };
  const out = new ByteWriter(bytes.length);
  encodeShare(kept, keptSketches, out);
  const clean = out.take();
  return { bytes: clean, summary: inspectShare(clean, shareLimits(limits)) };
}

function refusalOf(
  ref: number,
  timeMs: number,
  dictionary: ClientDictionary,
  nowMs: number,
  limits: PointLimits,
  rejections: Rejections,
): boolean {
  const refusal = dictionary.refused.get(ref);
  if (ref >= dictionary.size) rejections.add('unknown_ref', 'ref', `${dictionary.size} refs defined`);
  else if (refusal !== undefined) rejections.add(refusal.reason, refusal.field, refusal.limit);
  else if (timeMs > nowMs + limits.aheadMs) {
    rejections.add('timestamp_ahead', 'timestamp', `${limits.aheadMs} ms ahead of the intake's clock`);
  } else if (timeMs < nowMs - limits.behindMs) {
    rejections.add('timestamp_behind', 'timestamp', `${limits.behindMs} ms behind the intake's clock`);
  } else return false;
  return true;
}

/** True for bytes in the packed sketch format. */
export function isSketch(payload: Uint8Array): boolean {
  try {
    unpackSketch(payload);
    return true;
  } catch (error) {
    if (isTidemarkError(error)) return false;
    throw error;
  }
}
