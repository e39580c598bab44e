import type { AggregateReply, AggregateRequest, Gap } from '@tidemark/contract';
import { type SpaceFold, type SpacePartial, unpackPartial } from '@tidemark/fold';
import type { PartitionMap } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { seriesSet } from '@tidemark/replicas';
import type { QueryStores } from '@tidemark/store-rpc';
import { Completeness } from './completeness.ts';
import { Gaps } from './gaps.ts';
import { Parts } from './parts.ts';
import { beyondLimit, type QueryServiceLimits } from './query-service-limits.ts';

/** No bucket of a point store is wider. */
const LONGEST_BUCKET_MS = 86_400_000;

/** A request but for what the run adds. */
export interface FoldRequest extends Omit<AggregateRequest, 'groups' | 'maxPoints'> {
  readonly spaceFold: SpaceFold;
}

/** Everything that one running query keeps: its parts, its budget, what it has to say beside the values. */
export class QueryRun {
  readonly tenant: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly maps: readonly PartitionMap[];
  readonly stores: QueryStores;
  readonly limits: QueryServiceLimits;
  readonly parts: Parts;
  readonly completeness = new Completeness();
  readonly notes = new Set<string>();
  readonly #gaps = new Gaps();
  #seriesLeft: number;
  #groupsLeft: number;
  #valuesLeft: number;
  #sketchValuesLeft: number;
  pointsRead = 0;
  seriesRead = 0;

  constructor(options: {
    readonly tenant: string;
    readonly fromMs: number;
    readonly toMs: number;
    readonly maps: readonly PartitionMap[];
    readonly stores: QueryStores;
    readonly limits: QueryServiceLimits;
    readonly signal: AbortSignal;
  }) {
    this.tenant = options.tenant;
    this.fromMs = options.fromMs;
    this.toMs = options.toMs;
    this.maps = options.maps;
    this.stores = options.stores;
    this.limits = options.limits;
    this.parts = new Parts(options.limits.concurrentRequests, options.signal);
    this.#seriesLeft = options.limits.series;
    this.#groupsLeft = options.limits.groups;
    this.#valuesLeft = options.limits.values;
    this.#sketchValuesLeft = options.limits.sketchValues;
  }

  /** Gaps that the stores named. */
  get gaps(): Gap[] {
    return this.#gaps.sorted();
  }

  /** Takes over what a store says that it misses. */
  addGaps(gaps: readonly Gap[]): void {
    this.#gaps.add(gaps);
  }

  /** Series that one more match may name, and groups it may make. */
  get matchBudget(): { readonly maxSeries: number; readonly maxGroups: number } {
    // 0 means «no limit of mine» to a store, so a budget that is used up still lets it name one too many.
    return { maxSeries: Math.max(1, this.#seriesLeft), maxGroups: Math.max(1, this.#groupsLeft) };
  }

  takeSeries(series: number): void {
    this.#seriesLeft -= series;
    if (this.#seriesLeft < 0) throw beyondLimit(this.limits, 'series', 'the query selects more series than it may');
  }

  /** Takes the memory of groups from the budget before anything is read for them. */
  takeGroups(groups: number, steps: number, areSketches: boolean): void {
    this.#groupsLeft -= groups;
    if (this.#groupsLeft < 0) throw beyondLimit(this.limits, 'groups', 'the query makes more groups than it may');
    this.#valuesLeft -= groups * steps;
    if (this.#valuesLeft < 0) {
      throw beyondLimit(this.limits, 'values', `${groups} groups of ${steps} steps are too many values`);
    }
    if (!areSketches) return;
    this.#sketchValuesLeft -= groups * steps;
    if (this.#sketchValuesLeft < 0) {
      throw beyondLimit(this.limits, 'sketchValues', `${groups} groups of ${steps} steps are too many sketches`);
    }
  }

  /**
   * Asks a partition's point store to fold groups into `steps` steps, and counts its answer in what the query says of
   * itself. No groups at all is a question as well: how far the partition has come. Undefined when it could not answer.
   */
  async aggregate(
    request: FoldRequest,
    steps: number,
    groups: readonly Buffer[],
  ): Promise<readonly SpacePartial[] | undefined> {
    const { partition } = request;
    const answer = await this.parts.ask(`points/${partition}`, async (signal) => {
      const reply = await this.#send(request, groups, signal);
      if (reply.groups.length !== groups.length) {
        throw new TidemarkError('internal', `${reply.groups.length} groups answered, ${groups.length} asked for`);
      }
      return { reply, partials: reply.groups.map((group) => unpackPartial(request.spaceFold, steps, group)) };
    });
    if (answer === undefined) {
      this.completeness.miss();
      return undefined;
    }
    const { coveredWatermarkMs, pointsRead, seriesRead, gaps } = answer.reply;
    this.completeness.add(coveredWatermarkMs);
    this.pointsRead += pointsRead;
    this.seriesRead += seriesRead;
    if (this.pointsRead > this.limits.points) throw this.#tooManyPoints();
    this.addGaps(gaps);
    this.noteDivergences('points', partition);
    return answer.partials;
  }

  /** Says so when replicas of a partition that has answered are known to differ in what was asked for. */
  noteDivergences(topic: string, partition: number): void {
    for (const { topic: other, partition: differing, bucketMs, offset } of this.stores.divergences ?? []) {
      if (other !== topic || differing !== partition) continue;
      if (bucketMs !== undefined && (bucketMs >= this.toMs || bucketMs + LONGEST_BUCKET_MS <= this.fromMs)) continue;
      this.notes.add(`replicas of ${topic}/${partition} differ (offset ${offset}): what depends on it may be wrong`);
    }
  }

  async #send(request: FoldRequest, groups: readonly Buffer[], signal: AbortSignal): Promise<AggregateReply> {
    const maxPoints = this.limits.points - this.pointsRead;
    if (maxPoints <= 0) throw this.#tooManyPoints();
    const sets = groups.map((series) => seriesSet(series, this.limits.seriesSetBytes));
    return this.stores.pointStore(request.partition).aggregate({ ...request, groups: sets, maxPoints }, signal);
  }

  #tooManyPoints(): TidemarkError {
    return beyondLimit(this.limits, 'points', 'the query reads more points than it may');
  }
}
