import type { MatchedGroup, MatchReply } from '@tidemark/contract';
import {
  FOUND_BEFORE_MS,
  ID_BYTES,
  isNamedAsCounter,
  isSeriesClass,
  KIND,
  type Kind,
  kindName,
  kindOfSeries,
  type MetricMeaning,
  meaningOf,
  mergeMetadata,
  metricId,
} from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import type { QueryLeaf } from '@tidemark/query-language';
import { metadataOfMessage } from '@tidemark/store-rpc';
import type { LeafFindings } from './leaf-findings.ts';
import { ownersOf } from './metric-owners.ts';
import type { QueryRun } from './query-run.ts';
import type { AlignedSteps } from './steps.ts';
import { tagFilterMessage } from './tag-filter-message.ts';

/** The series of one group, of one kind. */
export interface KindGroup extends Pick<MatchedGroup, 'tags' | 'series'> {
  readonly kind: Kind;
}

/** The answer of one partition's tag store for a leaf. */
export interface PartitionMatch {
  readonly partition: number;
  readonly reply: Pick<MatchReply, 'tagsOffset'> & { readonly groups: readonly KindGroup[] };
}

export interface LeafMatch {
  readonly metricId: Buffer;
  /** Answers of the partitions that answered, ascending. */
  readonly partitions: readonly PartitionMatch[];
  /** Kinds of the metric, ascending. */
  readonly kinds: readonly Kind[];
  /** Reporting interval that is stated of the metric, ms; undefined where none is. */
  readonly intervalMs: number | undefined;
  /** Unit that is stated of the metric; undefined where none is. */
  readonly unit: string | undefined;
}

/** Asks the tag stores of every partition that may hold the metric which series a leaf selects, in groups. */
export async function matchLeaf(
  run: QueryRun,
  leaf: QueryLeaf,
  steps: AlignedSteps,
  findings: LeafFindings,
): Promise<LeafMatch> {
  const id = metricId(run.tenant, leaf.metric);
  const newestFirst = ownersOf(run.maps, run.tenant, leaf.metric);
  const owners = [...newestFirst].sort((a, b) => a - b);
  const filter = tagFilterMessage(leaf.filter);
  const found = await Promise.all(
    owners.map(async (partition) => {
      const budget = run.matchBudget;
      const request = {
        partition,
        tenant: run.tenant,
        metric: leaf.metric,
        filter,
        groupBy: [...leaf.groupBy],
        fromMs: Math.max(0, steps.fromMs - FOUND_BEFORE_MS),
        toMs: steps.toMs,
        ...budget,
      };
      const reply = await run.parts.ask(`tags/${partition}`, (signal) =>
        run.stores
          .tagStore(partition)
          .match(request, signal)
          .catch((error: unknown) => {
            throw run.limitOfMatch(error, budget);
          }),
      );
      if (reply === undefined) {
        findings.completeness.miss();
        return undefined;
      }
      findings.addMatch(reply);
      run.addGaps(reply.gaps);
      run.noteDivergences('tags', partition, steps);
      for (const { series } of reply.groups) run.takeSeries(series.length / ID_BYTES);
      return { partition, reply };
    }),
  );
  const replies = found.filter((match) => match !== undefined);
  const byOwner = newestFirst.flatMap((partition) => replies.filter((one) => one.partition === partition));
  const metadata = mergeMetadata(byOwner.map(({ reply }) => metadataOfMessage(reply.metadata)));
  const meaning = meaningOf(leaf.metric, metadata);
  const kindOf = kindsByClass(meaning);
  const kinds = replies.flatMap(({ partition, reply }) => reply.classes.map((one) => kindOf(partition, one)));
  const partitions = replies.map(({ partition, reply: { tagsOffset, groups } }) => ({
    partition,
    reply: {
      tagsOffset,
      groups: groups.map(({ tags, series, seriesClass }) => ({ tags, series, kind: kindOf(partition, seriesClass) })),
    },
  }));
  const distinct = [...new Set(kinds)].sort((a, b) => a - b);
  for (const note of kindNotes(leaf, distinct, meaning)) run.notes.add(note);
  return {
    metricId: id,
    partitions,
    kinds: distinct,
    intervalMs: meaning.intervalMs?.value,
    unit: meaning.unit?.value,
  };
}

/** Notes where an answer depends on what is not known of the metric, or where its kind makes a rate meaningless. */
function kindNotes({ metric, as }: QueryLeaf, kinds: readonly Kind[], { statedKinds }: MetricMeaning): string[] {
  const notes: string[] = [];
  if (as !== undefined && kinds.includes(KIND.gauge)) {
    const stated = statedKinds.find(({ value }) => value === KIND.gauge);
    const source = stated?.source === 'user' ? 'a user' : 'its senders';
    notes.push(
      `${metric} is a gauge, as ${source} stated: as_${as}() changes nothing, and values are shown as they were sent; if it is a counter, state that with ${stateCounter(metric)}`,
    );
  }
  if (as !== undefined && kinds.includes(KIND.reading)) {
    const guess = isNamedAsCounter(metric) ? 'is a counter only by its name' : 'is not known to be a counter';
    notes.push(
      `${metric} ${guess}, and as_${as}() reads it as one: state its kind with ${stateCounter(metric)}, or as a gauge if that is wrong`,
    );
  }
  if (as === undefined && kinds.includes(KIND.reading) && isNamedAsCounter(metric)) {
    notes.push(
      `${metric} is a counter only by its name, and is shown as it was sent: state its kind with ${stateCounter(metric)}, or as a gauge`,
    );
  }
  if (kinds.length > 1) {
    notes.push(`${metric} has series of ${kinds.map(kindName).join(' and ')}: they are folded apart, each by its kind`);
  }
  return notes;
}

/** The command that makes readings a counter, quoted for a shell. */
function stateCounter(metric: string): string {
  const word = /^[\w.]+$/.test(metric) ? metric : `'${metric.replaceAll("'", "'\\''")}'`;
  return `tidemark metric set ${word} --kind counter`;
}

/** Reads classes of partitions' series as kinds, by what is known of the metric. */
function kindsByClass(meaning: MetricMeaning): (partition: number, seriesClass: number) => Kind {
  return (partition, seriesClass) => {
    if (isSeriesClass(seriesClass)) return kindOfSeries(seriesClass, meaning);
    throw new TidemarkError('internal', `tags/${partition} returned the unknown class ${seriesClass}`, { partition });
  };
}
