import { SIP_KEY_BYTES } from '@tidemark/bytes';
import { type Check, CheckRunner } from '@tidemark/checks';
import { LocalRefusals } from '@tidemark/client';
import {
  Aggregator,
  DEFAULT_DOGSTATSD_LIMITS,
  DogStatsDParser,
  type DogStatsDServer,
  type Receiver,
  type ServerStatus,
  type ServiceCheck,
  type StatsdEvent,
  StatsdSeriesTable,
} from '@tidemark/dogstatsd';
import { assert, type Clock, messageOf, type Timer } from '@tidemark/ports';
import { agentRefusals } from './agent-refusals.ts';
import { type AgentSource, agentSources } from './agent-sources.ts';
import { CheckOutput } from './check-output.ts';
import { HandleCache } from './handle-cache.ts';
import { HostTags } from './host-tags.ts';
import type { AgentOptions } from './options.ts';
import { SelfMetrics } from './self-metrics.ts';
import { openServers } from './servers.ts';
import { StatsdOutput } from './statsd-output.ts';
import type { AgentStatus } from './status.ts';

/** A timer may fire slightly early by the wall clock. Up to this much, its boundary counts as reached. */
const EARLY_MS = 20;
/** Drop counters come from a table of all sockets of the host, so they are not read at every flush. */
const SERVER_STATUS_EVERY_MS = 10_000;

/**
 * Collects on one host: DogStatsD, host checks, and the agent's own metrics. At every multiple T of the flush interval
 * it sends the DogStatsD aggregates of [T - interval, T), stamped with the interval's start, and the checks' readings
 * at T, stamped T. After that flush nothing older than T follows, except for values that senders stamp themselves.
 */
export class Agent {
  readonly #options: AgentOptions;
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #checkWaitMs: number;
  readonly #handles: HandleCache;
  readonly #statsd: StatsdOutput;
  readonly #readings: CheckOutput;
  readonly #self: CheckOutput;
  readonly #selfMetrics = new SelfMetrics();
  readonly #aggregator: Aggregator;
  readonly #receiver: Receiver;
  readonly #runner: CheckRunner;
  #servers: DogStatsDServer[] = [];
  #missingServers: readonly ServerStatus[] = [];
  #serverStatus: readonly ServerStatus[] = [];
  #serverStatusMs = Number.NEGATIVE_INFINITY;
  #running = false;
  #startedMs = 0;
  #timer: Timer | undefined;
  /** The flush in progress. The next one waits for it. */
  #round: Promise<void> = Promise.resolve();
  #lastFlushMs: number | undefined;
  #flushes = 0;

  constructor(options: AgentOptions) {
    const { clock, flushIntervalMs = 10_000, seriesExpiryMs = 300_000, limits = DEFAULT_DOGSTATSD_LIMITS } = options;
    assert(flushIntervalMs > 0, `flush interval ${flushIntervalMs}`);
    this.#options = options;
    this.#clock = clock;
    this.#intervalMs = flushIntervalMs;
    this.#checkWaitMs = Math.min(options.checkWaitMs ?? 250, flushIntervalMs / 4);
    const idleFlushes = Math.max(1, Math.ceil(seriesExpiryMs / flushIntervalMs));
    this.#handles = new HandleCache(
      options.client,
      new HostTags(options.hostname, options.tags ?? []),
      idleFlushes,
      options.cachedHandles ?? 100_000,
    );
    this.#statsd = new StatsdOutput(this.#handles, clock);
    this.#readings = new CheckOutput(this.#handles, options.pendingReadings ?? 100_000, flushIntervalMs);
    this.#self = new CheckOutput(this.#handles, 10_000, flushIntervalMs);
    const table = new StatsdSeriesTable(limits, options.random.bytes(SIP_KEY_BYTES));
    this.#aggregator = new Aggregator(table, this.#statsd, limits, idleFlushes);
    const parser = new DogStatsDParser(table, this.#aggregator, limits);
    this.#receiver = {
      parse: (bytes, from, to) => parser.parse(bytes, from, to),
      refused: (reason) => this.#aggregator.refused(reason),
    };
    this.#runner = new CheckRunner({
      clock,
      checks: options.checks ?? [],
      sinkOf: (check, wallMs) => this.#readings.sink(this.#intervalOf(check), wallMs),
      onFailure: (check, error) => this.#problem('a check failed', { check, error: messageOf(error) }),
    });
  }

  /** Opens the servers and begins to flush. Throws when a server cannot listen; the agent does not run then. */
  async start(): Promise<void> {
    assert(!this.#running, 'the agent is already running');
    const opened = await openServers(this.#receiver, this.#options);
    this.#servers = opened.servers;
    this.#missingServers = [...opened.missing, ...(this.#options.closedServers ?? [])];
    this.#startedMs = Math.floor(this.#clock.wallMs());
    this.#serverStatusMs = Number.NEGATIVE_INFINITY;
    this.#running = true;
    this.#runner.start();
    this.#schedule();
  }

  /** Stops collecting and flushes the rest. To wait until all points have arrived, close the client afterwards. */
  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    this.#timer?.cancel();
    await this.#round;
    await this.#runner.stop();
    await this.#readServers(true);
    await Promise.all(this.#servers.map((server) => server.close()));
    // The last interval is cut short, but its counts are stamped with its start, as those of a whole interval.
    const startMs = this.#boundary();
    this.#aggregator.flush(startMs);
    this.#sendOwn(startMs);
  }

  status(): AgentStatus {
    return {
      hostname: this.#options.hostname,
      flushIntervalMs: this.#intervalMs,
      running: this.#running,
      flushes: this.#flushes,
      lastFlushMs: this.#lastFlushMs,
      points: { dogstatsd: this.#statsd.points, checks: this.#readings.points, agent: this.#self.points },
      dropped: Object.fromEntries(this.#dropped().list.map(({ reason, count }) => [reason, count])),
      servers: this.#serverStatus,
      dogstatsd: this.#options.dogstatsd === false ? undefined : this.#aggregator.counts(),
      checks: this.#runner.status(),
      client: this.#options.client.stats(),
    };
  }

  /** Returns `status()` with fresh figures of the servers. */
  async freshStatus(): Promise<AgentStatus> {
    await this.#readServers(true);
    return this.status();
  }

  /** What the agent refused or dropped since its start, by reason, with an example of each where one is known. */
  refusals(): LocalRefusals {
    return agentRefusals(this.#dropped(), this.#aggregator.counts(), this.#runner.status(), this.#serverStatus);
  }

  /** The checks, scrape targets and DogStatsD servers, and why those that do not work do not. */
  sources(): AgentSource[] {
    return agentSources(this.#runner.status(), this.#serverStatus, this.#startedMs);
  }

  /** The newest events and service checks, oldest first. */
  events(): readonly StatsdEvent[] {
    return this.#aggregator.events();
  }

  serviceChecks(): readonly ServiceCheck[] {
    return this.#aggregator.serviceChecks();
  }

  #schedule(): void {
    if (!this.#running) return;
    const wallMs = this.#clock.wallMs();
    const delayMs = this.#boundary() + this.#intervalMs - wallMs;
    this.#timer = this.#clock.setTimer(Math.max(1, delayMs), () => {
      this.#round = this.#flush().finally(() => this.#schedule());
    });
  }

  /** Returns the last multiple of the interval that the wall clock has reached. */
  #boundary(): number {
    return Math.floor((this.#clock.wallMs() + EARLY_MS) / this.#intervalMs) * this.#intervalMs;
  }

  async #flush(): Promise<void> {
    const nowMs = this.#boundary();
    // A clock that was set back slightly must not send an interval twice.
    if (nowMs === this.#lastFlushMs) return;
    this.#lastFlushMs = nowMs;
    this.#aggregator.flush(nowMs - this.#intervalMs);
    await this.#runner.run(this.#checkWaitMs);
    await this.#readServers(false);
    this.#sendOwn(nowMs);
  }

  /** How far apart the readings of a check are, ms: one without a phase runs at flushes only. */
  #intervalOf({ everyMs = 0, phaseMs }: Check): number {
    if (phaseMs !== undefined) return Math.max(1, everyMs);
    return Math.max(1, Math.ceil(everyMs / this.#intervalMs)) * this.#intervalMs;
  }

  /** Adds the checks' readings and the agent's own metrics, and ends the flush. */
  #sendOwn(timestampMs: number): void {
    this.#readings.flush(timestampMs);
    this.#selfMetrics.report(this.status(), this.#self.sink(this.#intervalMs));
    this.#self.flush(timestampMs);
    this.#handles.endFlush();
    this.#options.client.flush();
    this.#flushes++;
  }

  async #readServers(now: boolean): Promise<void> {
    const monotonicMs = this.#clock.monotonicMs();
    if (!now && monotonicMs - this.#serverStatusMs < SERVER_STATUS_EVERY_MS) return;
    this.#serverStatusMs = monotonicMs;
    this.#serverStatus = [
      ...(await Promise.all(this.#servers.map((server) => server.status()))),
      ...this.#missingServers,
    ];
  }

  #dropped(): LocalRefusals {
    const dropped = new LocalRefusals();
    const { refused, examples } = this.#aggregator.counts();
    for (const [reason, count] of Object.entries(refused)) dropped.add(reason, count, examples[reason] ?? '');
    for (const part of [this.#readings.drops, this.#self.drops, this.#handles.refusals]) dropped.addAll(part.list);
    return dropped;
  }

  #problem(message: string, detail: Readonly<Record<string, string>>): void {
    this.#options.onProblem?.(message, detail);
  }
}
