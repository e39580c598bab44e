import { toHex } from '@tidemark/bytes';
import { isStaleMarker, seriesClassName } from '@tidemark/model';
import { csvCell, printable } from '@tidemark/model/safe-text';
import { unpackSketch } from '@tidemark/sketch';
import type { ArchivedSeries } from './archived-series.ts';

/** What a point has: a value, or the totals of a sketch. */
type Totals = { readonly count: number; readonly sum: number; readonly min: number; readonly max: number };
type Point = { readonly time: string } & ({ readonly value: number } | Totals);

function* pointsOf({ timesMs, values, sketches = [] }: ArchivedSeries): Generator<Point> {
  for (const [i, timeMs] of timesMs.entries()) {
    const time = new Date(timeMs).toISOString();
    yield values === undefined ? { time, ...totalsOf(sketches[i]) } : { time, value: values[i] };
  }
}

function totalsOf(packed: Uint8Array): Totals {
  const { count, sum, min, max } = unpackSketch(packed);
  return { count, sum, min, max };
}

/** A number as text: of those that JSON does not have `NaN`, `Infinity`, `-Infinity`, and `stale` for the end of a series. */
function textOf(value: number): string {
  return isStaleMarker(value) ? 'stale' : String(value);
}

function jsonOf(value: number): number | string {
  return Number.isFinite(value) ? value : textOf(value);
}

/** Lines for people: time, series, and value or totals. */
export function* textLines(series: ArchivedSeries): Generator<string> {
  const { metric, tags, id } = series;
  const name = printable(`${metric}{${tags?.join(',') ?? `series ${toHex(id)}`}}`);
  for (const point of pointsOf(series)) {
    const text =
      'value' in point
        ? textOf(point.value)
        : `count ${point.count} sum ${textOf(point.sum)} min ${textOf(point.min)} max ${textOf(point.max)}`;
    yield `${point.time} ${name} ${text}`;
  }
}

/** One JSON object a point. Numbers that JSON does not have are texts. */
export function* jsonLines(series: ArchivedSeries): Generator<string> {
  const { tenant, metric, seriesClass, id, tags } = series;
  const name = { tenant, metric, class: seriesClassName(seriesClass), series: toHex(id), tags };
  const start = JSON.stringify(name).slice(0, -1);
  for (const { time, ...numbers } of pointsOf(series)) {
    const shown = Object.entries(numbers).map(([key, value]) => [key, jsonOf(value)]);
    yield `${start},${JSON.stringify({ time, ...Object.fromEntries(shown) }).slice(1)}`;
  }
}

const COLUMNS = ['time', 'tenant', 'metric', 'class', 'series', 'tags', 'value', 'count', 'sum', 'min', 'max'];

/** The line of CSV (RFC 4180) with the names of the columns. */
export function csvHead(): string {
  return COLUMNS.join(',');
}

/** Lines of CSV. Tags are a list in JSON, since they may have any character; empty for a series without a name. */
export function* csvRows(series: ArchivedSeries): Generator<string> {
  const { tenant, metric, seriesClass, id, tags } = series;
  const texts = [
    tenant,
    metric,
    seriesClassName(seriesClass),
    toHex(id),
    tags === undefined ? '' : JSON.stringify(tags),
  ];
  const name = texts.map(csvCell).join(',');
  for (const point of pointsOf(series)) {
    const numbers =
      'value' in point
        ? `${textOf(point.value)},,,,`
        : `,${point.count},${textOf(point.sum)},${textOf(point.min)},${textOf(point.max)}`;
    yield `${point.time},${name},${numbers}`;
  }
}
