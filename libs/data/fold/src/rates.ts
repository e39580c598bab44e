import { KIND, type Kind } from '@tidemark/model';
import { type Frame, type FrameSeries, mapValues, SERIES_COST } from './frame.ts';
import { secondsBetween, secondsOf } from './frame-steps.ts';
import { done, type Work } from './work.ts';

/** Converts counts per step to counts per second; gauges are unchanged. */
export function* asRate(frame: Frame): Work<Frame> {
  const series: FrameSeries[] = [];
  for (const one of frame.series) {
    series.push(isAmount(one.kind) ? rateOf(one, frame) : one);
    yield SERIES_COST + one.values.length;
  }
  return { ...frame, series };
}

/** Returns counts per step, and gauges, unchanged: a frame has amounts per step already. */
export function asCount(frame: Frame): Work<Frame> {
  return done(frame);
}

function isAmount(kind: Kind): boolean {
  return kind === KIND.count || kind === KIND.counter;
}

function rateOf(series: FrameSeries, frame: Frame): FrameSeries {
  return { ...series, kind: KIND.gauge, values: series.values.map((value, i) => value / secondsOf(frame, i)) };
}

/** Each value minus the value before it, also over gaps; the first value of a series gives none. */
export function diff(frame: Frame): Work<Frame> {
  return betweenValues(frame, (delta) => delta);
}

/** Seconds since the value before; the first value of a series gives none. */
export function dt(frame: Frame): Work<Frame> {
  return betweenValues(frame, (_delta, seconds) => seconds);
}

/** The change per second: `diff` divided by `dt`. */
export function derivative(frame: Frame): Work<Frame> {
  return betweenValues(frame, (delta, seconds) => delta / seconds);
}

/** The change per second, with no value where it would be negative: the reset of a counter is not a rate. */
export function perSecond(frame: Frame): Work<Frame> {
  return betweenValues(frame, (delta, seconds) => (delta < 0 ? Number.NaN : delta / seconds));
}

/** `diff`, with no value where it would be negative. */
export function monotonicDiff(frame: Frame): Work<Frame> {
  return betweenValues(frame, (delta) => (delta < 0 ? Number.NaN : delta));
}

/** Each value divided by the seconds of its step. */
export function throughput(frame: Frame): Work<Frame> {
  return mapValues(
    frame,
    (values, out) => {
      for (let i = 0; i < values.length; i++) out[i] = values[i] / secondsOf(frame, i);
    },
    { kind: KIND.gauge },
  );
}

export function perMinute(frame: Frame): Work<Frame> {
  return betweenValues(frame, (delta, seconds) => (delta < 0 ? Number.NaN : (60 * delta) / seconds));
}

export function perHour(frame: Frame): Work<Frame> {
  return betweenValues(frame, (delta, seconds) => (delta < 0 ? Number.NaN : (3600 * delta) / seconds));
}

function betweenValues(frame: Frame, change: (delta: number, seconds: number) => number): Work<Frame> {
  return mapValues(
    frame,
    (values, out) => {
      let previous = -1;
      for (let i = 0; i < values.length; i++) {
        if (Number.isNaN(values[i])) continue;
        if (previous >= 0) out[i] = change(values[i] - values[previous], secondsBetween(frame, previous, i));
        previous = i;
      }
    },
    { kind: KIND.gauge },
  );
}
