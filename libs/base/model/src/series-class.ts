import { unreachable } from '@tidemark/ports';
import { KIND, type Kind } from './kind.ts';

/**
 * What the points of a series are, as part of its identity; the numbers are those of the disk. Of equal timestamps the
 * later reading stands, counts add, and distributions merge. Whether a reading is a gauge or a counter is metadata of
 * its metric.
 */
export const SERIES_CLASS = { reading: 1, count: 2, distribution: 3 } as const;
export type SeriesClassName = keyof typeof SERIES_CLASS;
export type SeriesClass = (typeof SERIES_CLASS)[SeriesClassName];

export function isSeriesClass(value: number): value is SeriesClass {
  return value >= 1 && value <= 3;
}

export function seriesClassName(seriesClass: SeriesClass): SeriesClassName {
  switch (seriesClass) {
    case SERIES_CLASS.reading:
      return 'reading';
    case SERIES_CLASS.count:
      return 'count';
    case SERIES_CLASS.distribution:
      return 'distribution';
    default:
      return unreachable(seriesClass);
  }
}

/** The class of the series that a sender of this kind fills. */
export function classOfKind(kind: Kind): SeriesClass {
  switch (kind) {
    case KIND.gauge:
    case KIND.counter:
    case KIND.reading:
      return SERIES_CLASS.reading;
    case KIND.count:
    case KIND.rate:
      return SERIES_CLASS.count;
    case KIND.distribution:
      return SERIES_CLASS.distribution;
    default:
      return unreachable(kind);
  }
}

/** What is known of a series of this class without metadata. */
export function kindOfClass(seriesClass: SeriesClass): Kind {
  return KIND[seriesClassName(seriesClass)];
}
