import { unreachable } from '@tidemark/ports';

/** What the values of a series mean; the numbers are those of the wire and the disk. */
export const KIND = { gauge: 1, count: 2, counter: 3, distribution: 4 } as const;
export type KindName = keyof typeof KIND;
export type Kind = (typeof KIND)[KindName];

export function isKind(value: number): value is Kind {
  return value >= 1 && value <= 4;
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
    default:
      return unreachable(kind);
  }
}
