import { ChunkSketches } from '@tidemark/chunk';
import { ChunkBatches, type ChunkSource } from './chunk-batch.ts';
import type { EpochRows, HeadPage, SketchRow } from './head.ts';
import { compactPoints, sortSketches } from './resolve.ts';
import type { SeriesTable } from './series-table.ts';

/** Transposes rows into chunks: by series, then by bucket of time. */
export function flushRows(rows: EpochRows, table: SeriesTable, bucketMs: number, source: ChunkSource): ChunkBatches {
  const batches = new ChunkBatches(bucketMs);
  const { starts, timesMs, values } = transpose(rows.pages, table.length);
  const sketches = sketchesBySeries(rows.sketches);
  for (let series = 0; series < table.length; series++) {
    const from = starts[series];
    const to = starts[series + 1];
    if (from < to) {
      const end = compactPoints(table.kind(series), timesMs, values, from, to);
      batches.addPoints(series, table.metric(series), timesMs, values, from, end, source);
    }
    if (sketches.size === 0) continue;
    const own = sketches.get(series);
    if (own === undefined) continue;
    sortSketches(own);
    batches.addSketches(series, table.metric(series), own, source);
  }
  return batches;
}

interface Transposed {
  /** The points of series `s` are at [starts[s], starts[s + 1]), in log order. */
  readonly starts: Uint32Array;
  readonly timesMs: Float64Array<ArrayBuffer>;
  readonly values: Float64Array<ArrayBuffer>;
}

/** A counting sort by series: two passes over the rows. */
function transpose(pages: readonly HeadPage[], seriesCount: number): Transposed {
  const starts = new Uint32Array(seriesCount + 1);
  for (const { series, length } of pages) for (let i = 0; i < length; i++) starts[series[i] + 1]++;
  for (let s = 0; s < seriesCount; s++) starts[s + 1] += starts[s];
  const next = starts.slice(0, seriesCount);
  const timesMs = new Float64Array(starts[seriesCount]);
  const values = new Float64Array(starts[seriesCount]);
  for (const page of pages) {
    const { series, length, timesMs: times, values: own } = page;
    for (let i = 0; i < length; i++) {
      const at = next[series[i]]++;
      timesMs[at] = times[i];
      values[at] = own[i];
    }
  }
  return { starts, timesMs, values };
}

function sketchesBySeries(rows: readonly SketchRow[]): Map<number, ChunkSketches> {
  const bySeries = new Map<number, ChunkSketches>();
  for (const { series, timeMs, payload } of rows) {
    let sketches = bySeries.get(series);
    if (sketches === undefined) {
      sketches = new ChunkSketches(4);
      bySeries.set(series, sketches);
    }
    sketches.push(timeMs, payload);
  }
  return bySeries;
}
