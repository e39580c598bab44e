import { KIND, tagsKey } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { nearestRank } from '@tidemark/sketch';
import { foldValues, sumOf } from './fold-values.ts';
import { type Frame, type FrameSeries, SERIES_COST } from './frame.ts';
import type { Regrouping } from './method-names.ts';
import type { Work } from './work.ts';

/**
 * Folds finished series over space once more, into one for each combination of the values of `keys`. A step has a value
 * where one of the series has one. Keys that the series are not grouped by are `invalid_argument`.
 */
export function* regroup(frame: Frame, how: Regrouping, keys: readonly string[]): Work<Frame> {
  const groups = new Map<string, { readonly tags: readonly string[]; readonly series: FrameSeries[] }>();
  for (const series of frame.series) {
    const tags = keys.map((key) => tagOf(series, key));
    const name = tagsKey(tags);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, { tags, series: [series] });
    else group.series.push(series);
    yield SERIES_COST;
  }
  const fold = foldOf(how);
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
  const folded: FrameSeries[] = [];
  for (const { tags, series } of sorted) {
    const values = new Float64Array(frame.steps).fill(Number.NaN);
    const present = new Float64Array(series.length);
    for (let i = 0; i < values.length; i++) {
      let count = 0;
      for (const one of series) if (!Number.isNaN(one.values[i])) present[count++] = one.values[i];
      if (count > 0) values[i] = fold(present.subarray(0, count));
      yield count;
    }
    const { kind, metric } = series[0];
    const isSame = series.every((one) => one.kind === kind);
    const keepsKind = isSame && how.type === 'method' && how.name !== 'count' && how.name !== 'stddev';
    folded.push({ tags, metric, kind: keepsKind ? kind : KIND.gauge, values });
  }
  return { ...frame, series: folded };
}

function tagOf(series: FrameSeries, key: string): string {
  const found = series.tags.find((tag) => tag.startsWith(`${key}:`));
  if (found !== undefined) return found;
  const keys = series.tags.map((tag) => tag.slice(0, tag.indexOf(':')));
  throw new TidemarkError(
    'invalid_argument',
    `by {${key}}: the series inside are grouped by ${keys.length === 0 ? 'no key' : keys.join(', ')}; add ${key} to their by {…}`,
    { field: 'group_by', key },
  );
}

type Fold = (values: Float64Array) => number;

function foldOf(how: Regrouping): Fold {
  if (how.type === 'percentile') {
    return (values) => values.sort()[nearestRank(how.percentile / 100, values.length) - 1];
  }
  const { name } = how;
  return name === 'stddev' ? standardDeviation : (values) => foldValues(values, name);
}

/** Of the population. */
function standardDeviation(values: Float64Array): number {
  const mean = foldValues(values, 'avg');
  return Math.sqrt(
    sumOf(
      values.map((value) => (value - mean) ** 2),
      values.length,
    ),
  );
}
