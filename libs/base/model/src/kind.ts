import { unreachable } from '@tidemark/ports';

/**
 * What values mean, as their sender states it, or as a query uses them; the numbers are those of the wire. `reading` is
 * for a sender that doesn't know whether its readings are gauges or counters; a `rate` is a count that is shown per second.
 */
export const KIND = { gauge: 1, count: 2, counter: 3, distribution: 4, reading: 5, rate: 6 } as const;
export type KindName = keyof typeof KIND;
export type Kind = (typeof KIND)[KindName];

export function isKind(value: number): value is Kind {
  return value >= 1 && value <= 6;
}

export function kindName(kind: Kind): KindName {
  switch (kind) {
    case KIND.gauge:
      return 'gauge';
    case KIND.count:
      return 'count';
    case KIND.counter:
      return 'counter';
    case KIND.distribution:
      return 'distribution';
    case KIND.reading:
      return 'reading';
    case KIND.rate:
      return 'rate';
    default:
      return unreachable(kind);
  }
}
