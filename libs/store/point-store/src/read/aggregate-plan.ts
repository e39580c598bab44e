import type { AggregateRequest } from '@tidemark/contract';
import { CONTEXT_POINTS, SPACE_FOLD, spaceFoldOf, TIME_FOLD, timeFoldOf } from '@tidemark/fold';
import { ID_BYTES, INTERVAL_LIMIT_MS } from '@tidemark/model';
import type { SeriesIndex } from '@tidemark/point-log';
import { limitError, type SlicedWork, TidemarkError } from '@tidemark/ports';
import { ascending } from '../series/ascending.ts';
import { type Selection, selectionOf } from '../series/selection.ts';
import type { DenseSet } from '../series/series-sets.ts';
import type { PartitionStore } from '../state/partition-state.ts';

/** Series that are looked up in one piece, and what they cost in units of the cost of a point. */
const PIECE = 256;
const PIECE_COST = 1024;

/** A request, checked, with the partition's own numbers of its series. */
export interface AggregatePlan {
  readonly fromMs: number;
  /** The end of the last step, which is whole: at or after the request's end. */
  readonly toMs: number;
  readonly stepMs: number;
  readonly steps: number;
  /** Points that the fold needs on each side of the range, see CONTEXT_POINTS. */
  readonly contextPoints: number;
  readonly timeFold: ReturnType<typeof timeFoldOf>;
  readonly spaceFold: ReturnType<typeof spaceFoldOf>;
  readonly metric: number;
  /** Whether some of the series were unknown to the store, and how many it knew. */
  readonly lacksSeries: boolean;
  readonly knownSeries: number;
  /** Dense series, ascending within a group, without unknown ones. */
  readonly groups: readonly Uint32Array[];
  /** The series of all groups. */
  readonly selection: Selection;
  readonly maxPoints: number;
  readonly tagsOffset: number;
  /** Lateness bound D of the tenant, ms. */
  readonly latenessMs: number;
  /** Reporting interval that is stated of the metric, ms; 0: none. */
  readonly intervalMs: number;
}

/**
 * Checks a request. Throws `invalid_argument` for an invalid request or one beyond a limit, `failed_precondition` for
 * unknown sets.
 */
export function* planOf(
  { limits, table, seriesSets }: PartitionStore,
  request: AggregateRequest,
): SlicedWork<AggregatePlan, number> {
  const { fromMs, toMs, stepMs, intervalMs = 0 } = request;
  if (!(stepMs > 0)) throw limitError('step_ms', String(stepMs), 'above 0');
  if (!(toMs > fromMs)) throw limitError('to_ms', String(toMs), `after from_ms, ${fromMs}`);
  if (intervalMs > INTERVAL_LIMIT_MS) throw limitError('interval_ms', `${intervalMs}`, `${INTERVAL_LIMIT_MS} ms`);
  const steps = Math.ceil((toMs - fromMs) / stepMs);
  if (steps > limits.steps) throw limitError('to_ms', `${steps} steps`, `${limits.steps} steps`);
  const { length } = request.groups;
  if (length > limits.groups) throw limitError('groups', `${length} groups`, `${limits.groups} groups`);
  if (length * steps > limits.values) {
    throw limitError('groups', `${length} groups of ${steps} steps`, `${limits.values} values`);
  }
  const timeFold = timeFoldOf(request.timeFold);
  const spaceFold = spaceFoldOf(request.spaceFold);
  if ((timeFold === TIME_FOLD.sketch) !== (spaceFold === SPACE_FOLD.sketch)) {
    throw limitError('space_fold', 'only one of the two folds is of sketches', 'sketches fold into sketches');
  }
  const metric = table.findMetric(request.metricId);
  const { length: knownSeries } = table;
  const groups: Uint32Array[] = [];
  let lacksSeries = false;
  for (const { digest, series } of request.groups) {
    const ids = seriesSets.resolve(digest, series);
    let dense = seriesSets.denseOf(ids, metric, knownSeries);
    if (dense === undefined) {
      dense = yield* denseOf(table, metric, ids);
      // Others live as long as their request.
      if (digest.length > 0) seriesSets.rememberDense(ids, dense);
    }
    groups.push(dense.series);
    if (dense.lacksSeries) lacksSeries = true;
  }
  return {
    fromMs,
    toMs: fromMs + steps * stepMs,
    stepMs,
    steps,
    contextPoints: timeFold === TIME_FOLD.count || timeFold === TIME_FOLD.points ? 0 : CONTEXT_POINTS,
    timeFold,
    spaceFold,
    metric,
    lacksSeries,
    knownSeries,
    groups,
    selection: yield* selectionOf(groups),
    maxPoints: Math.min(limits.points, request.maxPoints > 0 ? request.maxPoints : limits.points),
    tagsOffset: request.tagsOffset,
    latenessMs: request.latenessMs,
    intervalMs,
  };
}

/** Looks up the series of a set. */
function* denseOf(table: SeriesIndex, metric: number, ids: Uint8Array): SlicedWork<DenseSet, number> {
  const found = new Uint32Array(ids.length / ID_BYTES);
  const { length: knownSeries } = table;
  let length = 0;
  let looked = 0;
  for (let at = 0; at + ID_BYTES <= ids.length; at += ID_BYTES) {
    if (++looked % PIECE === 0) yield PIECE_COST;
    const series = table.find(ids.subarray(at, at + ID_BYTES));
    if (series !== -1 && table.metric(series) === metric) found[length++] = series;
  }
  yield (looked % PIECE) * (PIECE_COST / PIECE);
  const series = yield* ascending(found.subarray(0, length));
  return { series, metric, knownSeries, lacksSeries: length < found.length };
}

/** Throws `resource_exhausted` when the number of points exceeds the plan's limit. */
export function checkPoints({ maxPoints }: AggregatePlan, points: number): void {
  if (points <= maxPoints) return;
  throw new TidemarkError('resource_exhausted', `the query reads more than ${maxPoints} points of one partition`, {
    field: 'max_points',
    limit: maxPoints,
  });
}
