/**
 * The series of a target's last scrape, to find those that the next one no longer has. It holds as many as the last two
 * scrapes had samples, which the target's limits bound. scrape-check.test.ts covers it.
 */
export class LivingSeries<S extends { readonly key: string }> {
  #last = new Map<string, S>();
  #seen = new Map<string, S>();

  /**
   * Notes that the scrape in progress has the series. `ends` is false when its source states the times of its samples, and
   * so when it ends: then it does not end with a later scrape.
   */
  see(series: S, ends: boolean): void {
    this.#last.delete(series.key);
    if (ends) this.#seen.set(series.key, series);
  }

  /** Calls `onEnd` with each series that the scrape before had and this one does not: with all after a failed scrape. */
  endScrape(onEnd: (series: S) => void): void {
    for (const series of this.#last.values()) onEnd(series);
    this.#last = this.#seen;
    this.#seen = new Map();
  }
}
