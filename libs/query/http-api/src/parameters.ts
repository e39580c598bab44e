import { isTidemarkError, TidemarkError } from '@tidemark/ports';
import { z } from 'zod';
import { describeIssue } from './parameter-issue.ts';

/** The latest second that a JavaScript date can have. */
const LATEST_S = 8_640_000_000_000;

/** From here on a number of seconds (the year 5138) was meant as milliseconds. */
const MILLISECONDS_FROM = 1e11;

/** Seconds since the epoch, whole or fractional, as text; becomes whole milliseconds. */
export const secondsText = z
  .string()
  .regex(/^\d{1,13}(\.\d+)?$/, `must be seconds since the epoch (limit: 0 to ${LATEST_S})`)
  .refine((text) => Number(text) < MILLISECONDS_FROM, {
    error: ({ input }) =>
      `${input} is in milliseconds (limit: seconds since the epoch, below ${MILLISECONDS_FROM}); divide it by 1000`,
  })
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
  const { field, message } = describeIssue(parsed.error.issues[0], values);
  throw new TidemarkError('invalid_argument', message, { field });
}

/** Runs `task`; an error about one of the fields of `names` names the request's field instead. */
export async function withFieldsOf<T>(names: Readonly<Record<string, string>>, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    throw renamedField(error, (field) => (Object.hasOwn(names, field) ? names[field] : undefined));
  }
}

/** The error with another name of its field, in the message as well; unchanged where `rename` has none. */
export function renamedField(error: unknown, rename: (field: string) => string | undefined): unknown {
  if (!isTidemarkError(error)) return error;
  const { code, message, detail } = error;
  const old = detail.field;
  const field = typeof old === 'string' ? rename(old) : undefined;
  if (field === undefined || typeof old !== 'string') return error;
  const named = message.startsWith(old) ? `${field}${message.slice(old.length)}` : `${field}: ${message}`;
  return new TidemarkError(code, named, { ...detail, field });
}

const VARIABLE_PREFIX = 'tpl_var_';

/**
 * The template variables of a request: `tpl_var_NAME=VALUE`, as in the addresses of Datadog's dashboards. One with several
 * values is given several times, or as `tpl_var_NAME[0]` and so on.
 */
export function variablesOf(query: unknown): Record<string, string | readonly string[]> {
  const variables = new Map<string, string[]>();
  for (const [field, value] of Object.entries(query ?? {})) {
    if (!field.startsWith(VARIABLE_PREFIX)) continue;
    const name = field.slice(VARIABLE_PREFIX.length).replace(/\[\d*\]$/, '');
    const values = variables.get(name) ?? [];
    values.push(...[value].flat().map(String));
    variables.set(name, values);
  }
  return Object.fromEntries([...variables].map(([name, values]) => [name, values.length === 1 ? values[0] : values]));
}
