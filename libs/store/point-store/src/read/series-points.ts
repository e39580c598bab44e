import { copyColumn } from '@tidemark/columns';
import type { SlicedWork } from '@tidemark/ports';
import type { HeadView } from '../head/head-view.ts';
import type { PageCodec } from '../pages/page-codec.ts';
import type { SeriesPoints, SeriesSketches } from '../series/series-columns.ts';
import type { FoundSlot } from './found-slot.ts';

/** Slots of one series in the order in which the later of two values of one timestamp is valid. */
export function inLogOrder(slots: readonly FoundSlot[]): readonly FoundSlot[] {
  for (let i = 1; i < slots.length; i++) {
    if (compare(slots[i - 1], slots[i]) > 0) return [...slots].sort(compare);
  }
  return slots;
}

function compare({ page: a }: FoundSlot, { page: b }: FoundSlot): number {
  return a.mapEpoch - b.mapEpoch || a.fromOffset - b.fromOffset || a.toOffset - b.toOffset;
}

export const NO_VIEWS: readonly HeadView[] = [];

/** Points that are read in one piece, and what a point and a sketch cost in units of the cost of a fold. */
const PIECE = 8192;
const READ_COST = 1 / 4;
const SKETCH_COST = 4;

/**
 * Appends the numbers of one series from its slots and the head (ascending by map epoch) to `target`, in pieces: by map epoch, then
 * in log order.
 */
export function* appendPointsInPieces(
  series: number,
  slots: readonly FoundSlot[],
  views: readonly HeadView[],
  codec: PageCodec,
  target: SeriesPoints,
): SlicedWork<void, number> {
  let paid = target.length;
  for (const source of inOrder(slots, views)) {
    if ('slot' in source) appendSlotPoints(source, codec, target);
    else source.addPoints(series, target, codec);
    if (target.length < paid + PIECE) continue;
    yield (target.length - paid) * READ_COST;
    paid = target.length;
  }
}

/** Appends the sketches of one series to `target`, in the order of `appendPointsInPieces`, in pieces. */
export function* appendSketchesInPieces(
  series: number,
  slots: readonly FoundSlot[],
  views: readonly HeadView[],
  target: SeriesSketches,
): SlicedWork<void, number> {
  for (const source of inOrder(slots, views)) {
    const before = target.length;
    if ('slot' in source) appendSlotSketches(source, target);
    else source.addSketches(series, target);
    yield (target.length - before) * SKETCH_COST;
  }
}

/** Slots and views by map epoch; what is in pages was committed before anything that is still in the head. */
function inOrder(slots: readonly FoundSlot[], views: readonly HeadView[]): readonly (FoundSlot | HeadView)[] {
  const ordered = inLogOrder(slots);
  if (views.length === 0) return ordered;
  const all: (FoundSlot | HeadView)[] = [];
  let next = 0;
  for (const view of views) {
    while (next < ordered.length && ordered[next].page.mapEpoch <= view.mapEpoch) all.push(ordered[next++]);
    all.push(view);
  }
  while (next < ordered.length) all.push(ordered[next++]);
  return all;
}

/** Appends the numbers of a slot to `target`. Errors: those of a damaged page, after which nothing is added. */
export function appendSlotPoints(
  { page, slot, count }: FoundSlot,
  { decoder, columnAt: at }: PageCodec,
  target: SeriesPoints,
): void {
  target.reserve(count);
  decoder.decode(page, slot, at);
  page.times.copyTimes(page.classOf(slot), target.timesMs, target.length);
  copyColumn(decoder.floats, at / 8, count, target.values, target.length);
  target.length += count;
}

/** Appends the sketches of a slot to `target`. */
export function appendSlotSketches({ page, slot }: FoundSlot, target: SeriesSketches): void {
  const timesMs = page.times.timesOf(page.classOf(slot));
  page.sketchesOf(slot).forEach((payload, i) => {
    target.push(timesMs[i], payload);
  });
}
