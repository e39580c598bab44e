import { beforeEach, describe, expect, test } from '@jest/globals';
import { type BatchResult, BatchResult_Outcome, type SendReply, type SendRequest } from '@tidemark/contract';
import type { PartitionMap } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { ManualClock, SeededRandom } from '@tidemark/simulation';
import { BatchQueue } from './batch-queue.ts';
import { checkedOptions } from './check-options.ts';
import type { IntakeConnector, IntakeStream, IntakeStreamHandlers } from './intake-connector.ts';
import { MetricStatements } from './metric-statements.ts';
import { ModelIntake } from './model-intake.fixture.ts';
import { QueuedBatch } from './queued-batch.ts';
import { SessionLink } from './session-link.ts';
import type { SessionOwner } from './session-owner.ts';
import { ClientCounters } from './stats.ts';

const SESSION = new Uint8Array(16).fill(7);
const ADDRESSES = ['a', 'b', 'c'];
const LIMITS = { greetingTimeoutMs: 500, replyTimeoutMs: 2000, backoffMs: 100, maxBackoffMs: 1000 };

interface OpenedStream {
  readonly address: string;
  readonly handlers: IntakeStreamHandlers;
  readonly sent: SendRequest[];
  isClosed: boolean;
}

/** Opens streams on which the test itself answers, at once. */
class ManualConnector implements IntakeConnector {
  readonly opened: OpenedStream[] = [];

  connect(address: string, handlers: IntakeStreamHandlers): IntakeStream {
    const stream: OpenedStream = { address, handlers, sent: [], isClosed: false };
    this.opened.push(stream);
    return {
      send: (request) => stream.sent.push(request) > 0,
      ready: () => Promise.resolve(),
      close: () => {
        stream.isClosed = true;
      },
    };
  }

  get last(): OpenedStream {
    return this.opened[this.opened.length - 1];
  }

  reply(message: SendReply['message']): void {
    this.last.handlers.onReply({ message });
  }

  fail(): void {
    this.last.handlers.onEnd(new TidemarkError('unavailable', 'the stream broke'));
  }
}

class Bench {
  readonly clock = new ManualClock(10_000);
  readonly connector = new ManualConnector();
  readonly queue = new BatchQueue();
  readonly counters = new ClientCounters();
  readonly errors: TidemarkError[] = [];
  readonly maps: PartitionMap[] = [];
  readonly results: BatchResult[] = [];
  readonly latenesses: number[] = [];
  readonly link: SessionLink;

  constructor(tenant?: string) {
    const owner: SessionOwner = {
      connector: this.connector,
      clock: this.clock,
      random: new SeededRandom('client'),
      addresses: ADDRESSES,
      options: checkedOptions({ name: 'test', ...LIMITS }, ADDRESSES),
      counters: this.counters,
      statements: new MetricStatements(),
      isLive: () => true,
      minOtherTimeMs: () => Number.POSITIVE_INFINITY,
      onPromise: () => undefined,
      onSpoolFailure: () => undefined,
      onSpoolGrowth: () => undefined,
      onSettled: () => undefined,
      onError: (error) => this.errors.push(error),
      onLateness: (latenessMs) => this.latenesses.push(latenessMs),
      flushIntervalMs: 250,
      amountIntervalMs: () => undefined,
    };
    const handlers = {
      onMap: (map: PartitionMap) => void this.maps.push(map),
      onResult: (result: BatchResult) => void this.results.push(result),
      onDefinitions: () => undefined,
      onChange: () => undefined,
    };
    this.link = new SessionLink(owner, SESSION, this.queue, handlers, tenant);
    this.link.keepOpen();
  }

  greet(latenessMs?: number): void {
    const model = new ModelIntake({ clock: this.clock, random: new SeededRandom('intake'), latenessMs, window: 9 });
    this.connector.reply(model.greeting().message);
  }

  answer(sequence: number): void {
    const outcome = BatchResult_Outcome.ACKED;
    this.connector.reply({
      $case: 'batch',
      value: { sequence, outcome, acceptedPoints: 1, rejections: [], retryAfterMs: 0 },
    });
  }

  /** Adds a batch that was sent on the open stream, and is due again at `dueMs`. */
  sent(number: number, dueMs: number): void {
    const batch = new QueuedBatch(number, 1, 0);
    batch.stamp = { sequence: number, epoch: 1, stampedMs: 0 };
    batch.sentOn = this.link.stream;
    batch.dueMs = dueMs;
    this.queue.add(batch);
    this.queue.addStamped(batch, number);
  }

  /** Lets the open stream fail, and returns the pause until the link opens the next one, ms. */
  failAndReopen(): number {
    this.connector.fail();
    const pauseMs = this.link.nextMs - this.clock.nowMs;
    const streams = this.connector.opened.length;
    this.clock.advance(pauseMs / 2);
    this.link.keepOpen();
    expect(this.connector.opened).toHaveLength(streams);
    this.clock.advanceTo(this.link.nextMs);
    this.link.keepOpen();
    expect(this.connector.opened).toHaveLength(streams + 1);
    return pauseMs;
  }
}

describe('the link of a client session', () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
  });

  test('opens one stream at a time, and says hello on it with the client session and the flush interval', () => {
    bench.link.keepOpen();
    expect(bench.connector.opened).toHaveLength(1);
    const value = { clientSession: Buffer.from(SESSION), clientName: 'test', flushIntervalMs: 250 };
    expect(bench.connector.last.sent).toEqual([{ message: { $case: 'hello', value } }]);
    expect(bench.counters.connects).toBe(1);
  });

  test('takes tenant, window, message size, map and lateness bound from the greeting', () => {
    expect([bench.link.tenant, bench.link.window, bench.link.maxMessageBytes]).toEqual([undefined, 0, 0]);
    bench.greet(30_000);
    expect([bench.link.tenant, bench.link.window, bench.link.maxMessageBytes]).toEqual(['acme', 9, 1 << 20]);
    expect(bench.maps).toMatchObject([{ epoch: 1, partitions: 4 }]);
    expect(bench.latenesses).toEqual([30_000]);
  });

  test('each failure leads to the next address, after a pause that grows up to maxBackoffMs', () => {
    const pauses = Array.from({ length: 7 }, () => bench.failAndReopen());
    const used = bench.connector.opened.map(({ address }) => ADDRESSES.indexOf(address));
    for (let i = 1; i < used.length; i++) expect(used[i]).toBe((used[i - 1] + 1) % ADDRESSES.length);
    expect(pauses[0]).toBeLessThanOrEqual(LIMITS.backoffMs);
    expect(pauses[6]).toBeGreaterThan(4 * LIMITS.backoffMs);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(LIMITS.maxBackoffMs);
    expect(bench.errors.map(({ message }) => message)).toEqual(Array(7).fill('the stream broke'));
  });

  test('after an answered batch the next pause is the shortest again', () => {
    for (let i = 0; i < 6; i++) bench.failAndReopen();
    bench.link.resetBackoff();
    expect(bench.failAndReopen()).toBeLessThanOrEqual(LIMITS.backoffMs);
  });

  test('abandons a stream that is not greeted within greetingTimeoutMs', () => {
    const { last } = bench.connector;
    expect(bench.link.nextMs).toBe(bench.clock.nowMs + LIMITS.greetingTimeoutMs);
    bench.clock.advance(LIMITS.greetingTimeoutMs - 1);
    bench.link.keepOpen();
    expect(last.isClosed).toBe(false);
    bench.clock.advance(1);
    bench.link.keepOpen();
    expect(last.isClosed).toBe(true);
    expect(bench.link.stream).toBeUndefined();
    expect(bench.errors).toMatchObject([{ code: 'deadline_exceeded', detail: { field: 'greetingTimeoutMs' } }]);
  });

  test('abandons a stream whose due batch is unanswered, replyTimeoutMs after the last answer to any batch', () => {
    bench.greet();
    const { last } = bench.connector;
    bench.sent(0, bench.clock.nowMs + LIMITS.replyTimeoutMs);
    bench.clock.advance(LIMITS.replyTimeoutMs - 1);
    bench.answer(1);
    bench.clock.advance(LIMITS.replyTimeoutMs - 1);
    bench.link.keepOpen();
    expect(last.isClosed).toBe(false);
    bench.clock.advance(1);
    bench.link.keepOpen();
    expect(last.isClosed).toBe(true);
    expect(bench.errors).toMatchObject([{ code: 'deadline_exceeded' }]);
    expect(bench.results).toMatchObject([{ sequence: 1 }]);
  });

  test('keeps a stream open that owes no answer, however long it is silent', () => {
    bench.greet();
    bench.clock.advance(1000 * LIMITS.replyTimeoutMs);
    bench.link.keepOpen();
    expect(bench.connector.last.isClosed).toBe(false);
    expect(bench.link.nextMs).toBe(Number.POSITIVE_INFINITY);
  });

  test('ends a stream whose key belongs to another tenant than the spool, and uses none of its terms', () => {
    bench = new Bench('other');
    bench.greet();
    expect(bench.connector.last.isClosed).toBe(true);
    expect(bench.errors).toMatchObject([{ code: 'permission_denied', detail: { tenant: 'acme' } }]);
    expect([bench.link.tenant, bench.link.window, bench.maps]).toEqual(['other', 0, []]);
  });
});
