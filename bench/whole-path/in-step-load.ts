import type { Client, SeriesHandle } from '@tidemark/client';
import { metricOf, taggedSeries } from '../data/tagged-series.ts';
import type { GeneratorOptions } from './messages.ts';
import { RoundValues } from './round-values.ts';

/** The points of a client, round by round. */
export interface Load {
  /** Series that have a point in a round. */
  readonly series: number;
  readonly latePoints: number;
  readonly newSeries: number;
  /** Records the points that come in a round; returns how many there are. */
  record(round: number): number;
}

/** All series have a point of one time in each round. */
export class InStepLoad implements Load {
  readonly latePoints = 0;
  readonly newSeries = 0;
  readonly #client: Client;
  readonly #options: GeneratorOptions;
  readonly #handles: readonly SeriesHandle[];
  readonly #values: RoundValues;

  constructor(client: Client, options: GeneratorOptions) {
    const { hosts, metrics: count, rounds, seed } = options;
    this.#client = client;
    this.#options = options;
    this.#handles = taggedSeries(hosts, count).map(({ metric, kind, tags }) => client.series(metric, kind, tags));
    const metrics = Uint32Array.from(this.#handles, (_, i) => metricOf(i, hosts));
    this.#values = new RoundValues(metrics, rounds, seed);
  }

  get series(): number {
    return this.#handles.length;
  }

  record(round: number): number {
    const { startMs, stepMs } = this.#options;
    this.#client.recordColumns(this.#handles, startMs + round * stepMs, this.#values.at(round, 0, this.series));
    return this.series;
  }
}
