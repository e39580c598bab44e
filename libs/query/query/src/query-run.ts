import type { AggregateReply, AggregateRequest, Gap, SeriesSet } from '@tidemark/contract';
import { SPACE_FOLD, type SpaceFold, type SpacePartial, unpackPartial, type Work } from '@tidemark/fold';
import { DAY_MS, type PartitionMap } from '@tidemark/model';
import { isTidemarkError, Slots, TidemarkError, type WorkSlice } from '@tidemark/ports';
import { frameBytes } from '@tidemark/query-language';
import { seriesSet } from '@tidemark/replicas';
import type { QueryStores } from '@tidemark/store-rpc';
import { Completeness } from './completeness.ts';
import { Gaps } from './gaps.ts';
import type { LeafFindings } from './leaf-findings.ts';
import type { LogTime } from './log-time.ts';
import type { MemoryBudget } from './memory-budget.ts';
import { Parts } from './parts.ts';
import { beyondLimit, type QueryServiceLimits } from './query-service-limits.ts';

/** The maximum width of a bucket of a point store. */
const LONGEST_BUCKET_MS = DAY_MS;

/** A request without the fields that the run adds. */
export interface FoldRequest extends Omit<AggregateRequest, 'groups' | 'maxPoints'> {
  readonly spaceFold: SpaceFold;
}

/** The state of one running query: its parts, its budget, and what its answer has in addition to the values. */
export class QueryRun {
  readonly tenant: string;
  readonly maps: readonly PartitionMap[];
  readonly stores: QueryStores;
  readonly limits: QueryServiceLimits;
  readonly parts: Parts;
  /** Through when the maps are known, which every leaf needs. */
  readonly mapCompleteness = new Completeness();
  /** Lateness bound of the tenant, ms. */
  readonly latenessMs: number;
  readonly notes = new Set<string>();
  /** The memory of this reading and of its answer, part of that of the query. */
  readonly memory: MemoryBudget;
  /** Divides the evaluation into slices. */
  readonly slice: WorkSlice;
  readonly signal: AbortSignal;
  readonly #logTime: LogTime;
  readonly #largeReplies = new Slots(LARGE_REPLIES);
  readonly #gaps = new Gaps();
  #seriesLeft: number;
  #groupsLeft: number;
  #valuesLeft: number;
  #sketchValuesLeft: number;
  #throughMs: number | undefined = Number.POSITIVE_INFINITY;
  pointsRead = 0;
  seriesRead = 0;

  constructor(options: {
    readonly tenant: string;
    readonly latenessMs: number;
    readonly maps: readonly PartitionMap[];
    readonly stores: QueryStores;
    readonly limits: QueryServiceLimits;
    readonly logTime: LogTime;
    readonly memory: MemoryBudget;
    readonly slice: WorkSlice;
    readonly signal: AbortSignal;
  }) {
    this.memory = options.memory;
    this.slice = options.slice;
    this.signal = options.signal;
    this.tenant = options.tenant;
    this.latenessMs = options.latenessMs;
    this.maps = options.maps;
    this.stores = options.stores;
    this.limits = options.limits;
    this.#logTime = options.logTime;
    this.parts = new Parts(options.limits.concurrentRequests, options.signal);
    this.#seriesLeft = options.limits.series;
    this.#groupsLeft = options.limits.groups;
    this.#valuesLeft = options.limits.values;
    this.#sketchValuesLeft = options.limits.sketchValues;
  }

  /** Gaps that the stores reported. */
  get gaps(): Gap[] {
    return this.#gaps.sorted();
  }

  /** Adds gaps that a store reported. */
  addGaps(gaps: readonly Gap[]): void {
    this.#gaps.add(gaps);
  }

  /** Everything that the answer shows before this time is in it, ms; undefined when nothing is known to be. */
  get throughMs(): number | undefined {
    return Number.isFinite(this.#throughMs) ? this.#throughMs : undefined;
  }

  /** Takes over through when one leaf is complete, in the times that the answer shows; undefined when that is unknown. */
  noteThrough(throughMs: number | undefined): void {
    const known = throughMs !== undefined && this.#throughMs !== undefined;
    this.#throughMs = known ? Math.min(this.#throughMs ?? throughMs, throughMs) : undefined;
  }

  /** Series that one more match may name, and groups it may make. */
  get matchBudget(): { readonly maxSeries: number; readonly maxGroups: number } {
    // 0 means no limit to a store, so a used-up budget is sent as 1 and the store may return one too many.
    return { maxSeries: Math.max(1, this.#seriesLeft), maxGroups: Math.max(1, this.#groupsLeft) };
  }

  /** Returns the error of a match whose budget was too small, with the setting; any other error as it is. */
  limitOfMatch(
    error: unknown,
    { maxSeries, maxGroups }: { readonly maxSeries: number; readonly maxGroups: number },
  ): unknown {
    if (!isTidemarkError(error, 'resource_exhausted')) return error;
    const { limit, allowed } = error.detail;
    const [found] = error.message.split(' (limit: ');
    if (limit === 'max_series' && allowed === maxSeries) return beyondLimit(this.limits, 'series', found);
    if (limit === 'max_groups' && allowed === maxGroups) return beyondLimit(this.limits, 'groups', found);
    return error;
  }

  takeSeries(series: number): void {
    this.#seriesLeft -= series;
    if (this.#seriesLeft < 0) throw beyondLimit(this.limits, 'series', 'the query selects too many series');
  }

  /** Takes the memory of groups from the budget, before points are read for them. */
  takeGroups(groups: number, steps: number, areSketches: boolean): void {
    this.#groupsLeft -= groups;
    if (this.#groupsLeft < 0) throw beyondLimit(this.limits, 'groups', 'the query has too many groups');
    this.takeValues(groups * steps, `${groups} groups of ${steps} steps`);
    this.memory.take(readingBytes(groups, steps, areSketches));
    if (!areSketches) return;
    this.#sketchValuesLeft -= groups * steps;
    if (this.#sketchValuesLeft < 0) {
      throw beyondLimit(this.limits, 'sketchValues', `${groups} groups of ${steps} steps are too many sketches`);
    }
  }

  /** Releases what the groups took while they were read, except for their finished values. */
  releaseGroups(groups: number, steps: number, areSketches: boolean): void {
    this.memory.release(readingBytes(groups, steps, areSketches) - frameBytes(groups, steps));
  }

  /** Does work in slices, between which this thread does other work. Rejects when the query has ended meanwhile. */
  async inSlices<T>(work: Work<T>): Promise<T> {
    this.slice.begin();
    return this.slice.finish(work);
  }

  /** Takes the memory of further values from the budget before it is used. */
  takeValues(values: number, what = `${values} values`): void {
    this.#valuesLeft -= values;
    if (this.#valuesLeft < 0) throw beyondLimit(this.limits, 'values', `${what} are too many values`);
  }

  /**
   * Calls a partition's point store to fold groups into `steps` steps, and adds its reply to findings, counts and
   * gaps. A request without groups returns only the watermark. Several requests ask for many values, so that no reply takes
   * long to read, and few replies are on the way. The partials are those of the first groups: of all, unless the store could
   * not answer.
   */
  async aggregate(
    request: FoldRequest,
    steps: number,
    groups: readonly Uint8Array[],
    findings: LeafFindings,
  ): Promise<readonly SpacePartial[]> {
    const perRequest = groupsPerRequest(request.spaceFold, steps);
    const sets = this.#setsOf(groups);
    if (sets.length <= perRequest) return (await this.#aggregateSome(request, steps, sets, findings)) ?? [];
    const partials: SpacePartial[] = [];
    for (let from = 0; from < sets.length; from += perRequest) {
      const some = sets.slice(from, from + perRequest);
      const found = await this.#largeReplies.run(() => this.#aggregateSome(request, steps, some, findings));
      if (found === undefined) break;
      partials.push(...found);
    }
    return partials;
  }

  /** The sets of groups: named, unless there are more of them than are recorded as known, which would evict each other. */
  #setsOf(groups: readonly Uint8Array[]): SeriesSet[] {
    const { seriesSets, seriesSetBytes } = this.limits;
    const namedFromBytes = groups.length <= seriesSets ? seriesSetBytes : Number.POSITIVE_INFINITY;
    return groups.map((series) => seriesSet(series, namedFromBytes));
  }

  async #aggregateSome(
    request: FoldRequest,
    steps: number,
    groups: readonly SeriesSet[],
    findings: LeafFindings,
  ): Promise<readonly SpacePartial[] | undefined> {
    const { partition } = request;
    const answer = await this.parts.ask(`points/${partition}`, async (signal) => {
      const reply = await this.#send(request, groups, signal);
      if (reply.groups.length !== groups.length) {
        throw new TidemarkError(
          'internal',
          `the store returned ${reply.groups.length} groups, expected ${groups.length}`,
        );
      }
      return { reply, partials: await this.inSlices(unpacked(request.spaceFold, steps, reply)) };
    });
    if (answer === undefined) {
      findings.completeness.miss();
      return undefined;
    }
    const { pointsRead, seriesRead, gaps } = answer.reply;
    const problem = findings.add(answer.reply, this.#logTime);
    if (problem !== undefined) this.notes.add(`points/${partition}: ${problem}`);
    this.pointsRead += pointsRead;
    this.seriesRead += seriesRead;
    if (this.pointsRead > this.limits.points) throw this.#tooManyPoints();
    this.addGaps(gaps);
    this.noteDivergences('points', partition, request);
    return answer.partials;
  }

  /** Says so when replicas of a partition that has answered are known to differ in what was asked for. */
  noteDivergences(topic: string, partition: number, range: { readonly fromMs: number; readonly toMs: number }): void {
    for (const { topic: other, partition: differing, bucketMs, offset } of this.stores.divergences ?? []) {
      if (other !== topic || differing !== partition) continue;
      if (bucketMs !== undefined && (bucketMs >= range.toMs || bucketMs + LONGEST_BUCKET_MS <= range.fromMs)) continue;
      this.notes.add(
        `replicas of ${topic}/${partition} differ (offset ${offset}): values that depend on it may be wrong`,
      );
    }
  }

  async #send(request: FoldRequest, groups: readonly SeriesSet[], signal: AbortSignal): Promise<AggregateReply> {
    const maxPoints = this.limits.points - this.pointsRead;
    if (maxPoints <= 0) throw this.#tooManyPoints();
    return this.stores
      .pointStore(request.partition)
      .aggregate({ ...request, groups: [...groups], maxPoints }, signal)
      .catch((error: unknown) => {
        const isBudget = isTidemarkError(error, 'resource_exhausted') && error.detail.field === 'max_points';
        throw isBudget && error.detail.limit === maxPoints ? this.#tooManyPoints() : error;
      });
  }

  #tooManyPoints(): TidemarkError {
    return beyondLimit(this.limits, 'points', 'the query reads too many points');
  }
}

/** What a value takes while a group is merged: the columns of its partial, or a sketch. */
const PARTIAL_BYTES = 48;
const SKETCH_BYTES = 1024;

/** Values, and sketches, of one reply of a store: a few MiB. */
const REPLY_VALUES = 128 * 1024;
const REPLY_SKETCHES = 4 * 1024;
/** What unpacking a sketch costs, in values. */
const SKETCH_COST = 32;
/** Replies of that size that one query has on the way. */
const LARGE_REPLIES = 4;

function groupsPerRequest(fold: SpaceFold, steps: number): number {
  const values = fold === SPACE_FOLD.sketch ? REPLY_SKETCHES : REPLY_VALUES;
  return Math.max(1, Math.floor(values / steps));
}

function* unpacked(fold: SpaceFold, steps: number, { groups }: AggregateReply): Work<SpacePartial[]> {
  const partials: SpacePartial[] = [];
  for (const group of groups) {
    partials.push(unpackPartial(fold, steps, group));
    yield steps * (fold === SPACE_FOLD.sketch ? SKETCH_COST : 1);
  }
  return partials;
}

function readingBytes(groups: number, steps: number, areSketches: boolean): number {
  return frameBytes(groups, steps) + groups * steps * (areSketches ? SKETCH_BYTES : PARTIAL_BYTES);
}
