import type { FoundSlot } from './found-slot.ts';
import type { HeadView } from './head-view.ts';
import type { PageCodec } from './page-codec.ts';
import type { SeriesPoints, SeriesSketches } from './series-columns.ts';

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

/**
 * Appends the numbers of one series from its slots and the head (ascending by map epoch) to `target`: by map epoch, then
 * in log order. What is in pages was committed before anything that is still in the head.
 */
export function appendPoints(
  series: number,
  slots: readonly FoundSlot[],
  views: readonly HeadView[],
  codec: PageCodec,
  target: SeriesPoints,
): void {
  const ordered = inLogOrder(slots);
  let next = 0;
  for (const view of views) {
    while (next < ordered.length && ordered[next].page.mapEpoch <= view.mapEpoch)
      decode(ordered[next++], codec, target);
    view.addPoints(series, target, codec);
  }
  while (next < ordered.length) decode(ordered[next++], codec, target);
}

/** Appends the sketches of one series to `target`, in the order of `appendPoints`. */
export function appendSketches(
  series: number,
  slots: readonly FoundSlot[],
  views: readonly HeadView[],
  target: SeriesSketches,
): void {
  const ordered = inLogOrder(slots);
  let next = 0;
  for (const view of views) {
    while (next < ordered.length && ordered[next].page.mapEpoch <= view.mapEpoch) read(ordered[next++], target);
    view.addSketches(series, target);
  }
  while (next < ordered.length) read(ordered[next++], target);
}

function decode({ page, slot, count }: FoundSlot, { decoder }: PageCodec, target: SeriesPoints): void {
  target.reserve(count);
  const at = decoder.freeAt;
  decoder.decode(page, slot, at);
  target.timesMs.set(page.times.timesOf(page.classOf(slot)), target.length);
  target.values.set(decoder.floats.subarray(at / 8, at / 8 + count), target.length);
  target.length += count;
}

function read({ page, slot }: FoundSlot, target: SeriesSketches): void {
  const timesMs = page.times.timesOf(page.classOf(slot));
  page.sketchesOf(slot).forEach((payload, i) => {
    target.push(timesMs[i], payload);
  });
}
