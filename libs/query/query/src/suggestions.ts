import type { DescribedMetric, TagKeyDescription } from '@tidemark/contract';
import type { Frame } from '@tidemark/fold';
import { nearest, printFilter, type QueryLeaf, type TagFilter } from '@tidemark/query-language';
import { allPartitions, askForMetrics } from './ask-for-metrics.ts';
import { mergeTagKeys } from './describe.ts';
import type { LeafSteps } from './leaf-steps.ts';
import { ownersOf } from './metric-owners.ts';
import { Parts } from './parts.ts';
import type { QueryRun } from './query-run.ts';
import { didYouMean, didYouMeanMetric, MAX_COMPARED, similarMetrics } from './similar-metric.ts';

/** A leaf and what was found of it. */
export interface ReadLeaf {
  readonly leaf: QueryLeaf;
  readonly steps: LeafSteps;
  readonly frame: Frame;
  /** True when the metric has series in what was read, whether the leaf selects them or not. */
  readonly isKnown: boolean;
}

/** Leaves of one query that a reason is looked for. */
const MAX_LEAVES = 5;

/**
 * Why leaves found nothing, with a name that was probably meant: of the metric, of a tag key, or of a tag value. Empty
 * where all leaves found series, or where a part failed, which is an error of the answer. Where records of `tags` are missing,
 * what was not found may exist: there is no reason and no name. Where the stores don't answer these questions, there are no
 * names: a suggestion is never why a query fails.
 */
export async function suggestions(run: QueryRun, leaves: readonly ReadLeaf[]): Promise<string[]> {
  const missed = leaves.filter((one) => one.frame.series.length === 0 || missingKeys(one).length > 0);
  if (missed.length === 0 || run.parts.errors.length > 0) return [];
  const lossNotes = missed.flatMap((one) => lossNote(run, one) ?? []);
  const certain = missed.filter(({ leaf }) => partWithGap(run, leaf) === undefined);
  const parts = new Parts(run.limits.concurrentRequests, run.signal);
  try {
    const notes = await Promise.all(
      certain
        .slice(0, MAX_LEAVES)
        .map((one) => (one.isKnown ? tagNotes(run, parts, one) : metricNotes(run, parts, one))),
    );
    return [...new Set([...lossNotes, ...notes.flat()])];
  } catch {
    const noMatchNotes = certain
      .filter(({ frame, isKnown }) => frame.series.length === 0 && isKnown)
      .map(({ leaf }) => noMatchNote(leaf));
    return [...lossNotes, ...noMatchNotes];
  }
}

/** A part that may know series of the leaf, and has not read all records that name series. */
function partWithGap({ gaps, maps, tenant }: QueryRun, { metric }: QueryLeaf): string | undefined {
  const owners = ownersOf(maps, tenant, metric);
  const gap = gaps.find(({ topic, partition }) => topic === 'tags' && owners.includes(partition));
  return gap === undefined ? undefined : `${gap.topic}/${gap.partition}`;
}

function lossNote(run: QueryRun, { leaf, frame }: ReadLeaf): string | undefined {
  const part = partWithGap(run, leaf);
  if (part === undefined || frame.series.length > 0) return undefined;
  const found = `no series of ${leaf.metric} that match {${printFilter(leaf.filter)}} are known in this range`;
  return `${found}, but they may exist: records of ${part} are missing or not read (see gaps)`;
}

/** Keys of the grouping that no series of the leaf has. */
function missingKeys({ leaf, frame }: ReadLeaf): string[] {
  if (frame.series.length === 0) return [];
  return leaf.groupBy.filter((key, i) => frame.series.every(({ tags }) => tags[i] === `${key}:N/A`));
}

async function metricNotes(run: QueryRun, parts: Parts, { leaf }: ReadLeaf): Promise<string[]> {
  const { metric } = leaf;
  const metrics = await similarMetrics(metric, (contains) => metricsWith(run, parts, contains));
  const same = metrics.find((one) => one.metric === metric);
  if (same !== undefined) {
    const day = new Date(same.lastDayMs).toISOString().slice(0, 10);
    return [`${metric} has no points in this range; its newest are of ${day} (UTC)`];
  }
  return [`no metric ${metric} in this range${didYouMeanMetric(metric, metrics)}`];
}

async function metricsWith(run: QueryRun, parts: Parts, contains: string): Promise<DescribedMetric[]> {
  const { tenant, stores, maps } = run;
  const limit = run.limits.described;
  const asked = { tenant, contains, fromMs: 0, limit };
  return (await askForMetrics({ parts, stores, maps }, allPartitions(maps), asked)).metrics.slice(0, limit);
}

async function tagNotes(run: QueryRun, parts: Parts, read: ReadLeaf): Promise<string[]> {
  const { leaf, frame } = read;
  const keys = await tagKeysOf(run, parts, read);
  // A part that does not answer now has no keys, either.
  if (keys.length === 0) return frame.series.length > 0 ? [] : [noMatchNote(leaf)];
  const notes = missingKeys(read)
    .map((key) => keyNote(leaf, key, keys))
    .filter((note) => note !== undefined);
  if (frame.series.length > 0) return notes;
  for (const { key, value } of conditionsOf(leaf.filter)) {
    const known = keys.find((one) => one.key === key);
    if (known === undefined) notes.push(keyNote(leaf, key, keys) ?? `${leaf.metric} has no tag key ${key}`);
    else if (value !== undefined) notes.push(...valueNotes(leaf, known, value));
  }
  if (notes.length === 0) notes.push(noMatchNote(leaf));
  return notes;
}

function noMatchNote({ metric, filter }: QueryLeaf): string {
  return `no series of ${metric} matches {${printFilter(filter)}}`;
}

function keyNote(leaf: QueryLeaf, key: string, keys: readonly TagKeyDescription[]): string | undefined {
  const names = keys.map((one) => one.key);
  if (names.includes(key)) return undefined;
  return `${leaf.metric} has no tag key ${key}${didYouMean(nearest(key, names, MAX_COMPARED))}`;
}

function valueNotes(leaf: QueryLeaf, { key, values, top }: TagKeyDescription, value: string): string[] {
  const names = top.map((one) => one.value);
  if (names.includes(value)) return [];
  const near = nearest(value, names, MAX_COMPARED);
  // Of a key with more values than are listed, the value may exist.
  if (near === undefined && values > names.length) return [];
  return [`${leaf.metric} has no tag ${key}:${value}${didYouMean(near === undefined ? near : `${key}:${near}`)}`];
}

async function tagKeysOf(run: QueryRun, parts: Parts, { leaf, steps }: ReadLeaf): Promise<TagKeyDescription[]> {
  const { segments } = steps;
  const { metric } = leaf;
  const limit = run.limits.described;
  const range = {
    fromMs: Math.min(...segments.map(({ fromMs }) => fromMs)),
    toMs: Math.max(...segments.map(({ toMs }) => toMs)),
  };
  const replies = await Promise.all(
    ownersOf(run.maps, run.tenant, metric).map((partition) =>
      parts.ask(`tags/${partition}`, (signal) =>
        run.stores.tagStore(partition).describeTags({ partition, tenant: run.tenant, metric, ...range, limit }, signal),
      ),
    ),
  );
  return mergeTagKeys(
    replies.map((reply) => reply?.keys ?? []),
    limit,
  );
}

interface Condition {
  readonly key: string;
  /** Without wildcards; undefined when only the key is known. */
  readonly value: string | undefined;
}

/** What the filter demands of a series; conditions that are negated, and bare tags, are left out. */
function conditionsOf(filter: TagFilter): Condition[] {
  switch (filter.type) {
    case 'tag': {
      const colon = filter.tag.indexOf(':');
      if (colon < 1) return [];
      return [{ key: filter.tag.slice(0, colon), value: filter.tag.slice(colon + 1) }];
    }
    case 'pattern':
      return [{ key: filter.key, value: undefined }];
    case 'in':
      return filter.values.map((value) => ({ key: filter.key, value }));
    case 'and':
    case 'or':
      return filter.filters.flatMap(conditionsOf);
    default:
      return [];
  }
}
