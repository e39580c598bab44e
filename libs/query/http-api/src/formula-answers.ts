import { tagsKey } from '@tidemark/model';
import type { FormulaAnswer, FormulaRequest, FormulaSeries } from '@tidemark/query';
import { partErrorText } from './datadog-query.ts';
import { datadogUnit } from './datadog-unit.ts';
import { JsonList } from './json-stream.ts';

/** The unit and the per-unit where they are not known. */
const NO_UNIT = [null, null];

/**
 * Converts an answer to the format of `POST /api/v2/query/timeseries`: all series over the same times. Completeness,
 * gaps and notes are in `meta`; `complete_length` of a series says how many of the times are complete for it.
 */
export function timeseriesAnswer(answer: FormulaAnswer): Record<string, unknown> {
  const times = [...new Set(answer.results.flatMap(({ startsMs }) => startsMs))].sort((a, b) => a - b);
  const indexOf = new Map(times.map((timeMs, i) => [timeMs, i]));
  const shown = answer.results.flatMap((result, queryIndex) => {
    const indexes = result.startsMs.map((startMs) => indexOf.get(startMs) ?? 0);
    const complete = result.completeSteps === 0 ? 0 : indexes[result.completeSteps - 1] + 1;
    return result.series.map((one) => ({ one, indexes, complete, queryIndex, result }));
  });
  const series = shown.map(({ one, complete, queryIndex, result }) => ({
    group_tags: one.tags,
    query_index: queryIndex,
    unit: datadogUnit(result.unit) ?? NO_UNIT,
    interval: result.stepMs,
    complete_length: complete,
  }));
  const values = JsonList.of(shown, ({ one, indexes }) => {
    const column = new Array<number | null>(times.length).fill(null);
    indexes.forEach((index, step) => {
      column[index] = numberOrNull(one.values[step]);
    });
    return column;
  });
  return { data: { type: 'timeseries_response', attributes: { series, times, values } }, ...additions(answer) };
}

/**
 * Converts an answer to the format of `POST /api/v2/query/scalar`: a column for each key of the groups, and one for each
 * formula. Where formulas have limits, the rows are those that all of them keep, in the order of the first.
 */
export function scalarAnswer(
  { queries, formulas }: Pick<FormulaRequest, 'queries' | 'formulas'>,
  answer: FormulaAnswer,
): Record<string, unknown> {
  const columns = answer.results.map(({ series }) => columnOf(series));
  const rows = rowsOf(
    columns,
    formulas.map(({ limit }) => limit !== undefined),
  );
  const groups = [...new Set(rows.flatMap(({ tags }) => tags.map(tagKey)))].map((name) => ({
    name,
    type: 'group',
    values: rows.map(({ tags }) => tags.filter((tag) => tagKey(tag) === name).map(tagValue)),
  }));
  const names = formulas.length === 0 ? queries.map(({ name }) => name) : formulas.map(({ formula }) => formula);
  const numbers = columns.map((column, i) => ({
    name: names[i],
    type: 'number',
    values: rows.map(({ key }) => numberOrNull(column.get(key)?.values[0])),
    meta: { unit: datadogUnit(answer.results[i].unit) ?? NO_UNIT },
  }));
  return {
    data: { type: 'scalar_response', attributes: { columns: [...groups, ...numbers] } },
    ...additions(answer),
  };
}

interface Row extends FormulaSeries {
  readonly key: string;
}

/** Series by their tags. A metric of several kinds may have several with the same tags, which stay apart. */
function columnOf(series: readonly FormulaSeries[]): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const one of series) {
    let key = tagsKey(one.tags);
    while (rows.has(key)) key += '\0';
    rows.set(key, { ...one, key });
  }
  return rows;
}

function rowsOf(columns: readonly ReadonlyMap<string, Row>[], isLimited: readonly boolean[]): Row[] {
  const limited = columns.filter((_, i) => isLimited[i]);
  const [first] = limited;
  if (first !== undefined) return [...first.values()].filter(({ key }) => limited.every((column) => column.has(key)));
  const all = new Map<string, Row>();
  for (const column of columns) for (const [key, row] of column) if (!all.has(key)) all.set(key, row);
  return [...all.values()];
}

/** What Datadog's format has no place for. Its clients ignore `meta`, and read `errors` as a text. */
function additions(answer: FormulaAnswer): Record<string, unknown> {
  const { completeThroughMs, coveredFromMs, coveredToMs, gaps, notes } = answer;
  const errors = answer.errors.map(partErrorText);
  return {
    ...(errors.length > 0 ? { errors: errors.join('; ') } : {}),
    meta: {
      complete_through_ms: completeThroughMs ?? null,
      is_complete: completeThroughMs !== undefined && completeThroughMs >= coveredToMs,
      covered_from_ms: coveredFromMs,
      covered_to_ms: coveredToMs,
      ...{ errors, gaps, notes },
    },
  };
}

/** JSON has neither NaN nor infinity. */
function numberOrNull(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

function tagKey(tag: string): string {
  return tag.split(':', 1)[0];
}

function tagValue(tag: string): string {
  return tag.slice(tagKey(tag).length + 1);
}
