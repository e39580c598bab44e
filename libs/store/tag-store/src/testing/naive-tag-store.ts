import type {
  DescribedMetric,
  DescribeMetricsRequest,
  DescribeTagsRequest,
  MatchedGroup,
  MatchRequest,
  TagFilter,
  TagKeyDescription,
} from '@tidemark/contract';
import { DAY_MS, dayOf, type SeriesClass, type SeriesName, seriesId } from '@tidemark/model';
import { keyOfTag } from '../tag-dictionary.ts';

interface NaiveSeries {
  readonly id: string;
  readonly name: SeriesName;
  readonly days: Set<number>;
}

/** The expected answers of the tag store, computed by checking every series each time. */
export class NaiveTagStore {
  readonly series = new Map<string, NaiveSeries>();
  readonly unknown = new Map<string, Set<number>>();

  add(name: SeriesName, day: number): void {
    const id = seriesId(name).toString('hex');
    const series = this.series.get(id) ?? { id, name, days: new Set(this.unknown.get(id)) };
    this.unknown.delete(id);
    series.days.add(day);
    this.series.set(id, series);
  }

  addDay(name: SeriesName, day: number): void {
    const id = seriesId(name).toString('hex');
    const series = this.series.get(id);
    if (series) series.days.add(day);
    else this.unknown.set(id, (this.unknown.get(id) ?? new Set()).add(day));
  }

  #seen(tenant: string, metric: string, fromMs: number, toMs: number): NaiveSeries[] {
    return [...this.series.values()].filter(
      ({ name, days }) =>
        name.tenant === tenant &&
        name.metric === metric &&
        fromMs < toMs &&
        [...days].some((day) => day >= dayOf(fromMs) && day * DAY_MS < toMs),
    );
  }

  /** Those seen in the range, those seen before and after it, and those seen on most days until shortly before it. */
  #alive(tenant: string, metric: string, fromMs: number, toMs: number): NaiveSeries[] {
    const before = this.#seen(tenant, metric, 0, dayOf(fromMs) * DAY_MS);
    const after = new Set(this.#seen(tenant, metric, (dayOf(toMs - 1) + 1) * DAY_MS, Number.MAX_SAFE_INTEGER));
    const within = fromMs < toMs ? before.filter((one) => after.has(one)) : [];
    const first = dayOf(fromMs);
    const daily = (fromMs < toMs ? before : []).filter(({ days }) => {
      const ago = [...days].map((day) => first - day).filter((each) => each > 0);
      return ago.some((each) => each <= 3) && ago.filter((each) => each <= 8).length >= 4;
    });
    return [...new Set([...this.#seen(tenant, metric, fromMs, toMs), ...within, ...daily])];
  }

  match(request: MatchRequest): { classes: SeriesClass[]; groups: MatchedGroup[] } {
    const seen = this.#alive(request.tenant, request.metric, request.fromMs, request.toMs);
    const groups = new Map<string, { tags: string[]; seriesClass: SeriesClass; ids: string[] }>();
    for (const { id, name } of seen) {
      if (!fits(request.filter, name.tags)) continue;
      const names = new Set(combinations(request.groupBy, name.tags).map((tags) => JSON.stringify(tags)));
      for (const tags of names) {
        const key = `${tags}${name.seriesClass}`;
        const group = groups.get(key) ?? { tags: JSON.parse(tags), seriesClass: name.seriesClass, ids: [] as string[] };
        group.ids.push(id);
        groups.set(key, group);
      }
    }
    return {
      classes: classesOf(seen),
      groups: [...groups.values()]
        .map(({ tags, seriesClass, ids }) => ({ tags, seriesClass, series: Buffer.from(ids.sort().join(''), 'hex') }))
        .sort((a, b) => compareLists(a.tags, b.tags) || a.seriesClass - b.seriesClass),
    };
  }

  describeMetrics(request: DescribeMetricsRequest): DescribedMetric[] {
    const names = new Set([...this.series.values()].map(({ name }) => name.metric));
    const found: DescribedMetric[] = [];
    for (const metric of [...names].sort()) {
      const seen = this.#seen(request.tenant, metric, request.fromMs, Number.MAX_SAFE_INTEGER);
      const selected = seen.filter(({ name }) => fits(request.filter, name.tags));
      if (request.names.length > 0 && !request.names.includes(metric)) continue;
      if (selected.length === 0 || !metric.includes(request.contains) || metric <= (request.after ?? '')) continue;
      const lastDay = Math.max(...seen.flatMap(({ days }) => [...days]));
      found.push({
        metric,
        classes: classesOf(selected),
        series: selected.length,
        lastDayMs: lastDay * DAY_MS,
        metadata: undefined,
      });
    }
    return found.slice(0, request.limit);
  }

  describeTags(request: DescribeTagsRequest): TagKeyDescription[] {
    const seen = this.#seen(request.tenant, request.metric, request.fromMs, request.toMs).filter(({ name }) =>
      fits(request.filter, name.tags),
    );
    const keys = new Set(seen.flatMap(({ name }) => name.tags.map(keyOfTag)));
    return [...keys].sort().map((key) => {
      const having = seen.filter(({ name }) => name.tags.some((tag) => keyOfTag(tag) === key));
      const tags = new Set(having.flatMap(({ name }) => name.tags.filter((tag) => keyOfTag(tag) === key)));
      const top = [...tags]
        .map((tag) => ({ value: valueOfTag(tag), series: having.filter(({ name }) => name.tags.includes(tag)).length }))
        .sort((a, b) => b.series - a.series || (a.value < b.value ? -1 : 1));
      return { key, values: tags.size, series: having.length, top: top.slice(0, request.limit) };
    });
  }
}

function classesOf(seen: readonly NaiveSeries[]): SeriesClass[] {
  return [...new Set(seen.map(({ name }) => name.seriesClass))].sort();
}

function valueOfTag(tag: string): string {
  return tag.includes(':') ? tag.slice(tag.indexOf(':') + 1) : '';
}

function combinations(keys: readonly string[], tags: readonly string[]): string[][] {
  if (keys.length === 0) return [[]];
  const own = tags.filter((tag) => keyOfTag(tag) === keys[0]);
  const firsts = own.length > 0 ? own : [`${keys[0]}:N/A`];
  return firsts.flatMap((first) => combinations(keys.slice(1), tags).map((rest) => [first, ...rest]));
}

function fits(filter: TagFilter | undefined, tags: readonly string[]): boolean {
  const step = filter?.filter;
  if (step === undefined) return true;
  const has = (key: string, test: (value: string) => boolean): boolean =>
    tags.some((tag) => keyOfTag(tag) === key && test(valueOfTag(tag)));
  switch (step.$case) {
    case 'tag':
      return tags.includes(step.value);
    case 'pattern': {
      const parts = step.value.pattern.split('*').map((part) => part.replace(/[^\w]/g, '\\$&'));
      return has(step.value.key, (value) => new RegExp(`^${parts.join('[^]*')}$`).test(value));
    }
    case 'in':
      return has(step.value.key, (value) => step.value.values.includes(value));
    case 'not':
      return !fits(step.value, tags);
    case 'and':
      return step.value.filters.every((each) => fits(each, tags));
    case 'or':
      return step.value.filters.some((each) => fits(each, tags));
    default:
      return false;
  }
}

function compareLists(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
  return 0;
}
