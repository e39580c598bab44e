import { type ChunkPoints, type ChunkSketches, decodeChunk, decodeSketchChunk } from '@tidemark/chunk';
import type { HeadRows } from './head-rows.ts';
import type { StoredChunk } from './stored-chunk.ts';

/** Chunks of one series in the order in which the later of two values of one timestamp is valid. */
export function inLogOrder(stored: readonly StoredChunk[]): readonly StoredChunk[] {
  return stored.length < 2
    ? stored
    : [...stored].sort((a, b) => a.mapEpoch - b.mapEpoch || a.fromOffset - b.fromOffset || a.toOffset - b.toOffset);
}

export const NO_ROWS: readonly HeadRows[] = [];

/**
 * Appends the numbers of one series from its chunks and rows (ascending by map epoch) to `target`: by map epoch, then
 * in log order. A chunk's rows were committed before any row that is still in RAM.
 */
export function appendPoints(
  series: number,
  stored: readonly StoredChunk[],
  rows: readonly HeadRows[],
  target: ChunkPoints,
): void {
  const chunks = inLogOrder(stored);
  let next = 0;
  for (const own of rows) {
    while (next < chunks.length && chunks[next].mapEpoch <= own.mapEpoch) decodeChunk(chunks[next++].chunk, target);
    own.addPoints(series, target);
  }
  while (next < chunks.length) decodeChunk(chunks[next++].chunk, target);
}

/** Appends the sketches of one series to `target`, in the order of `appendPoints`. */
export function appendSketches(
  series: number,
  stored: readonly StoredChunk[],
  rows: readonly HeadRows[],
  target: ChunkSketches,
): void {
  const chunks = inLogOrder(stored);
  let next = 0;
  for (const own of rows) {
    while (next < chunks.length && chunks[next].mapEpoch <= own.mapEpoch) {
      decodeSketchChunk(chunks[next++].chunk, target);
    }
    own.addSketches(series, target);
  }
  while (next < chunks.length) decodeSketchChunk(chunks[next++].chunk, target);
}
