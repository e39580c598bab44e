import { ownCopy, toHex } from '@tidemark/bytes';
import { pointCount } from '@tidemark/columns';
import {
  type Batch,
  BatchResult_Outcome,
  type Definitions,
  type Hello,
  type MetricStatements,
  type Rejection,
  type SendReply,
  type SendRequest,
  type Series,
} from '@tidemark/contract';
import {
  classOfKind,
  ID_BYTES,
  INTERVAL_LIMIT_MS,
  isKind,
  KIND,
  metricId,
  nameBytes,
  type PartitionMap,
  packSlots,
  partitionOf,
  SERIES_CLASS,
  type SeriesClass,
  type SeriesName,
  SLOTS,
  seriesId,
  seriesName,
} from '@tidemark/model';
import { assert, finishInSlices, isTidemarkError, limitError, TidemarkError } from '@tidemark/ports';
import { changeOfMessage } from '@tidemark/store-rpc';
import { ClientDictionary, maxDictionaryAgeMs } from './client-dictionary.ts';
import type { RegisteredStream } from './client-register.ts';
import type { IntakeSession } from './intake-session.ts';
import { type Refusal, Rejections, refusalOf } from './rejections.ts';
import { STEP_POINTS } from './request-limits.ts';
import type { SeriesSource } from './series-source.ts';
import { Settlement } from './settlement.ts';
import { type CheckedShare, checkShare, pointsIn } from './share-check.ts';
import type { StreamQuota } from './tenant-quotas.ts';
import { unpublishedDaysOfShare } from './unpublished-days.ts';

const CLIENT_NAME_BYTES = 200;
/** Definitions that are read at once: some milliseconds of work. */
const STEP_DEFINITIONS = 500;
const RETRY_AFTER_MS = 1000;
/** Max metrics of a message that says something of them. */
const STATEMENTS = 1000;

/**
 * One client's stream. It checks the messages, routes the shares to lanes, and answers each batch.
 * intake-session.test.ts covers it.
 */
export class ClientStream implements SeriesSource {
  readonly #session: IntakeSession;
  readonly tenant: string;
  readonly isStream = true;
  /** Memory that the stream may use; `close` releases it. */
  readonly quota: StreamQuota;
  readonly #reply: (reply: SendReply) => void;
  readonly #dictionaries = new Map<string, ClientDictionary>();
  #clientSession: Buffer | undefined;
  #registered: RegisteredStream | undefined;
  clientName = '';
  /** Time of the hello by the session's clock, ms. */
  #helloMs = 0;

  readonly #yieldTurn: (() => Promise<void>) | undefined;

  /** With `yieldTurn`, other work has its turn while a large message is checked. */
  constructor(
    session: IntakeSession,
    tenant: string,
    reply: (reply: SendReply) => void,
    quota: StreamQuota,
    yieldTurn?: () => Promise<void>,
  ) {
    this.#session = session;
    this.tenant = tenant;
    this.#reply = reply;
    this.quota = quota;
    this.#yieldTurn = yieldTurn;
  }

  /** Handles one message; call it for one message at a time. An error ends the stream with its code. */
  async receive(request: SendRequest): Promise<void> {
    const { message } = request;
    if (message === undefined) throw invalid('message', 'hello, definitions or batch', 'empty message');
    if (message.$case === 'hello') this.#hello(message.value);
    else if (this.#clientSession === undefined)
      throw invalid('message', 'hello first', `${message.$case} before hello`);
    else if (this.#isOld) throw outdated();
    else if (message.$case === 'refusals') {
      this.#registered?.refused(message.value.refusals);
      this.#registered?.reads(message.value.sources);
    } else if (message.$case === 'statements') this.#state(message.value);
    else if (message.$case === 'definitions') await this.#define(message.value);
    else await this.#accept(message.value);
  }

  /** The client's session, in hex, and name. Empty before the stream's hello. */
  get clientNames(): [string, string][] {
    return this.#clientSession === undefined ? [] : [[toHex(this.#clientSession), this.clientName]];
  }

  get #isOld(): boolean {
    const { acceptClock, limits } = this.#session;
    return acceptClock.nowMs() - this.#helloMs > maxDictionaryAgeMs(limits);
  }

  /** Ends the stream. Idempotent. */
  close(): void {
    this.#registered?.end();
    this.#session.leave(this);
  }

  /** The client's definitions so far. */
  get dictionaries(): Iterable<ClientDictionary> {
    return this.#dictionaries.values();
  }

  /** Sends the client a map that its next batches may use. */
  announce(map: PartitionMap): void {
    if (this.#clientSession !== undefined) this.#reply({ message: { $case: 'map', value: wireMap(map) } });
  }

  #hello({ clientSession, clientName, flushIntervalMs }: Hello): void {
    if (this.#clientSession !== undefined) throw invalid('hello', 'one per stream', 'a second hello');
    if (clientSession.length !== ID_BYTES) {
      throw invalid('client_session', `${ID_BYTES} bytes`, `a client session of ${clientSession.length} bytes`);
    }
    if (Buffer.byteLength(clientName) > CLIENT_NAME_BYTES) {
      throw invalid(
        'client_name',
        `${CLIENT_NAME_BYTES} bytes`,
        `a client name of ${Buffer.byteLength(clientName)} bytes`,
      );
    }
    const { limits, session, maps, acceptClock } = this.#session;
    this.#clientSession = ownCopy(clientSession);
    this.#helloMs = acceptClock.nowMs();
    this.clientName = clientName;
    this.#registered = this.#session.clients.connected(this.tenant, clientSession, clientName, flushIntervalMs);
    this.#reply({
      message: {
        $case: 'greeting',
        value: {
          intakeSession: Buffer.from(session),
          map: wireMap(maps.current),
          window: limits.window,
          maxMessageBytes: limits.messageBytes,
          tenant: this.tenant,
          latenessMs: this.#session.latenessMs(this.tenant),
          newestMs: acceptClock.nowMs() + limits.aheadMs,
        },
      },
    });
  }

  async #define({ mapEpoch, partition, firstRef, series }: Definitions): Promise<void> {
    const { limits } = this.#session;
    if (series.length > limits.definitionsPerMessage) {
      throw invalid('series', `${limits.definitionsPerMessage} per message`, `${series.length} definitions`);
    }
    const map = await this.#session.maps.find(mapEpoch);
    const key = `${mapEpoch}/${partition}`;
    let dictionary = this.#dictionaries.get(key);
    if (dictionary === undefined) {
      if (partition >= map.partitions) throw invalid('partition', `below ${map.partitions}`, `partition ${partition}`);
      dictionary = new ClientDictionary(mapEpoch, partition, this.#session.budgets.unsent);
      this.#dictionaries.set(key, dictionary);
    }
    if (firstRef !== dictionary.size) throw invalid('first_ref', `${dictionary.size}, the next ref`, `ref ${firstRef}`);
    if (dictionary.size + series.length > limits.dictionaryRefs) {
      throw invalid('series', `${limits.dictionaryRefs} per partition`, `${dictionary.size + series.length} series`);
    }
    const refused: { ref: number; rejection: Rejection }[] = [];
    const fresh: { ref: number; name: SeriesName }[] = [];
    /** Ids of the message's metrics: most metrics have many series. */
    const metricIds = new Map<string, Buffer>();
    for (const [i, one] of series.entries()) {
      if (i > 0 && i % STEP_DEFINITIONS === 0) await this.#yieldTurn?.();
      const ref = dictionary.size;
      const result = this.quota.reserve(nameBytes(one)) ?? this.#name(one, map, partition, metricIds);
      if ('reason' in result) {
        refused.push({ ref, rejection: result });
        dictionary.addRefused(result);
        continue;
      }
      const { name, metric, id } = result;
      dictionary.add(
        { metricId: metric, seriesId: id, seriesClass: name.seriesClass, intervalMs: intervalOf(one) },
        name,
        one.kind === KIND.counter,
      );
      if (one.restatesRef !== undefined) dictionary.restate(one.restatesRef);
      if (name.seriesClass === SERIES_CLASS.distribution) dictionary.distributions++;
      if (this.#session.budgets.isExceeded(name)) fresh.push({ ref, name });
      else this.#note(one);
    }
    const overBudget = new Set<number>();
    for (const { ref, rejection } of await this.#session.budgets.refuseNew(dictionary, fresh)) {
      dictionary.refuse(ref, rejection);
      refused.push({ ref, rejection });
      overBudget.add(ref);
    }
    // What a refused series implies must not become a metric.
    for (const { ref } of fresh) if (!overBudget.has(ref)) this.#note(series[ref - firstRef]);
    this.#reply({ message: { $case: 'definitions', value: { mapEpoch, partition, refused } } });
  }

  #note({ metric, kind }: Series): void {
    if (isKind(kind)) this.#session.metrics.noteSeries(this.tenant, metric, kind);
  }

  #state({ metrics }: MetricStatements): void {
    if (metrics.length > STATEMENTS) throw invalid('metrics', `${STATEMENTS} per message`, `${metrics.length} metrics`);
    for (const { metric, statement } of metrics) {
      this.#session.metrics.note(this.tenant, metric, changeOfMessage(statement));
    }
  }

  #name(
    series: Series,
    map: PartitionMap,
    partition: number,
    metricIds: Map<string, Buffer>,
  ): (Rejection & Refusal) | { name: SeriesName; metric: Buffer; id: Buffer } {
    try {
      const name = seriesName(this.tenant, series.metric, classOf(series), series.tags, this.#session.limits);
      const known = metricIds.get(name.metric);
      const metric = known ?? metricId(name.tenant, name.metric);
      if (known === undefined) metricIds.set(name.metric, metric);
      if (partitionOf(map, metric) !== partition) {
        const right = partitionOf(map, metric);
        throw invalid(
          'partition',
          `partition ${right} by map epoch ${map.epoch}`,
          `${name.metric} was sent to partition ${partition}`,
        );
      }
      return this.#session.budgets.unsent.add(name) ?? { name, metric, id: seriesId(name) };
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
      return { ...refusalOf(error, series.metric), points: 0, message: error.message };
    }
  }

  async #accept(batch: Batch): Promise<void> {
    const session = this.#session;
    const { sequence } = batch;
    // There are no more partitions than slots; each share is read before a batch is refused.
    if (batch.shares.length > SLOTS) throw invalid('shares', `${SLOTS} per batch`, `${batch.shares.length} shares`);
    this.#registered?.batch(batch.frontierMs);
    const problem = this.#problemOf(batch);
    if (problem !== undefined) {
      this.#countRefused(batch, [problem]);
      this.#answer(sequence, BatchResult_Outcome.REFUSED, 0, [problem]);
      return;
    }
    // An intake that accepts nothing may not know the map either.
    if (session.isAccepting) await session.maps.find(batch.mapEpoch);
    const early = this.#refusalAt(session.acceptClock.nowMs(), batch);
    if (early !== undefined) return this.#answer(sequence, BatchResult_Outcome.RETRY, 0, [early]);
    const rejections = new Rejections();
    const shares = await this.#checkShares(batch, rejections);
    // Accepted now, when they are offered: with an earlier time, the mark of a lane could have passed it meanwhile.
    const acceptMs = session.acceptClock.nowMs();
    const refusal = this.#refusalAt(acceptMs, batch);
    if (refusal !== undefined) return this.#answer(sequence, BatchResult_Outcome.RETRY, 0, [refusal]);
    /** By partition, what was left out of the shares that were offered to their lanes. */
    const offered = new Map<number, Rejections>();
    let accepted = 0;
    const settlement = new Settlement((notStored) => {
      if (notStored.size === 0) {
        this.#countRefused(batch, rejections.list);
        this.#answer(sequence, BatchResult_Outcome.ACKED, accepted, rejections.list);
      } else {
        const refusals = [...notStored].map((partition) => session.refusalOf(partition));
        // What is left out of a stored share stays out: its next send is a duplicate.
        const leftOut = new Rejections();
        for (const [partition, own] of offered) if (!notStored.has(partition)) leftOut.addAll(own);
        this.#answer(sequence, BatchResult_Outcome.RETRY, accepted, [...refusals, ...leftOut.list]);
      }
    });
    const settle = (partition: number, durable: boolean, points: number): void => {
      if (durable) accepted += points;
      settlement.settle(partition, durable);
    };
    for (const { partition, dictionary, own, bytes: share, summary } of shares) {
      const points = pointCount(summary);
      settlement.expect();
      offered.set(partition, own);
      const isAccepted = session.offer(partition, {
        acceptMs,
        dictionary,
        summary,
        entries: unpublishedDaysOfShare(dictionary, share, summary),
        span: {
          clientSession: this.#clientId,
          sequence,
          mapEpoch: batch.mapEpoch,
          floor: batch.floor,
          frontierMs: batch.frontierMs,
          tenant: this.tenant,
          share,
        },
        settle: (durable) => settle(partition, durable, points),
      });
      if (!isAccepted) settle(partition, false, points);
    }
    settlement.complete();
  }

  /** Returns why a batch must be retried; undefined when it may be accepted. */
  #refusalAt(acceptMs: number, { mapEpoch }: Batch): Rejection | undefined {
    const { isAccepting, maps, refusal } = this.#session;
    return isAccepting ? maps.refusal(mapEpoch, acceptMs) : refusal;
  }

  /** Checks all shares, in slices; returns those that have good points. */
  async #checkShares({ mapEpoch, shares }: Batch, rejections: Rejections): Promise<OfferableShare[]> {
    const { acceptClock, limits, shareBytes } = this.#session;
    const acceptMs = acceptClock.nowMs();
    const good: OfferableShare[] = [];
    let pointsOfTurn = 0;
    for (const { partition, points: bytes } of shares) {
      // Each may be too small for slices of its own, and a batch has many.
      if (pointsOfTurn >= STEP_POINTS) {
        await this.#yieldTurn?.();
        pointsOfTurn = 0;
      }
      const dictionary = this.#dictionaries.get(`${mapEpoch}/${partition}`);
      if (dictionary === undefined) throw invalid('share.partition', 'a partition with definitions', `${partition}`);
      const own = new Rejections();
      const check = checkShare(bytes, dictionary, acceptMs, limits, own);
      const checked = await finishInSlices(check, () => this.#yieldTurn?.());
      rejections.addAll(own);
      pointsOfTurn += own.points;
      if (checked === undefined) continue;
      const points = pointCount(checked.summary);
      pointsOfTurn += points;
      if (points > 0 && checked.bytes.length > shareBytes) {
        rejections.add('share_too_large', 'share.points', `${shareBytes} bytes of a share`, points);
      } else if (points > 0) good.push({ partition, dictionary, own, ...checked });
    }
    return good;
  }

  #countRefused({ sequence, floor }: Batch, rejections: readonly Rejection[]): void {
    if (rejections.length === 0 || this.#registered?.isFirstRefusal(sequence, floor) === false) return;
    this.#session.counts.reject(this.tenant, rejections);
  }

  get #clientId(): Buffer {
    assert(this.#clientSession !== undefined, 'a batch comes after hello');
    return this.#clientSession;
  }

  /** Returns why no retry of a batch can succeed, or undefined. */
  #problemOf(batch: Batch): Rejection | undefined {
    const { limits, acceptClock } = this.#session;
    const problem = (reason: string, field: string, limit: string): Rejection => ({
      reason,
      field,
      limit,
      points: pointsIn(batch, limits),
      message: `${field}: ${reason} (limit: ${limit})`,
    });
    if (batch.sequence < batch.floor)
      return problem('sequence_below_floor', 'sequence', `at least floor ${batch.floor}`);
    if (batch.sequence >= batch.floor + limits.window) {
      return problem('sequence_beyond_window', 'sequence', `below floor + ${limits.window}`);
    }
    // Nothing is refused permanently by a clock that may be wrong.
    if (this.#session.isAccepting && acceptClock.nowMs() - batch.stampedMs > limits.stampAgeMs) {
      return problem('stamp_too_old', 'stamped_ms', `${limits.stampAgeMs} ms`);
    }
    const partitions = new Set(batch.shares.map((share) => share.partition));
    if (partitions.size !== batch.shares.length) return problem('share_repeated', 'shares', 'one per partition');
    return undefined;
  }

  #answer(sequence: number, outcome: BatchResult_Outcome, acceptedPoints: number, rejections: Rejection[]): void {
    const retryAfterMs = outcome === BatchResult_Outcome.RETRY ? RETRY_AFTER_MS : 0;
    this.#reply({
      message: { $case: 'batch', value: { sequence, outcome, acceptedPoints, rejections, retryAfterMs } },
    });
  }
}

interface OfferableShare extends CheckedShare {
  readonly partition: number;
  readonly dictionary: ClientDictionary;
  /** What was left out of it. */
  readonly own: Rejections;
}

function outdated(): TidemarkError {
  const text =
    'the stream is as old as points are kept, and names of series may have been forgotten: connect again and define them';
  return new TidemarkError('unavailable', text, { reason: 'stream_age', field: 'stream' });
}

function invalid(field: string, limit: string, found: string): TidemarkError {
  return limitError(field, found, limit, `${field}_invalid`);
}

function wireMap(map: PartitionMap): { epoch: number; partitions: number; slots: Buffer } {
  return { epoch: map.epoch, partitions: map.partitions, slots: packSlots(map) };
}

function classOf({ kind }: Series): SeriesClass {
  if (isKind(kind)) return classOfKind(kind);
  throw limitError(
    'kind',
    `unknown kind ${kind}`,
    'gauge, count, counter, reading, rate or distribution',
    'kind_unknown',
  );
}

/** Returns the interval that a definition states; one beyond the limit states nothing. */
function intervalOf({ intervalMs = 0 }: Series): number {
  return intervalMs <= INTERVAL_LIMIT_MS ? intervalMs : 0;
}
