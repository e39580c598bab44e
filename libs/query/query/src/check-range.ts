import { DAY_MS } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { type QueryServiceLimits, tooLong } from './query-service-limits.ts';

/** The latest time that JavaScript's dates know, ms. */
const LATEST_MS = 8_640_000_000_000_000;

/**
 * Throws `invalid_argument` for times that are none, a range that ends before it begins, and one that is too long.
 * query-service.test.ts covers it.
 */
export function checkRange(limits: QueryServiceLimits, fromMs: number, toMs: number): void {
  for (const [field, value] of [
    ['from_ms', fromMs],
    ['to_ms', toMs],
  ] as const) {
    if (Number.isSafeInteger(value) && value >= 0 && value <= LATEST_MS) continue;
    throw new TidemarkError('invalid_argument', `${field}: ${value} (limit: a whole number, 0 to ${LATEST_MS})`, {
      field,
    });
  }
  if (fromMs >= toMs) {
    const order = fromMs === toMs ? 'is where the range begins' : `is before the start of the range, ${fromMs}`;
    const message = `to_ms: ${toMs} ${order} (limit: above from_ms); give a range that ends after it begins`;
    throw new TidemarkError('invalid_argument', message, { field: 'to_ms' });
  }
  if (toMs - fromMs > limits.rangeMs) {
    const found = `a range of ${days(toMs - fromMs)} days is too long`;
    throw tooLong(limits, 'rangeMs', found, `ask for at most ${days(limits.rangeMs)} days`);
  }
}

function days(ms: number): string {
  return String(Number((ms / DAY_MS).toFixed(3)));
}
