import { type FrameSeries, SERIES_COST, SPACE_FOLD, type SpacePartial, TIME_FOLD, type Work } from '@tidemark/fold';
import { type Kind, kindName, tagsKey } from '@tidemark/model';
import { isTidemarkError, type TidemarkError } from '@tidemark/ports';
import { type LeafPlan, planLeaf, type QueryLeaf } from '@tidemark/query-language';
import { collapsedNote } from './collapsed-note.ts';
import type { LeafFindings } from './leaf-findings.ts';
import { type KindGroup, type LeafMatch, matchLeaf } from './leaf-match.ts';
import type { QueryRun } from './query-run.ts';
import { sharesSeries } from './series-ids.ts';
import type { AlignedSteps } from './steps.ts';

/** The finished series of a leaf, with the tags and kind of each as its key, and the kinds of the metric. */
export interface LeafFrame {
  readonly series: readonly FrameSeries[];
  readonly keys: readonly string[];
  readonly kinds: readonly Kind[];
  /** Unit that is stated of the metric. */
  readonly unit: string | undefined;
}

/**
 * The finished series of a leaf: matched in the tag stores, folded in the point stores, merged in partition order.
 * Parts that could not answer are noted in the run; their share is missing here. `findings` takes what the parts say
 * apart from values.
 */
export async function readLeaf(
  run: QueryRun,
  leaf: QueryLeaf,
  steps: AlignedSteps,
  findings: LeafFindings,
): Promise<LeafFrame> {
  const match = await matchLeaf(run, leaf, steps, findings);
  const plans = plansOf(run, leaf, match.kinds);
  const merged = new MergedGroups(run, leaf, steps, plans);
  for (const { reply } of match.partitions) for (const group of reply.groups) merged.expect(group);
  merged.takeMemory();
  const asked = askAll(run, match, plans, steps, findings);
  // Awaited in the order of partitions, so that sums of floating-point numbers come out the same each time.
  for (const reply of await Promise.all(asked)) {
    await run.inSlices(merged.merge(reply));
  }
  return { ...(await run.inSlices(merged.finish())), kinds: match.kinds, unit: match.unit };
}

type Plans = ReadonlyMap<Kind, LeafPlan>;

/** Plans how each kind of the metric is folded. A kind that can't answer is omitted with a note, if another one can. */
function plansOf(run: QueryRun, leaf: QueryLeaf, kinds: readonly Kind[]): Plans {
  const plans = new Map<Kind, LeafPlan>();
  const refusals: { readonly kind: Kind; readonly error: TidemarkError }[] = [];
  for (const kind of kinds) {
    try {
      plans.set(kind, planLeaf(leaf, kind));
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      refusals.push({ kind, error });
    }
  }
  if (plans.size === 0 && refusals.length > 0) throw refusals[0].error;
  for (const { kind, error } of refusals) {
    run.notes.add(`series of ${leaf.metric} of kind ${kindName(kind)} are omitted: ${error.message}`);
  }
  return plans;
}

interface PartReply {
  readonly groups: readonly KindGroup[];
  /** Of the first groups: of all, unless the part could not answer. */
  readonly partials: readonly SpacePartial[];
}

/** Creates one request for each partition and kind. A partition without series is asked for its watermark. */
function askAll(
  run: QueryRun,
  { metricId, partitions, intervalMs }: LeafMatch,
  plans: Plans,
  { fromMs, toMs, stepMs, steps }: AlignedSteps,
  findings: LeafFindings,
): Promise<PartReply>[] {
  return partitions.flatMap(({ partition, reply }) => {
    const ask = async (plan: FoldPair, groups: readonly KindGroup[]): Promise<PartReply> => {
      const { timeFold, spaceFold } = plan;
      const request = {
        partition,
        tenant: run.tenant,
        metricId,
        fromMs,
        toMs,
        stepMs,
        timeFold,
        spaceFold,
        tagsOffset: reply.tagsOffset,
        latenessMs: run.latenessMs,
        intervalMs,
      };
      const ids = groups.map(({ series }) => series);
      const partials = await run.aggregate(request, steps, ids, findings);
      return { groups, partials };
    };
    const asked = [...plans]
      .map(([kind, plan]) => ({ plan, groups: reply.groups.filter((group) => group.kind === kind) }))
      .filter(({ groups }) => groups.length > 0);
    return asked.length === 0 ? [ask(POSITION_ONLY, [])] : asked.map(({ plan, groups }) => ask(plan, groups));
  });
}

type FoldPair = Pick<LeafPlan, 'timeFold' | 'spaceFold'>;

/** Folds for a request without groups: they must be valid, and nothing is folded. */
const POSITION_ONLY: FoldPair = { timeFold: TIME_FOLD.count, spaceFold: SPACE_FOLD.count };

interface MergedGroup {
  readonly tags: readonly string[];
  readonly kind: Kind;
  readonly plan: LeafPlan;
  readonly partial: SpacePartial;
  /** Ids of the partitions' shares of the group; more than one only while slots move. */
  readonly shares: Uint8Array[];
}

/** The groups of a leaf, merged over partitions. */
class MergedGroups {
  readonly #run: QueryRun;
  readonly #leaf: QueryLeaf;
  readonly #steps: AlignedSteps;
  readonly #plans: Plans;
  readonly #expected = new Map<string, Kind>();
  readonly #groups = new Map<string, MergedGroup>();
  #taken = { sketches: 0, others: 0 };

  constructor(run: QueryRun, leaf: QueryLeaf, steps: AlignedSteps, plans: Plans) {
    this.#run = run;
    this.#leaf = leaf;
    this.#steps = steps;
    this.#plans = plans;
  }

  expect(group: KindGroup): void {
    const kind = group.kind;
    if (this.#plans.has(kind)) this.#expected.set(keyOf(group), kind);
  }

  /** Checks the memory of all groups against the limits, before any point is read. */
  takeMemory(): void {
    const areSketches = (kind: Kind) => this.#plans.get(kind)?.timeFold === TIME_FOLD.sketch;
    const sketches = [...this.#expected.values()].filter(areSketches).length;
    this.#taken = { sketches, others: this.#expected.size - sketches };
    this.#run.takeGroups(this.#taken.others, this.#steps.steps, false);
    this.#run.takeGroups(sketches, this.#steps.steps, true);
  }

  *merge({ groups, partials }: PartReply): Work<void> {
    for (const [i, partial] of partials.entries()) {
      const group = groups[i];
      const key = keyOf(group);
      const known = this.#groups.get(key);
      yield SERIES_COST;
      if (known !== undefined) {
        known.partial.merge(partial);
        known.shares.push(group.series);
        yield this.#costOf(partial);
        continue;
      }
      const kind = group.kind;
      const plan = this.#plans.get(kind);
      if (plan === undefined) continue;
      this.#groups.set(key, { tags: group.tags, kind, plan, partial, shares: [group.series] });
    }
  }

  #costOf({ fold, steps }: SpacePartial): number {
    return SERIES_COST + steps * (fold === SPACE_FOLD.sketch ? SKETCH_COST : 1);
  }

  /** The finished series, ordered by tags, then kind. */
  *finish(): Work<Omit<LeafFrame, 'kinds' | 'unit'>> {
    const sorted = [...this.#groups].sort(([a], [b]) => (a < b ? -1 : 1));
    const groups = sorted.map(([, group]) => group);
    if (groups.some(({ shares }) => haveCommonSeries(shares))) {
      this.#run.notes.add(
        `series of ${this.#leaf.metric} moved between partitions; a step with points in both partitions counts them as two series`,
      );
    }
    this.#noteCollapsed(groups);
    const series: FrameSeries[] = [];
    for (const { tags, kind, plan, partial } of groups) {
      const values = partial.values(plan.read);
      series.push({ tags, metric: this.#leaf.metric, kind: plan.valueKind, storedKind: kind, values });
      yield this.#costOf(partial);
    }
    this.#groups.clear();
    this.#run.releaseGroups(this.#taken.others, this.#steps.steps, false);
    this.#run.releaseGroups(this.#taken.sketches, this.#steps.steps, true);
    return { series, keys: sorted.map(([key]) => key) };
  }

  #noteCollapsed(groups: readonly MergedGroup[]): void {
    const read = groups.find(({ plan }) => plan.read.type === 'quantile')?.plan.read;
    if (read?.type !== 'quantile') return;
    const partials = groups.filter(({ plan }) => plan.read.type === 'quantile').map(({ partial }) => partial);
    const { metric } = this.#leaf;
    const note = collapsedNote(metric, read.quantile, partials);
    if (note !== undefined) this.#run.notes.add(note);
  }
}

/** What merging or reading a sketch costs, in values. */
const SKETCH_COST = 32;

function haveCommonSeries(shares: readonly Uint8Array[]): boolean {
  return shares.some((share, i) => shares.slice(i + 1).some((other) => sharesSeries(share, other)));
}

function keyOf(group: KindGroup): string {
  return `${tagsKey(group.tags)}\0${group.kind}`;
}
