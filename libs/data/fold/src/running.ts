import { KIND } from '@tidemark/model';
import { type Frame, mapValues } from './frame.ts';
import { secondsBetween } from './frame-steps.ts';
import { ScaledSums } from './scaled-sums.ts';
import type { Work } from './work.ts';

/** The sum of all values so far; a step without a value has none. */
export function cumsum(frame: Frame): Work<Frame> {
  return mapValues(
    frame,
    (values, out) => {
      const sums = new ScaledSums(1);
      for (let i = 0; i < values.length; i++) {
        if (Number.isNaN(values[i])) continue;
        sums.add(0, values[i]);
        out[i] = sums.value(0);
      }
    },
    { kind: KIND.gauge },
  );
}

/** The sum of value × seconds since the value before, so far; zero at the first value, which has none before it. */
export function integral(frame: Frame): Work<Frame> {
  return mapValues(
    frame,
    (values, out) => {
      const sums = new ScaledSums(1);
      let previous = -1;
      for (let i = 0; i < values.length; i++) {
        if (Number.isNaN(values[i])) continue;
        if (previous >= 0) sums.add(0, values[i], secondsBetween(frame, previous, i));
        out[i] = sums.value(0);
        previous = i;
      }
    },
    { kind: KIND.gauge },
  );
}
