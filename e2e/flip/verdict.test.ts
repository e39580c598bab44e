import { expect, test } from '@jest/globals';
import { POINTS, type Question, questionsOf, RANGE_MS, STEP_MS } from './contents.ts';
import { judge } from './verdict.ts';

const START_MS = 1_700_000_000_000;
const points = questionOf('points of flip.count_2');
const tags = questionOf('tags of flip.count_2');
type Row = [tags: readonly string[], times: readonly number[], values: readonly number[]];

function questionOf(name: string): Question {
  const found = questionsOf(START_MS).find((question) => question.name === name);
  if (found === undefined) throw new Error(`no question ${name}`);
  return found;
}

/** The answer to `points` with other rows and what it says. */
function answer(rows: readonly Row[], said: Record<string, unknown> = {}) {
  const series = rows.map(([tag_set, times_ms, values]) => ({ tag_set, times_ms, values }));
  const body = { series, complete_through_ms: START_MS + RANGE_MS, errors: [], gaps: [], ...said };
  return { status: 200, body };
}

const rows = points.right as Row[];
/** Without the last point of the first series. */
const short: Row[] = [[rows[0][0], rows[0][1].slice(0, -1), rows[0][2].slice(0, -1)], ...rows.slice(1)];

test('an answer with everything is right, also with errors', () => {
  expect(rows).toHaveLength(6);
  expect(rows[0][1]).toHaveLength(POINTS - 1);
  expect(judge(points, answer(rows))).toBe('right');
  expect(judge(points, answer(rows, { errors: ['a part'] }))).toBe('right');
});

test('an answer that lacks a point is wrong, unless it says so or is not complete', () => {
  expect(judge(points, answer(short))).toBe('wrong');
  expect(judge(points, answer(short, { complete_through_ms: START_MS + RANGE_MS - 1 }))).toBe('behind');
  expect(judge(points, answer(short, { complete_through_ms: null }))).toBe('behind');
  expect(judge(points, answer(short, { gaps: [{}] }))).toBe('said');
  expect(judge(points, answer(short, { errors: ['points/0: data_loss: …'] }))).toBe('said');
});

test('a value that was never sent is wrong, also in an answer with errors', () => {
  const [[first, times, values], ...rest] = rows;
  const changed: Row[] = [[first, times, [values[0] + 1, ...values.slice(1)]], ...rest];
  expect(judge(points, answer(changed, { gaps: [{}], errors: ['a part'] }))).toBe('wrong');
  const elsewhere: Row[] = [[first, times.map((time) => time + STEP_MS), values], ...rest];
  expect(judge(points, answer(elsewhere, { gaps: [{}] }))).toBe('wrong');
  expect(judge(points, answer([[['env:none'], times, values]], { gaps: [{}] }))).toBe('wrong');
});

test('an answer without completeness that lacks something has to say so', () => {
  expect(judge(tags, { status: 200, body: { keys: [], errors: [], gaps: [] } })).toBe('wrong');
  expect(judge(tags, { status: 200, body: { keys: [], errors: ['tags/0: unavailable'], gaps: [] } })).toBe('said');
});

test('an error is a word, unless it blames the question', () => {
  expect(judge(points, { status: 500, body: { errors: ['data_loss'] } })).toBe('said');
  expect(judge(points, { status: 500, body: {} })).toBe('wrong');
  expect(judge(points, { status: 400, body: { errors: ['query'] } })).toBe('wrong');
});
