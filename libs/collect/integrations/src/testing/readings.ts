import type { CheckSink } from '@tidemark/checks';

/** Records the readings of a check. */
export class Readings implements CheckSink {
  readonly #all: { readonly metric: string; readonly value: number; readonly tags: readonly string[] }[] = [];

  gauge(metric: string, value: number, tags: readonly string[] = []): void {
    this.#all.push({ metric, value, tags });
  }

  count(metric: string, value: number, tags: readonly string[] = []): void {
    this.#all.push({ metric, value, tags });
  }

  counter(metric: string, value: number, tags: readonly string[] = []): void {
    this.#all.push({ metric, value, tags });
  }

  reading(metric: string, value: number, tags: readonly string[] = []): void {
    this.#all.push({ metric, value, tags });
  }

  end(): void {
    throw new Error('integrations end no series');
  }

  describe(): void {}

  get metrics(): readonly string[] {
    return [...new Set(this.#all.map(({ metric }) => metric))].sort();
  }

  /** Returns the values of a metric that have all of these tags. */
  values(metric: string, ...tags: readonly string[]): number[] {
    return this.#all
      .filter((one) => one.metric === metric && tags.every((tag) => one.tags.includes(tag)))
      .map(({ value }) => value);
  }

  /** Returns the tags of a metric's readings, each list as one text. */
  tags(metric: string): string[] {
    return this.#all.filter((one) => one.metric === metric).map(({ tags }) => tags.join(','));
  }
}
