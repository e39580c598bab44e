// `npm run simulate -- --churn-hours N`: hours of churn in simulated time. Clients, series, keys and intake sessions come
// and go; each table stays below its bound.
import { Client } from '@tidemark/client';
import { below } from '@tidemark/ports';
import { SimulatedWorld } from '@tidemark/simulation';
import { boundOf, CLIENT_SERIES } from './bounds.ts';
import { DirectConnector } from './direct-connector.ts';
import { ChurnPlatform } from './platform.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const TENANT = 'default';
/** Minutes after which the intake begins another session, and after which a key is replaced. */
const SESSION_MINUTES = 47;
const KEY_MINUTES = 13;
const KEYS = 20;
/** Series that each minute's short-lived client sends, and those that the long-lived one sends for the first time. */
const SHORT_SERIES = 5;
const LONG_SERIES = 3;
const START_MS = 60_000;

export interface ChurnResult {
  readonly seed: number;
  /** Max entries of each table, at the ends of hours. */
  readonly most: Readonly<Record<string, number>>;
  /** Tables above their bounds, and other failures. */
  readonly violations: readonly string[];
  readonly clients: number;
  /** Sessions of these clients, and those of intakes, which send statements about metrics. */
  readonly clientSessions: number;
  readonly ackedPoints: number;
}

/** Plays hours of churn. Equal seeds give equal runs. */
export async function runChurn(seed: number, hours: number): Promise<ChurnResult> {
  const run = new ChurnRun(seed);
  await run.start();
  for (let hour = 0; hour < hours; hour++) await run.hour(hour);
  return run.result(seed);
}

class ChurnRun {
  readonly #world: SimulatedWorld;
  readonly #violations: string[] = [];
  readonly #most: Record<string, number> = {};
  #platform: ChurnPlatform | undefined;
  #long: Client | undefined;
  #clients = 0;
  #intakes = 1;
  #ackedPoints = 0;

  constructor(seed: number) {
    this.#world = new SimulatedWorld({ seed });
    this.#world.faults.stop();
  }

  async start(): Promise<void> {
    const node = this.#world.node('platform');
    const fail = (error: unknown) => void this.#violations.push(String(error));
    this.#platform = await this.#play(node.start((ports) => ChurnPlatform.start(ports, fail)));
    this.#long = await this.#client('long-lived');
  }

  async hour(hour: number): Promise<void> {
    const endMs = this.#started.ports.clock.monotonicMs() + HOUR_MS;
    for (let minute = hour * 60; this.#started.ports.clock.monotonicMs() < endMs; minute++) {
      await this.#minute(minute);
    }
    for (const [table, entries] of Object.entries(await this.#tables())) {
      this.#most[table] = Math.max(this.#most[table] ?? 0, entries);
      const bound = boundOf(table, this.#clientSessions);
      if (!(entries <= bound)) {
        this.#violations.push(`${table}: ${entries} after ${hour + 1} hours (limit: ${bound})`);
      }
    }
  }

  result(seed: number): ChurnResult {
    const { ackedPoints } = this.#longLived.stats();
    if (ackedPoints === 0) this.#violations.push('the long-lived client had no point acknowledged');
    return {
      ...{ seed, most: this.#most, violations: this.#violations, clients: this.#clients },
      clientSessions: this.#clientSessions,
      ackedPoints: this.#ackedPoints + ackedPoints,
    };
  }

  get #clientSessions(): number {
    return this.#clients + this.#intakes;
  }

  get #started(): ChurnPlatform {
    if (this.#platform === undefined) throw new Error('not started');
    return this.#platform;
  }

  get #longLived(): Client {
    if (this.#long === undefined) throw new Error('not started');
    return this.#long;
  }

  async #minute(minute: number): Promise<void> {
    const { ports, runner, coordinator } = this.#started;
    for (let n = 0; n < LONG_SERIES; n++) this.#longLived.count('steady.requests', 1, [`pod:${minute}.${n}`]);
    this.#longLived.gauge('steady.load', minute);
    const client = await this.#client(`short ${minute}`);
    for (let n = 0; n < SHORT_SERIES; n++) client.count('pods.requests', 1, [`pod:${minute}`, `n:${n}`]);
    client.gauge(`pods.metric${minute}`, 1);
    client.describe(`pods.metric${minute}`, { unit: 'byte' });
    client.flush();
    await this.#world.clock.advance(5000 + below(ports.random, 20_000));
    this.#ackedPoints += client.stats().ackedPoints;
    await this.#play(client.close());
    if (minute % SESSION_MINUTES === SESSION_MINUTES - 1) {
      await this.#play(runner.stop());
      await this.#play(this.#started.nextIntake());
      this.#intakes++;
      await this.#play(this.#longLived.close());
      this.#long = await this.#client(`long-lived ${minute}`);
    }
    if (minute % KEY_MINUTES === 0) {
      await this.#play(coordinator.createKey(TENANT, `key ${(minute / KEY_MINUTES) % KEYS}`, ['send']));
    }
    const intoMinuteMs = ports.clock.monotonicMs() % MINUTE_MS;
    await this.#world.clock.advance(MINUTE_MS - intoMinuteMs);
  }

  #client(name: string): Promise<Client> {
    const { ports } = this.#started;
    this.#clients++;
    // A client finds the intake that runs when it connects.
    const connector = {
      connect: (...args: Parameters<DirectConnector['connect']>) =>
        new DirectConnector(this.#started.runner, ports.clock, TENANT).connect(...args),
    };
    const options = { name, flushIntervalMs: 10_000, maxSeries: CLIENT_SERIES, seriesExpiryMs: 600_000 };
    return this.#play(Client.open({ connector, addresses: ['intake'], ...ports, disk: undefined }, options));
  }

  async #tables(): Promise<Record<string, number>> {
    const { points, tags, control, log, runner } = this.#started;
    const { series, clients, lanes, stateHashes } = points.status;
    const { series: tagSeries, metrics } = tags.status();
    const { sessions, fences, keys } = control.state;
    const records = async (topic: 'control' | 'points' | 'tags') => {
      const { first, next } = await this.#play(log.bounds(topic, 0));
      return next - first;
    };
    return {
      'tag store: series': tagSeries,
      'tag store: metrics': metrics,
      'point store: series': series,
      'point store: client sessions': clients.length,
      'point store: open lanes': lanes.length,
      'point store: bucket hashes': stateHashes.length,
      'point store: buckets': await this.#play(this.#started.buckets()),
      'control: sessions': sessions.size,
      'control: fences': fences.size,
      'control: keys': keys.size,
      'log: records of control': await records('control'),
      'log: records of points': await records('points'),
      'log: records of tags': await records('tags'),
      'intake: clients': runner.clients.list().length,
      'client: series': this.#longLived.stats().series,
    };
  }

  /** Waits for `work` while time passes. */
  async #play<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    done.catch(() => undefined);
    await this.#world.clock.run(() => isDone, START_MS);
    return done;
  }
}
