import { isDeepStrictEqual } from 'node:util';
import type { Question } from './contents.ts';

/** An answer as it came over HTTP. */
export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/**
 * `right`: everything is in the answer. `said`: the answer says what it lacks. `behind`: it is not complete through the end of
 * its range yet. `wrong`: it lacks something, or has something else, and claims to be complete.
 */
export type AnswerVerdict = 'right' | 'said' | 'behind' | 'wrong';

/** Judges an answer by itself. An answer that has a value that was never sent is always `wrong`. */
export function judge(question: Question, { status, body }: Answer): AnswerVerdict {
  // The questions themselves are right.
  if (status === 400) return 'wrong';
  if (status !== 200) return status > 400 && errorsOf(body).length > 0 ? 'said' : 'wrong';
  const content = question.contentOf(body);
  if (isDeepStrictEqual(content, question.right)) return 'right';
  if (question.isPossible?.(content) === false) return 'wrong';
  if (errorsOf(body).length > 0 || lengthOf(body.gaps) > 0) return 'said';
  const { throughMs } = question;
  if (throughMs === undefined) return 'wrong';
  const through = body.complete_through_ms;
  return typeof through === 'number' && through >= throughMs ? 'wrong' : 'behind';
}

function errorsOf(body: Record<string, unknown>): unknown[] {
  return Array.isArray(body.errors) ? body.errors : [];
}

function lengthOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}

/** The first rows of an answer that are not in the right one, and of the right one that are not in it. */
export function difference(question: Question, { body }: Answer): string {
  const rowsOf = (content: unknown) => (Array.isArray(content) ? content : []).map((row) => JSON.stringify(row));
  const [found, right] = [rowsOf(question.contentOf(body)), rowsOf(question.right)];
  const [extra] = found.filter((row) => !right.includes(row));
  const missing = right.filter((row) => !found.includes(row));
  return `${found.length} rows, ${missing.length} not as expected: ${shorten(extra ?? 'nothing')} instead of ${shorten(missing[0] ?? 'nothing')}`;
}

const SHOWN = 900;

function shorten(text: string): string {
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN / 2)} … ${text.slice(-SHOWN / 2)}`;
}
