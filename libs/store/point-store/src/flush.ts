import { ChunkSketches } from '@tidemark/chunk';
import type { SeriesIndex } from '@tidemark/point-log';
import { ChunkBatches, type ChunkSource } from './chunk-batch.ts';
import type { EpochRows, RowPage, SketchRow } from './head.ts';
import { compactPoints, sortSketches } from './resolve.ts';

/** Transposes rows into chunks: by series, then by bucket of time. */
export function flushRows(rows: EpochRows, table: SeriesIndex, bucketMs: number, source: ChunkSource): ChunkBatches {
  const batches = new ChunkBatches(bucketMs);
  const { starts, timesMs, values } = transpose(rows.pages, table.length);
  const sketches = sketchesBySeries(rows.sketches);
  for (let series = 0; series < table.length; series++) {
    const from = starts[series];
    const to = starts[series + 1];
    if (from < to) {
      const end = compactPoints(table.seriesClass(series), timesMs, values, from, to);
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
  /** The points of series `s` are at [starts[s], starts[s + 1]), in log order, until the next transposition. */
  readonly starts: Uint32Array;
  readonly timesMs: Float64Array<ArrayBuffer>;
  readonly values: Float64Array<ArrayBuffer>;
}

/** Series of a tile. The rows of a tile are placed together, so that their targets stay in the processor's cache. */
const TILE_SERIES = 256;
/** Rows per run and tile below which the search for the rows of a tile costs more than it saves. */
const TILE_RUN_ROWS = 8;

/**
 * Sorts rows by series with a counting sort. Rows come in runs of ascending series, one per share, so each run is a
 * sorted list: all runs are read in parallel, one tile of series after the other.
 */
function transpose(pages: readonly RowPage[], seriesCount: number): Transposed {
  const starts = new Uint32Array(seriesCount + 1);
  for (const { series, length } of pages) for (let i = 0; i < length; i++) starts[series[i] + 1]++;
  for (let s = 0; s < seriesCount; s++) starts[s + 1] += starts[s];
  const next = starts.slice(0, seriesCount);
  const { timesMs, values } = scratchFor(starts[seriesCount]);
  const runs = runsOf(pages);
  const mostTiles = Math.max(1, Math.floor(starts[seriesCount] / (runs.length * TILE_RUN_ROWS)));
  const width = Math.max(TILE_SERIES, Math.ceil(seriesCount / mostTiles));
  for (let tileEnd = width; tileEnd < seriesCount + width; tileEnd += width) {
    for (const run of runs) {
      const { series, timesMs: times, values: own } = run.page;
      let i = run.at;
      for (; i < run.end && series[i] < tileEnd; i++) {
        const to = next[series[i]]++;
        timesMs[to] = times[i];
        values[to] = own[i];
      }
      run.at = i;
    }
  }
  return { starts, timesMs, values };
}

/** Memory that is kept between commits: fresh memory costs as much as filling it. */
let scratch = { timesMs: new Float64Array(0), values: new Float64Array(0) };

function scratchFor(rows: number): typeof scratch {
  if (scratch.values.length < rows) scratch = { timesMs: new Float64Array(rows), values: new Float64Array(rows) };
  return scratch;
}

interface Run {
  readonly page: RowPage;
  at: number;
  readonly end: number;
}

/** The longest runs of rows whose series do not descend, in log order. */
function runsOf(pages: readonly RowPage[]): Run[] {
  const runs: Run[] = [];
  for (const page of pages) {
    const { series, length } = page;
    for (let at = 0; at < length; ) {
      let end = at + 1;
      while (end < length && series[end] >= series[end - 1]) end++;
      runs.push({ page, at, end });
      at = end;
    }
  }
  return runs;
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
