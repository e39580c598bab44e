import { KIND, type Kind } from '@tidemark/model';
import { type Frame, type FrameSeries, mapValues } from './frame.ts';

/** Counts per step become counts per second; gauges stay. */
export function asRate(frame: Frame): Frame {
  const seconds = frame.stepMs / 1000;
  return { ...frame, series: frame.series.map((series) => (isAmount(series.kind) ? rateOf(series, seconds) : series)) };
}

/** Counts per step stay what they are, and so do gauges: a frame holds amounts per step already. */
export function asCount(frame: Frame): Frame {
  return frame;
}

function isAmount(kind: Kind): boolean {
  return kind === KIND.count || kind === KIND.counter;
}

function rateOf(series: FrameSeries, seconds: number): FrameSeries {
  return { ...series, kind: KIND.gauge, values: series.values.map((value) => value / seconds) };
}

/** Each value less the one before it, over gaps too; the first value of a series has none. */
export function diff(frame: Frame): Frame {
  return betweenValues(frame, (delta) => delta);
}

/** Seconds since the value before; the first value of a series has none. */
export function dt(frame: Frame): Frame {
  return betweenValues(frame, (_delta, seconds) => seconds);
}

/** `diff` by `dt`: change per second. */
export function derivative(frame: Frame): Frame {
  return betweenValues(frame, (delta, seconds) => delta / seconds);
}

/** Like `derivative`, with no value where it would be negative: a counter's reset is no rate. */
export function perSecond(frame: Frame): Frame {
  return betweenValues(frame, (delta, seconds) => (delta < 0 ? Number.NaN : delta / seconds));
}

export function perMinute(frame: Frame): Frame {
  return betweenValues(frame, (delta, seconds) => (delta < 0 ? Number.NaN : (60 * delta) / seconds));
}

export function perHour(frame: Frame): Frame {
  return betweenValues(frame, (delta, seconds) => (delta < 0 ? Number.NaN : (3600 * delta) / seconds));
}

function betweenValues(frame: Frame, change: (delta: number, seconds: number) => number): Frame {
  const stepSeconds = frame.stepMs / 1000;
  return mapValues(
    frame,
    (values, out) => {
      let previous = -1;
      for (let i = 0; i < values.length; i++) {
        if (Number.isNaN(values[i])) continue;
        if (previous >= 0) out[i] = change(values[i] - values[previous], (i - previous) * stepSeconds);
        previous = i;
      }
    },
    KIND.gauge,
  );
}
