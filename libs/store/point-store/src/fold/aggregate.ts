import type { AggregateReply, AggregateRequest } from '@tidemark/contract';
import { gapsOf, IntervalsAt } from '@tidemark/point-log';
import { type SlicedWork, type Slicing, slicingOf, TidemarkError, WorkSlice } from '@tidemark/ports';
import { deletedBeforeMs } from '../close/retention.ts';
import { HeadView } from '../head/head-view.ts';
import { type AggregatePlan, planOf } from '../read/aggregate-plan.ts';
import { RangePages } from '../read/range-pages.ts';
import type { PartitionStore } from '../state/partition-state.ts';
import { coveredWatermarkOf, watermarkOf } from '../state/partition-status.ts';
import { collectUnlessCommitWaits } from './commit-patience.ts';
import { GroupFolder } from './group-folder.ts';
import type { Found } from './series-folder.ts';

/** Several points of one timestamp are one point of context: where they are many, more have to be read. */
const MORE_CONTEXT = 16;
/** No series has as many points as the last attempt reads: one that lacks context even then never gets it. */
const ATTEMPTS = 12;

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
  for (let i = 0; i < ATTEMPTS; i++) {
    const context = plan.contextPoints * MORE_CONTEXT ** i;
    const reply = await attempt(store, await collected(context), slice);
    if (reply !== undefined) return reply;
  }
  const text = `partition ${store.partition} names points outside of the range of the query and finds no page with them`;
  throw new TidemarkError('internal', text, { partition: store.partition });
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
  const folder = new GroupFolder(store, found);
  // What was found never changes: records may be applied, and committed, between two slices.
  const groups = yield* folder.fold();
  if (groups === undefined) return undefined;
  const { findings, pointsRead, seriesAlone } = folder;
  return { ...found.position, ...findings, groups, pointsRead, seriesRead: found.plan.selection.size, seriesAlone };
}

/** Everything of the selected series that the range depends on, as of one moment; no value is decoded yet. */
async function collect(
  store: PartitionStore,
  request: AggregateRequest,
  planned: AggregatePlan,
  context: number,
  slice: WorkSlice,
): Promise<Found> {
  const { tracker, head, nextOffset } = store;
  const position = {
    offset: nextOffset,
    watermarkMs: watermarkOf(store),
    coveredWatermarkMs: coveredWatermarkOf(store, planned.tagsOffset),
    era: tracker.era,
    gaps: gapsOf(store),
    deletedBeforeMs: deletedBeforeMs(store),
  };
  // Of this moment, as the offset is: records are applied while pages are read, though nothing is committed.
  const views = head.columns.map((columns) => new HeadView(columns));
  const intervals = new IntervalsAt(store.intervals);
  try {
    // Series that were unknown when the request was planned may have points below this offset.
    const isOutdated = planned.lacksSeries && store.table.length > planned.knownSeries;
    const plan = isOutdated ? await slice.finish(planOf(store, request)) : planned;
    const pages = new RangePages(store, { plan, context, intervals }, slice);
    if (plan.selection.size > 0) await pages.find();
    const needed = await slice.finish(pages.needed(views));
    let inRam = 0;
    for (const view of needed) inRam += await slice.finish(view.count(plan.selection));
    pages.checkPoints(inRam);
    for (const view of views) if (!needed.includes(view)) view.release();
    return { position, plan, intervals, pages, views: needed };
  } catch (error) {
    for (const view of views) view.release();
    throw error;
  }
}
