import { TidemarkError } from '@tidemark/ports';
import { z } from 'zod';

/** The latest second that a JavaScript date can have. */
const LATEST_S = 8_640_000_000_000;

/** Seconds since the epoch, whole or fractional, as text; becomes whole milliseconds. */
export const secondsText = z
  .string()
  .regex(/^\d{1,13}(\.\d+)?$/, `must be seconds since the epoch (limit: 0 to ${LATEST_S})`)
  .transform((text) => Math.round(Number(text) * 1000));

/** A positive whole number as text. */
export function countText(max: number) {
  return z
    .string()
    .regex(/^[1-9]\d{0,8}$/, `must be a whole number (limit: 1 to ${max})`)
    .transform((text) => Math.min(Number(text), max));
}

/** Checks and returns the values of a request. Error: `invalid_argument` with the first wrong field. */
export function parseParameters<T>(schema: z.ZodType<T>, values: unknown): T {
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue.path.join('.') || 'body';
  throw new TidemarkError('invalid_argument', `${field}: ${issue.message}`, { field });
}
