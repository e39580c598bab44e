import type { ByteWriter } from '@tidemark/bytes';
import type { ColumnReader } from '@tidemark/columns';

/** Writes dense numbers as runs of equal distances: the series of one metric are often defined one distance apart. */
export function writeSeriesRuns(series: Uint32Array, out: ByteWriter): void {
  let before = 0;
  for (let at = 0; at < series.length; ) {
    const distance = series[at] - before;
    let end = at + 1;
    while (end < series.length && series[end] - series[end - 1] === distance) end++;
    out.signedVarint(distance);
    out.varint(end - at);
    before = series[end - 1];
    at = end;
  }
}

/** Reads `count` numbers that `writeSeriesRuns` wrote. Returns `known` if they are the same. */
export function readSeriesRuns(reader: ColumnReader, count: number, known?: Uint32Array): Uint32Array {
  const all = new Uint32Array(count);
  let series = 0;
  for (let at = 0; at < count; ) {
    const distance = reader.signedVarint();
    const length = reader.count(count - at, 'series of a run');
    if (length === 0) reader.fail('a run without series');
    for (let i = 0; i < length; i++) {
      series += distance;
      if (!(series >= 0 && series <= 0xffff_ffff)) reader.fail(`a series of number ${series}`);
      all[at++] = series;
    }
  }
  return known?.length === count && all.every((one, i) => one === known[i]) ? known : all;
}
