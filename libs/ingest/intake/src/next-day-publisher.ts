import { type Clock, sleep } from '@tidemark/ports';
import type { AcceptClock } from './accept-clock.ts';
import type { ClientDictionary } from './client-dictionary.ts';
import { nextDayEntries } from './next-day-tags.ts';
import type { TagPublisher } from './tag-publisher.ts';

export interface NextDayOptions {
  readonly clock: Clock;
  readonly acceptClock: AcceptClock;
  readonly dictionaries: () => Iterable<ClientDictionary>;
  readonly tagsOf: (partition: number) => TagPublisher | undefined;
  /** Returns true once the session needs no further days. */
  readonly hasEnded: () => boolean;
  readonly signal: AbortSignal;
}

const INTERVAL_MS = 10_000;
/** Max entries of one dictionary that one turn publishes. */
const MAX_ENTRIES = 50_000;

/**
 * Publishes the (series, day) entries of tomorrow during the last hour of each day, until the session ends.
 * request-intake.test.ts covers it.
 */
export async function publishNextDays(options: NextDayOptions): Promise<void> {
  const { clock, acceptClock, dictionaries, tagsOf, hasEnded, signal } = options;
  while (!signal.aborted && !hasEnded()) {
    await sleep(clock, INTERVAL_MS, signal);
    for (const dictionary of dictionaries()) {
      const entries = nextDayEntries(dictionary, acceptClock.nowMs(), MAX_ENTRIES);
      if (entries.length === 0) continue;
      // Entries that cannot be published now are published with the series' first points of the day.
      await tagsOf(dictionary.partition)
        ?.publish(entries, signal)
        .catch(() => undefined);
    }
  }
}
