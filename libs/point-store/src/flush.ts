import { ChunkSketches } from '@tidemark/chunk';
import { ChunkBatches, type ChunkSource } from './chunk-batch.ts';
import type { HeadPage, SketchRow } from './head.ts';
import { resolvePoints, resolveSketches } from './resolve.ts';
import type { SeriesTable } from './series-table.ts';

export interface FlushInput {
  readonly pages: readonly HeadPage[];
  readonly sketches: readonly SketchRow[];
  readonly rows: number;
  readonly table: SeriesTable;
  readonly bucketMs: number;
  readonly source: ChunkSource;
}

/** Transposes rows into chunks: by series, then by bucket of time. */
export function flushRows(input: FlushInput): ChunkBatches {
  const { table, bucketMs } = input;
  const batches = new ChunkBatches(bucketMs, input.source);
  const numbers = transpose(input);
  const sketches = sketchesBySeries(input.sketches);
  for (let series = 0; series < table.length; series++) {
    const from = numbers.starts[series];
    const to = numbers.starts[series + 1];
    if (from < to) {
      const end = resolvePoints(table.kind(series), numbers.timesMs, numbers.values, from, to);
      batches.addPoints(series, table.metric(series), numbers.timesMs, numbers.values, from, end);
    }
    const own = sketches.get(series);
    if (own === undefined) continue;
    resolveSketches(own);
    batches.addSketches(series, table.metric(series), own);
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
function transpose({ pages, rows, table }: FlushInput): Transposed {
  const starts = new Uint32Array(table.length + 1);
  for (const { series, length } of pages) for (let i = 0; i < length; i++) starts[series[i] + 1]++;
  for (let s = 0; s < table.length; s++) starts[s + 1] += starts[s];
  const next = starts.slice(0, table.length);
  const timesMs = new Float64Array(rows);
  const values = new Float64Array(rows);
  for (const page of pages) {
    const { series, length } = page;
    for (let i = 0; i < length; i++) {
      const at = next[series[i]]++;
      timesMs[at] = page.timesMs[i];
      values[at] = page.values[i];
    }
  }
  return { starts, timesMs, values };
}

function sketchesBySeries(rows: readonly SketchRow[]): Map<number, ChunkSketches> {
  const bySeries = new Map<number, ChunkSketches>();
  for (const { series, timeMs, payload } of rows) {
    let sketches = bySeries.get(series);
    if (sketches === undefined) {
      sketches = new ChunkSketches();
      bySeries.set(series, sketches);
    }
    sketches.push(timeMs, payload);
  }
  return bySeries;
}
