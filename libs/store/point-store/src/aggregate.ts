import type { AggregateReply, AggregateRequest, GroupPartial } from '@tidemark/contract';
import { packPartial, SERIES_COST, SpacePartial } from '@tidemark/fold';
import { gapsOf } from '@tidemark/point-log';
import { type SlicedWork, type Slicing, slicingOf, WorkSlice } from '@tidemark/ports';
import { type AggregatePlan, planOf } from './aggregate-plan.ts';
import { collectUnlessCommitWaits } from './commit-patience.ts';
import { HeadView } from './head-view.ts';
import type { PartitionStore } from './partition-state.ts';
import { RangePages } from './range-pages.ts';
import { deletedBeforeMs } from './retention.ts';
import { type Found, SeriesFolder } from './series-folder.ts';

/** Several points of one timestamp are one point of context: where they are many, more have to be read. */
const MORE_CONTEXT = 16;

/**
 * Folds the series of each group over time, then over space. The answer covers every record below `offset`: rows in
 * RAM and pages are seen as of one moment, between two commits.
 */
export async function aggregate(
  store: PartitionStore,
  request: AggregateRequest,
  ofStore: Slicing | undefined,
  signal: AbortSignal | undefined,
): Promise<AggregateReply> {
  const slicing = slicingOf(ofStore, request.tenant);
  const slice = new WorkSlice(slicing, signal);
  const plan = await slice.finish(planOf(store, request));
  const collected = (context: number): Promise<Found> =>
    collectUnlessCommitWaits(store.lock, slicing, signal, (own) => collect(store, request, plan, context, own));
  for (let context = plan.contextPoints; ; context *= MORE_CONTEXT) {
    const reply = await attempt(store, await collected(context), slice);
    if (reply !== undefined) return reply;
  }
}

/** Undefined when a series has fewer timestamps in what was found than its fold depends on. */
async function attempt(store: PartitionStore, found: Found, slice: WorkSlice): Promise<AggregateReply | undefined> {
  try {
    return await slice.finish(folded(store, found));
  } finally {
    for (const view of found.views) view.release();
  }
}

function* folded(store: PartitionStore, found: Found): SlicedWork<AggregateReply | undefined, number> {
  const { plan } = found;
  const folder = new SeriesFolder(store, found);
  const groups: GroupPartial[] = [];
  let pointsRead = 0;
  // What was found never changes: records may be applied, and committed, between two slices.
  for (const group of plan.groups) {
    const partial = new SpacePartial(plan.spaceFold, plan.steps);
    for (const series of group) {
      const own = yield* folder.fold(series);
      if (folder.lacksContext) return undefined;
      if (own !== undefined) yield* partial.addSeriesInPieces(own);
      pointsRead += folder.points;
      yield SERIES_COST + folder.points + plan.steps;
    }
    groups.push(packed(partial));
    yield SERIES_COST + plan.steps;
  }
  return { ...found.position, ...folder.findings, groups, pointsRead, seriesRead: plan.selection.size };
}

function packed(partial: SpacePartial): GroupPartial {
  const { sketches, sumScaled, ...columns } = packPartial(partial);
  const { count, sum, sumRest, min, max, last, lastTime } = columns;
  const [a, b, c, d, e, f, g] = [count, sum, sumRest, min, max, last, lastTime].map((bytes) => Buffer.from(bytes));
  const own = sketches.map((bytes) => Buffer.from(bytes));
  return { count: a, sum: b, sumRest: c, sumScaled, min: d, max: e, last: f, lastTime: g, sketches: own };
}

/** Everything of the selected series that the range depends on, as of one moment; no value is decoded yet. */
async function collect(
  store: PartitionStore,
  request: AggregateRequest,
  planned: AggregatePlan,
  context: number,
  slice: WorkSlice,
): Promise<Found> {
  const { tracker, coverage, head, nextOffset } = store;
  const { watermarkMs } = tracker;
  const covered = coverage.covered(planned.tagsOffset, watermarkMs);
  const position = {
    offset: nextOffset,
    watermarkMs: Number.isFinite(watermarkMs) ? watermarkMs : undefined,
    coveredWatermarkMs: Number.isFinite(covered) ? covered : undefined,
    era: tracker.era,
    gaps: gapsOf(store),
    deletedBeforeMs: deletedBeforeMs(store),
  };
  // Of this moment, as the offset is: records are applied while pages are read, though nothing is committed.
  const views = head.columns.map((columns) => new HeadView(columns));
  try {
    // Series that were unknown when the request was planned may have points below this offset.
    const isOutdated = planned.lacksSeries && store.table.length > planned.knownSeries;
    const plan = isOutdated ? await slice.finish(planOf(store, request)) : planned;
    const pages = new RangePages(store, plan, context, slice);
    if (plan.selection.size > 0) await pages.find();
    const needed = await slice.finish(pages.needed(views));
    let inRam = 0;
    for (const view of needed) inRam += await slice.finish(view.count(plan.selection));
    pages.checkPoints(inRam);
    for (const view of views) if (!needed.includes(view)) view.release();
    return { position, plan, pages, views: needed };
  } catch (error) {
    for (const view of views) view.release();
    throw error;
  }
}
