import type { Client, SeriesHandle } from '@tidemark/client';
import { METRICS } from '../data/hosts.ts';
import { mulberry32 } from '../data/mulberry32.ts';
import { seriesOfHost } from '../data/tagged-series.ts';
import type { Load } from './in-step-load.ts';
import type { GeneratorOptions } from './messages.ts';
import { RoundValues } from './round-values.ts';

/** How many rounds a late scrape comes after its time, at least, and how many more at most. */
const LATE_ROUNDS = { least: 90, more: 180 };
const HOUR_MS = 3_600_000;

interface Scrape {
  readonly host: number;
  readonly round: number;
  readonly handles: readonly SeriesHandle[];
  readonly timeMs: number;
}

/**
 * Scrapes of hosts, one after the other, as those of a day in operation: each host has its phase in the round and some jitter, hosts
 * are replaced by others, and some scrapes come late. Numbers that are drawn follow from the seed.
 */
export class ScrapeLoad implements Load {
  latePoints = 0;
  newSeries = 0;
  readonly #client: Client;
  readonly #options: GeneratorOptions;
  readonly #values: RoundValues;
  readonly #draw: () => number;
  /** By place: the series of the host that has it, and its phase, ms. */
  readonly #handles: (readonly SeriesHandle[])[];
  readonly #phases: readonly number[];
  /** Hosts so far. */
  #hosts: number;
  /** By round: late scrapes that come in it. */
  readonly #late = new Map<number, Scrape[]>();

  constructor(client: Client, options: GeneratorOptions) {
    const { hosts, rounds, seed, stepMs, shape } = options;
    this.#client = client;
    this.#options = options;
    const metrics = Uint32Array.from({ length: hosts * METRICS }, (_, i) => i % METRICS);
    this.#values = new RoundValues(metrics, rounds, seed);
    this.#draw = mulberry32(seed);
    this.#handles = Array.from({ length: hosts }, (_, host) => this.#handlesOf(host));
    const room = stepMs - 2 * shape.jitterMs;
    this.#phases = this.#handles.map(() => (shape.phases ? shape.jitterMs + Math.floor(this.#draw() * room) : 0));
    this.#hosts = hosts;
  }

  get series(): number {
    return this.#options.hosts * METRICS;
  }

  record(round: number): number {
    this.#replaceHosts(round);
    const due = this.#late.get(round) ?? [];
    this.#late.delete(round);
    for (const scrape of due) this.#send(scrape);
    let sent = due.length;
    for (let host = 0; host < this.#options.hosts; host++) {
      const scrape = this.#scrape(host, round);
      if (this.#isPutOff(scrape)) continue;
      this.#send(scrape);
      sent++;
    }
    return sent * METRICS;
  }

  #scrape(host: number, round: number): Scrape {
    const { startMs, stepMs, shape } = this.#options;
    const jitterMs = Math.round((2 * this.#draw() - 1) * shape.jitterMs);
    const timeMs = startMs + round * stepMs + this.#phases[host] + jitterMs;
    return { host, round, handles: this.#handles[host], timeMs };
  }

  #send({ host, round, handles, timeMs }: Scrape): void {
    this.#client.recordColumns(handles, timeMs, this.#values.at(round, host * METRICS, METRICS));
  }

  /** Decides whether a scrape comes late; none of round 0, which is not measured, and none that would not come at all. */
  #isPutOff(scrape: Scrape): boolean {
    const { rounds, shape } = this.#options;
    const isLate = this.#draw() < shape.lateShare;
    const round = scrape.round + LATE_ROUNDS.least + Math.floor(this.#draw() * LATE_ROUNDS.more);
    if (!isLate || scrape.round === 0 || round > rounds) return false;
    this.#late.set(round, [...(this.#late.get(round) ?? []), scrape]);
    this.latePoints += METRICS;
    return true;
  }

  /** Replaces hosts by new ones, which have the phases and values of those. */
  #replaceHosts(round: number): void {
    const { hosts, stepMs, shape } = this.#options;
    const wanted = hosts + Math.floor((round * stepMs * shape.churnPerHour * hosts) / HOUR_MS);
    while (this.#hosts < wanted) {
      const host = this.#hosts++;
      this.#handles[host % hosts] = this.#handlesOf(host);
      this.newSeries += METRICS;
    }
  }

  #handlesOf(host: number): readonly SeriesHandle[] {
    return seriesOfHost(host).map(({ metric, kind, tags }) => this.#client.series(metric, kind, tags));
  }
}
