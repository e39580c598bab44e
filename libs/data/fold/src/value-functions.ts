import { KIND } from '@tidemark/model';
import { type Frame, type FrameSeries, mapEach, mapValues, SERIES_COST } from './frame.ts';
import { done, type Work } from './work.ts';

/** Without the values below `limit`. */
export function cutoffMin(frame: Frame, limit: number): Work<Frame> {
  return mapEach(frame, (value) => (value < limit ? Number.NaN : value));
}

/** Without the values above `limit`. */
export function cutoffMax(frame: Frame, limit: number): Work<Frame> {
  return mapEach(frame, (value) => (value > limit ? Number.NaN : value));
}

/** Rounded to so many decimal places, or to tens, hundreds … below zero; halves away from zero. */
export function round(frame: Frame, places: number): Work<Frame> {
  const scale = 10 ** Math.abs(places);
  return mapEach(frame, (value) => {
    const scaled = places < 0 ? Math.abs(value) / scale : Math.abs(value) * scale;
    if (!Number.isFinite(scaled)) return value;
    const rounded = Math.round(scaled);
    return Math.sign(value) * (places < 0 ? rounded * scale : rounded / scale);
  });
}

/** `value` in every step without a value of a series that is there. */
export function defaultValue(frame: Frame, value: number): Work<Frame> {
  return mapValues(frame, (values, out) => {
    for (let i = 0; i < values.length; i++) out[i] = Number.isNaN(values[i]) ? value : values[i];
  });
}

/** How many series have a value other than 0; a step in which none has a value has no count. */
export function countNonzero(frame: Frame): Work<Frame> {
  return counted(frame, (value) => value !== 0);
}

/** How many series have a value; a step in which none has one has no count. */
export function countNotNull(frame: Frame): Work<Frame> {
  return counted(frame, () => true);
}

function* counted(frame: Frame, isCounted: (value: number) => boolean): Work<Frame> {
  if (frame.series.length === 0) return frame;
  const counts = new Float64Array(frame.steps).fill(Number.NaN);
  for (const { values } of frame.series) {
    for (let i = 0; i < counts.length; i++) {
      if (Number.isNaN(values[i])) continue;
      const before = Number.isNaN(counts[i]) ? 0 : counts[i];
      counts[i] = before + (isCounted(values[i]) ? 1 : 0);
    }
    yield SERIES_COST + counts.length;
  }
  const series: FrameSeries = { tags: [], metric: frame.series[0].metric, kind: KIND.gauge, values: counts };
  return { ...frame, series: [series] };
}

/** Without the series that lack a tag of their grouping. */
export function excludeNull(frame: Frame): Work<Frame> {
  return done({ ...frame, series: frame.series.filter(({ tags }) => !tags.some((tag) => tag.endsWith(':N/A'))) });
}
