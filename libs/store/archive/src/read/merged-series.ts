import { compareSeries, type SeriesKey } from './names-cursor.ts';

/**
 * Merges sources that have their series in order, each at most once: all of one series are given out together, in the order of the
 * sources. One of each source is in memory.
 */
export async function* mergedSeries<T extends SeriesKey>(
  sources: readonly AsyncGenerator<T, void>[],
): AsyncGenerator<T[]> {
  try {
    const heads: (T | undefined)[] = [];
    for (const source of sources) heads.push(await headOf(source));
    for (;;) {
      const first = lowestOf(heads);
      if (first === undefined) return;
      const same: T[] = [];
      for (const [i, head] of heads.entries()) {
        if (head === undefined || compareSeries(head, first) !== 0) continue;
        same.push(head);
        heads[i] = await headOf(sources[i]);
      }
      yield same;
    }
  } finally {
    await Promise.all(sources.map((source) => source.return()));
  }
}

async function headOf<T>(source: AsyncGenerator<T, void>): Promise<T | undefined> {
  const next = await source.next();
  return next.done === true ? undefined : next.value;
}

function lowestOf<T extends SeriesKey>(heads: readonly (T | undefined)[]): T | undefined {
  let lowest: T | undefined;
  for (const head of heads) {
    if (head !== undefined && (lowest === undefined || compareSeries(head, lowest) < 0)) lowest = head;
  }
  return lowest;
}
