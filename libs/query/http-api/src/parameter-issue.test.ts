import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { describeIssue } from './parameter-issue.ts';

const SCHEMA = z.strictObject({
  query: z.string().min(1, 'must not be empty'),
  from_ms: z.int(),
  variables: z.record(z.string(), z.string()).default({}),
  host: z.undefined('is not supported').optional(),
});
const GOOD = { query: 'a', from_ms: 1 };

test.each([
  [undefined, 'body: missing; give a JSON object'],
  [null, 'body: missing; give a JSON object'],
  [[1], 'body: [1] (limit: a JSON object)'],
  [{ from_ms: 1 }, 'query: missing; give a query, such as avg:system.load.1{*}'],
  [{ ...GOOD, query: '' }, 'query: must not be empty'],
  [{ ...GOOD, query: ['a', 'b'] }, 'query: several values (limit: one)'],
  [{ query: 'a' }, 'from_ms: missing; give milliseconds since 1970'],
  [{ ...GOOD, from_ms: '1' }, 'from_ms: "1" (limit: a number)'],
  [{ ...GOOD, from_ms: 1.5 }, 'from_ms: 1.5 (limit: a whole number)'],
  [{ ...GOOD, variables: { a: 7 } }, 'variables.a: 7 (limit: a string)'],
  [{ ...GOOD, variables: 7 }, 'variables: 7 (limit: an object of strings)'],
  [{ ...GOOD, host: 'a' }, 'host: is not supported'],
  [{ ...GOOD, step: 5 }, 'body: unknown field "step"'],
])('%j is refused in words', (values, message) => {
  const { error } = SCHEMA.safeParse(values);
  expect(error && describeIssue(error.issues[0], values).message).toBe(message);
});
