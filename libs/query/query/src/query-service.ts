import { DEFAULT_TENANT } from '@tidemark/access';
import type {
  Gap,
  HeldMemory,
  MetricReply,
  MetricsReply,
  MetricsRequest,
  SessionStatus,
  StatusReply,
  TagFilter,
  TagsReply,
  TagsRequest,
  ThreadDelay,
} from '@tidemark/contract';
import { DAY_MS, type PartitionMap } from '@tidemark/model';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import { type Clock, type Slicing, slicingOf, TidemarkError, WorkSlice } from '@tidemark/ports';
import { inField, parseFilter, parseQuery, type Query } from '@tidemark/query-language';
import { remembering } from '@tidemark/replicas';
import type { QueryStores, TagStoreReader } from '@tidemark/store-rpc';
import { answerFormulas } from './answer-formulas.ts';
import { answerQuery, betterStepMs, readViews, type ViewFrames } from './answer-query.ts';
import { allPartitions, askForListedMetrics, askForMetrics, type MetricSources } from './ask-for-metrics.ts';
import { checkRange } from './check-range.ts';
import { withDeadline } from './deadline.ts';
import { mergeTagKeys } from './describe.ts';
import { formulaQuery } from './formula-query.ts';
import type { FormulaAnswer, FormulaRequest } from './formula-request.ts';
import { Gaps } from './gaps.ts';
import { type KnownEras, LogTime } from './log-time.ts';
import { MemoryBudget } from './memory-budget.ts';
import { ownersOf } from './metric-owners.ts';
import { Parts } from './parts.ts';
import { planQuery, type QueryPlan } from './query-plan.ts';
import type { AskedQuery, QueryAnswer, QueryReader, Use } from './query-reader.ts';
import { QueryRun } from './query-run.ts';
import { DEFAULT_QUERY_SERVICE_LIMITS, type QueryServiceLimits } from './query-service-limits.ts';
import { withNamesOf } from './session-names.ts';
import { didYouMeanMetric, MAX_COMPARED, similarMetrics } from './similar-metric.ts';
import { tagFilterMessage } from './tag-filter-message.ts';
import { TenantGate } from './tenant-gate.ts';

export interface QueryServiceOptions {
  readonly stores: QueryStores;
  /**
   * Every map that was in force at any time since `sinceMs` (ms since the epoch), the newest last. Older
   * maps are allowed, but cost requests: with all of them, what was stated of a metric before its slot moved is found.
   * Empty before the first map was decided.
   */
  readonly maps: (sinceMs: number) => readonly PartitionMap[];
  /**
   * No point that was accepted before this time (ms since the epoch, by its intake's clock) is of a map that `maps`
   * does not have: an answer is complete at most through it. Called before `maps`. Omitted where the map never changes.
   */
  readonly mapsThroughMs?: () => number;
  /** The eras of the log's time that `control` has so far. Called before `maps`. Omitted where a log has one era. */
  readonly eras?: () => KnownEras;
  /** Lateness bound D of a tenant, ms. */
  readonly latenessMs: (tenant: string) => number;
  readonly clock: Clock;
  /**
   * Intake sessions for a tenant's status, with its own clients; none when omitted. Must not fail because an intake
   * does.
   */
  readonly sessions?: (
    tenant: string,
    signal: AbortSignal,
  ) => readonly SessionStatus[] | Promise<readonly SessionStatus[]>;
  /** Threads of this process, for the status of operators; none when omitted. */
  readonly threads?: () => readonly ThreadDelay[];
  /** Memory of this process, for the status of operators; none when omitted. */
  readonly memory?: () => readonly HeldMemory[];
  readonly limits?: Partial<QueryServiceLimits>;
  /** How an evaluation yields to other work of the thread; without it, it is done in one piece. */
  readonly slicing?: Slicing;
}

/** How long a client may keep a batch before it gives it up: for so long a stamp of an old map may still be used. */
const STAMP_HOLDS_MS = PROTOCOL_TIMES.mapLookbackMs;
/** How far back tags are described when nothing is said, ms. */
const DESCRIBED_RANGE_MS = DAY_MS;

/** Runs queries over the stores of all partitions, and states through when each answer is complete. */
export class QueryService implements QueryReader {
  readonly #options: QueryServiceOptions;
  readonly #limits: QueryServiceLimits;
  readonly #gate: TenantGate;
  readonly #stores: QueryStores;

  constructor(options: QueryServiceOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_QUERY_SERVICE_LIMITS, ...options.limits };
    this.#gate = new TenantGate(this.#limits);
    const { stores } = options;
    this.#stores = stores.rememberedBytes === undefined ? remembering(stores, this.#limits) : stores;
  }

  /** Memory of all queries that are running or whose answers are being sent, bytes. */
  get memoryBytes(): number {
    return this.#gate.memoryBytes;
  }

  /** Memory of series that the stores found for recent questions, about, bytes. */
  get rememberedBytes(): number {
    return this.#stores.rememberedBytes ?? 0;
  }

  /**
   * Evaluates a query over the whole steps that touch [fromMs, toMs). Errors: `invalid_argument` for a wrong
   * query, `resource_exhausted` with `limit` in its detail beyond a limit, `deadline_exceeded`, `cancelled`, and
   * `unavailable` when no part could answer. Parts that could not answer are listed in `errors`.
   */
  async run<T>(tenant: string, request: AskedQuery, use: Use<QueryAnswer, T>, signal?: AbortSignal): Promise<T> {
    const { fromMs, toMs } = request;
    const query = parseQuery(request.query, this.#limits.language, request.variables);
    checkRange(this.#limits, fromMs, toMs);
    return this.#answer(tenant, { query, fromMs, toMs }, signal, answerQuery, use);
  }

  /**
   * Evaluates formulas over named queries, as `run` evaluates the expressions of a query. Errors are those of `run`; one
   * of the request names its field, such as `formulas.0.formula`.
   */
  async runFormulas<T>(
    tenant: string,
    request: FormulaRequest,
    use: Use<FormulaAnswer, T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const { fromMs, toMs } = request;
    checkRange(this.#limits, fromMs, toMs);
    const query = formulaQuery(request, this.#limits);
    return this.#answer(tenant, { query, fromMs, toMs }, signal, (...read) => answerFormulas(query, ...read), use);
  }

  /**
   * Reads what a query needs, and answers with it. Where the reporting intervals that were found say so, it is read again
   * with another automatic step.
   */
  async #answer<Answer, T>(
    tenant: string,
    { query, fromMs, toMs }: { readonly query: Query; readonly fromMs: number; readonly toMs: number },
    signal: AbortSignal | undefined,
    answer: (plan: QueryPlan, run: QueryRun, views: ViewFrames) => Promise<Answer>,
    use: Use<Answer, T>,
  ): Promise<T> {
    const plan = planQuery(query, fromMs, toMs, this.#limits);
    return this.#gate.run(tenant, (memory) =>
      withDeadline(this.#options.clock, this.#limits, signal, async (within) => {
        const first = await this.#read(tenant, plan, memory, within);
        const stepMs = betterStepMs(plan, first.views);
        if (stepMs === plan.automaticMs) return use(await answer(plan, first.run, first.views), first.run.slice);
        first.run.memory.close();
        const better = planQuery(query, fromMs, toMs, this.#limits, stepMs);
        const { run, views } = await this.#read(tenant, better, memory, within);
        return use(await answer(better, run, views), run.slice);
      }),
    );
  }

  async #read(
    tenant: string,
    plan: QueryPlan,
    memory: MemoryBudget,
    signal: AbortSignal,
  ): Promise<{ run: QueryRun; views: ViewFrames }> {
    const { clock, eras, latenessMs, mapsThroughMs } = this.#options;
    const throughMs = mapsThroughMs?.();
    const run = new QueryRun({
      tenant,
      latenessMs: latenessMs(tenant),
      stores: this.#stores,
      maps: this.#maps(plan.readFromMs),
      limits: this.#limits,
      logTime: new LogTime(eras?.(), clock.wallMs(), () => clock.wallMs()),
      memory: new MemoryBudget(this.#limits, 'memoryBytes', memory),
      slice: new WorkSlice(slicingOf(this.#options.slicing, tenant), signal),
      signal,
    });
    if (throughMs !== undefined) run.mapCompleteness.add(Number.isFinite(throughMs) ? throughMs : undefined);
    return { run, views: await readViews(plan, run) };
  }

  /**
   * Returns the tenant's metrics by name, with the errors of partitions that could not answer. Throws
   * `invalid_argument` for a wrong filter.
   */
  async metrics(tenant: string, request: MetricsRequest, signal?: AbortSignal): Promise<MetricsReply> {
    const limit = this.#describedLimit(request.limit);
    const { contains, fromMs, after } = request;
    const filter = this.#filterOf(request.filter);
    const partitions = allPartitions(this.#maps(fromMs));
    return this.#describe(tenant, signal, async (parts) => {
      const asked = { tenant, contains, fromMs, limit, filter, after };
      const { metrics, gaps } = await askForListedMetrics(this.#sources(parts), partitions, asked);
      return { metrics, errors: parts.sortedErrors(), gaps };
    });
  }

  /**
   * Returns what is known of the metric with exactly this name, in all of its history. Throws `not_found`, with a similar
   * name where there is one, when it has no series and nothing is stated of it; `unavailable` when a part that may know
   * it could not answer.
   */
  async metric(tenant: string, name: string, signal?: AbortSignal): Promise<MetricReply> {
    const maps = this.#maps(0);
    return this.#describe(tenant, signal, async (parts) => {
      const sources = this.#sources(parts);
      const list = { tenant, fromMs: 0, limit: this.#limits.described };
      const exact = { ...list, contains: '', names: [name], stated: true };
      const { metrics, gaps } = await askForMetrics(sources, ownersOf(maps, tenant, name), exact);
      const [error] = parts.sortedErrors();
      if (error !== undefined) {
        throw new TidemarkError('unavailable', `${error.part} could not answer: ${error.message}`, {
          part: error.part,
        });
      }
      const [description] = metrics;
      if (description !== undefined) return { description, gaps };
      const similar = await similarMetrics(name, async (contains) => {
        return (await askForMetrics(sources, allPartitions(maps), { ...list, contains })).metrics;
      });
      const shown = name.slice(0, MAX_COMPARED);
      throw new TidemarkError('not_found', `no metric has the name ${shown}${didYouMeanMetric(name, similar)}`);
    });
  }

  /** Returns tag keys and values of a metric; of the last day when the request has no range (from and to both 0). */
  async tags(tenant: string, request: TagsRequest, signal?: AbortSignal): Promise<TagsReply> {
    const limit = this.#describedLimit(request.limit);
    const { metric } = request;
    const filter = this.#filterOf(request.filter);
    const toMs = request.toMs === 0 ? Math.ceil(this.#options.clock.wallMs()) : request.toMs;
    const fromMs = request.fromMs === 0 && request.toMs === 0 ? toMs - DESCRIBED_RANGE_MS : request.fromMs;
    checkRange(this.#limits, fromMs, toMs);
    const partitions = ownersOf(this.#maps(fromMs), tenant, metric);
    return this.#describe(tenant, signal, async (parts) => {
      const replies = await this.#askTagStores(parts, partitions, (store, partition, within) =>
        store.describeTags({ partition, tenant, metric, fromMs, toMs, limit, filter }, within),
      );
      const found = replies.map((reply) => reply?.keys ?? []);
      return { keys: mergeTagKeys(found, limit), errors: parts.sortedErrors(), gaps: gapsOf(replies) };
    });
  }

  /**
   * Returns the state of every partition, with the clients of the tenant. Never refused for load, because operators need
   * it then. `tenantReader` leaves out what other callers must not see.
   */
  async status(tenant: string, signal?: AbortSignal): Promise<StatusReply> {
    const { clock, eras, latenessMs, sessions, threads, memory } = this.#options;
    const stores = this.#stores;
    const nowMs = Math.floor(clock.wallMs());
    const maps = this.#maps(nowMs);
    return withDeadline(clock, this.#limits, signal, async (within) => {
      const parts = new Parts(this.#limits.concurrentRequests, within);
      const partitions = allPartitions(maps);
      const pairOf = async (partition: number) => {
        const tags = await parts.ask(`tags/${partition}`, (s) => stores.tagStore(partition).status({ partition }, s));
        const asked = { partition, tagsOffset: tags?.offset };
        return {
          tags,
          points: await parts.ask(`points/${partition}`, (s) => stores.pointStore(partition).status(asked, s)),
        };
      };
      const [pairs, known] = await Promise.all([Promise.all(partitions.map(pairOf)), sessions?.(tenant, within) ?? []]);
      // Addresses of processes are shown only to operators.
      const report = tenant === DEFAULT_TENANT ? stores.report?.() : undefined;
      const ofTenant = pairs
        .map(({ points }) => points)
        .filter((status) => status !== undefined)
        .map((status) => ({ ...status, clients: status.clients.filter((client) => client.tenant === tenant) }));
      return {
        points: ofTenant,
        tags: pairs.map(({ tags }) => tags).filter((status) => status !== undefined),
        sessions: withNamesOf(ofTenant, known),
        latenessMs: latenessMs(tenant),
        nowMs,
        errors: parts.sortedErrors(),
        mapEpoch: maps[maps.length - 1].epoch,
        replicas: [...(report?.replicas ?? [])],
        divergences: [...(report?.divergences ?? [])],
        eras: (eras?.().list ?? []).map(({ offset, startMs, aheadMs }) => ({ era: offset, startMs, aheadMs })),
        forOperator: true,
        threads: [...(tenant === DEFAULT_TENANT ? (threads?.() ?? []) : [])],
        memory: [...(tenant === DEFAULT_TENANT ? (memory?.() ?? []) : [])],
      };
    });
  }

  #describe<T>(tenant: string, signal: AbortSignal | undefined, task: (parts: Parts) => Promise<T>): Promise<T> {
    return this.#gate.run(tenant, () =>
      withDeadline(this.#options.clock, this.#limits, signal, async (within) => {
        const parts = new Parts(this.#limits.concurrentRequests, within);
        const reply = await task(parts);
        parts.requireOne();
        return reply;
      }),
    );
  }

  #maps(fromMs: number): readonly PartitionMap[] {
    const maps = this.#options.maps(fromMs - STAMP_HOLDS_MS);
    if (maps.length === 0)
      throw new TidemarkError(
        'unavailable',
        'no partition map was decided yet; retry, and check that a coordinator runs',
      );
    return maps;
  }

  #sources(parts: Parts): MetricSources {
    return { parts, stores: this.#stores, maps: this.#maps(0) };
  }

  #askTagStores<Reply>(
    parts: Parts,
    partitions: readonly number[],
    ask: (store: TagStoreReader, partition: number, within: AbortSignal) => Promise<Reply>,
  ): Promise<(Reply | undefined)[]> {
    return Promise.all(
      partitions.map((partition) =>
        parts.ask(`tags/${partition}`, (within) => ask(this.#stores.tagStore(partition), partition, within)),
      ),
    );
  }

  #filterOf(text: string | undefined): TagFilter | undefined {
    return text === undefined
      ? undefined
      : tagFilterMessage(inField('filter', () => parseFilter(text, this.#limits.language)));
  }

  #describedLimit(asked: number): number {
    return asked > 0 ? Math.min(asked, this.#limits.described) : this.#limits.described;
  }
}

function gapsOf(replies: readonly ({ readonly gaps: readonly Gap[] } | undefined)[]): Gap[] {
  const gaps = new Gaps();
  for (const reply of replies) gaps.add(reply?.gaps ?? []);
  return gaps.sorted();
}
