import { Client } from '@tidemark/client';
import type { KindName } from '@tidemark/model';
import { below, type Clock, type Disk, type Random, sleep } from '@tidemark/ports';
import type { NetworkEndpoint } from '@tidemark/simulation';
import { SimulatedConnector } from './intake-connector.ts';
import type { Ledger } from './ledger.ts';
import { kindOf, METRICS, UNEVEN_METRIC, WIDE_METRIC, WIDE_SERIES } from './series.ts';
import { LATENESS_MS } from './settings.ts';
import { Violation } from './violation.ts';

export interface ClientHostOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: NetworkEndpoint;
  /** Folder of its spool. A client without a spool loses its unsettled points in a crash. */
  readonly disk: Disk | undefined;
  readonly intakes: readonly string[];
  readonly ledger: Ledger;
  /** Returns a value that no other point has. */
  readonly nextValue: () => number;
  readonly failed: (error: unknown) => void;
}

const PAUSE_MS = 700;
/** Probability that a point repeats the series and timestamp of a recent point. */
const REPEATS = 0.15;
const REMEMBERED = 16;
const TIME_GRID_MS = 100;
/** Probability that points of many series are recorded at once. */
const BURSTS = 0.01;
const STATED_MS = new Map(METRICS.map(({ metric, intervalMs }) => [metric, intervalMs]));
const WIDE = METRICS.filter(({ metric }) => metric === WIDE_METRIC);

interface Drawn {
  readonly metric: string;
  readonly kind: KindName;
  readonly tags: string[];
  readonly timeMs: number;
}

/** Clients whose bounds are reached in an outage of some seconds. */
const SMALL_CLIENTS = { memory: 'client-3', spool: 'client-2' };
/** Probability that a value is wrong. */
const WRONG = 0.02;

/** A program that records points through the client library, most of them in time, some late. */
export class ClientHost {
  readonly client: Client;
  readonly #options: ClientHostOptions;
  readonly #recent: Drawn[] = [];
  /** Values that the program gave to the client. */
  #given = 0;
  #isRecording = true;

  private constructor(client: Client, options: ClientHostOptions) {
    this.client = client;
    this.#options = options;
  }

  static async start(options: ClientHostOptions): Promise<ClientHost> {
    const { clock, random, network, disk, intakes, ledger, name, failed } = options;
    const client = await Client.open(
      {
        connector: new SimulatedConnector({ network, client: name, ledger, failed }),
        ...{ addresses: intakes, clock, random, disk },
      },
      {
        name,
        flushIntervalMs: 1000,
        maxBatchBytes: 300,
        maxSeries: 180,
        seriesExpiryMs: 10_000,
        memoryBytes: name === SMALL_CLIENTS.memory ? 1024 : 256 * 1024,
        spoolBytes: name === SMALL_CLIENTS.spool ? 24 * 1024 : 256 * 1024,
        spoolFileBytes: 2048,
        frontierLagMs: 30_000,
        replyTimeoutMs: 3000,
        greetingTimeoutMs: 2000,
        maxBackoffMs: 1000,
      },
    );
    const host = new ClientHost(client, options);
    host.#record().catch(failed);
    return host;
  }

  stopRecording(): void {
    this.#isRecording = false;
    this.client.flush();
  }

  async #record(): Promise<void> {
    const { clock, random } = this.#options;
    while (this.#isRecording) {
      for (let left = below(random, 4); left > 0; left--) this.#recordOne(this.#repeated() ?? this.#drawn(METRICS));
      const isBurst = random.next() < BURSTS;
      for (let left = isBurst ? WIDE_SERIES / 2 : 0; left > 0; left--) this.#recordOne(this.#drawn(WIDE));
      if (random.next() < WRONG) this.#give('count', 'requests', Number.NaN, [], clock.wallMs());
      this.#addsUp();
      await sleep(clock, random.next() * PAUSE_MS);
    }
  }

  #recordOne({ metric, kind, tags, timeMs }: Drawn): void {
    const { ledger, nextValue } = this.#options;
    const value = metric === UNEVEN_METRIC ? nextValue() + 1 / 3 : nextValue();
    ledger.record(metric, kindOf(kind), tags, timeMs, value);
    this.#give(kind, metric, value, tags, timeMs);
  }

  #give(kind: KindName, metric: string, value: number, tags: string[], timeMs: number): void {
    this.#given++;
    record(this.client, kind, metric, value, tags, timeMs);
  }

  #drawn(from: typeof METRICS): Drawn {
    const { clock, random, ledger, name } = this.#options;
    for (;;) {
      const { metric, kind } = from[below(random, from.length)];
      const part = metric === WIDE_METRIC ? 0 : Math.floor(clock.monotonicMs() / 20_000);
      const tags = [`client:${name}`, `part:${part + below(random, metric === WIDE_METRIC ? WIDE_SERIES : 2)}`];
      const timeMs = Math.floor((clock.wallMs() - this.#ageMs()) / TIME_GRID_MS) * TIME_GRID_MS;
      if (ledger.isRecorded(metric, kindOf(kind), tags, timeMs)) continue;
      const drawn = { metric, kind, tags, timeMs };
      this.#recent.push(drawn);
      if (this.#recent.length > REMEMBERED) this.#recent.shift();
      return drawn;
    }
  }

  /** Repeats a series and timestamp in another batch: counts add up, gauges keep the later value. */
  #repeated(): Drawn | undefined {
    const { random, ledger } = this.#options;
    if (random.next() >= REPEATS || this.#recent.length === 0) return undefined;
    const one = this.#recent[below(random, this.#recent.length)];
    return ledger.isSent(one.metric, kindOf(one.kind), one.tags, one.timeMs) ? one : undefined;
  }

  /** Returns the age of a point when it is recorded: most are new, some just in time, some late. */
  #ageMs(): number {
    const { random } = this.#options;
    const draw = random.next();
    if (draw < 0.55) return random.next() * 300;
    return random.next() * (draw < 0.9 ? LATENESS_MS : 4 * LATENESS_MS);
  }

  #addsUp(): void {
    const stats = this.client.stats();
    if (stats.internalErrors > 0) {
      throw new Violation('client-stats', `${this.#options.name}: ${this.client.lastError?.message}`);
    }
    const { samples, rejectedSamples, mergedSamples, gatheredPoints, points, recoveredPoints, mergedPoints } = stats;
    const { ackedPoints, rejectedPoints, refusedPoints } = stats;
    const gone = stats.droppedPoints + stats.indeterminatePoints;
    const settled = mergedPoints + ackedPoints + rejectedPoints + refusedPoints + gone + stats.pendingPoints;
    const isEverySampleCounted = samples === rejectedSamples + mergedSamples + gatheredPoints + points;
    const isSettled = settled === points + recoveredPoints && stats.spooledPoints <= stats.pendingPoints;
    if (samples === this.#given && isEverySampleCounted && isSettled) return;
    throw new Violation('client-stats', `${this.#options.name}: ${JSON.stringify(stats)} do not add up`);
  }
}

function record(client: Client, kind: KindName, metric: string, value: number, tags: string[], timeMs: number): void {
  if (kind === 'gauge') client.gauge(metric, value, tags, timeMs, STATED_MS.get(metric));
  else if (kind === 'count') client.count(metric, value, tags, timeMs);
  else if (kind === 'counter') client.counter(metric, value, tags, timeMs);
  else if (kind === 'reading') client.series(metric, kind, tags).record(value, timeMs);
  else client.distribution(metric, value, tags, timeMs);
}
