import { expect, test } from '@jest/globals';
import { KIND } from '@tidemark/model';
import { type Answer, questionOf, valuesOf } from './contents.ts';
import type { LedgerLine } from './ledger-line.ts';
import { LoadLedger, pointKey } from './load-ledger.ts';
import { METRICS } from './settings.ts';
import { judge } from './verdict.ts';

const SECOND = 1_700_000_000_000;
const [REQUESTS] = METRICS;

/**
 * A client that records one value of each metric per second: 1000, 1001, … in the first, 2000, 2001, … in the second.
 */
function ledgerOf(seconds: number, acked: (second: number) => boolean = () => true): LoadLedger {
  const lines: LedgerLine[] = [{ type: 'begin', atMs: SECOND }];
  for (let second = 1; second <= seconds; second++) {
    const values = METRICS.map((_, i) => second * 1000 + i);
    const batch = { clientSession: 'c1', sequence: second };
    lines.push({ type: 'record', timeMs: SECOND + second * 1000, slot: 0, values });
    lines.push({ type: 'sent', ...batch, partitions: [0], values, checksum: 'same' });
    if (acked(second)) {
      lines.push({ type: 'acked', ...batch, points: values.length, intakeSession: 's1', atMs: SECOND + second * 1000 });
    }
  }
  const ledger = new LoadLedger();
  ledger.add('client-1', lines);
  return ledger;
}

function contentsOf(ledger: LoadLedger): Map<string, number> {
  return new Map([...ledger.points].map(([key, { value }]) => [key, value]));
}

const keyAt = (second: number): string => pointKey(REQUESTS.name, 'client-1', 0, SECOND + second * 1000);

function answerOf(values: ReadonlyMap<string, number>, throughSecond: number): Answer {
  return {
    metric: REQUESTS,
    range: { fromMs: SECOND, toMs: SECOND + 60_000 },
    askedMs: SECOND + 60_000,
    throughMs: SECOND + throughSecond * 1000,
    errors: 0,
    values: new Map([...values].filter(([key]) => key.startsWith(`${REQUESTS.name}{`))),
  };
}

test('the verdict is clean when every acknowledged point is stored once', () => {
  const ledger = ledgerOf(3);
  const contents = contentsOf(ledger);
  const verdict = judge({ ledger, contents, answers: [answerOf(contents, 4)], late: new Set() });
  expect(verdict).toEqual({
    ...{ acked: 3 * METRICS.length, found: 3 * METRICS.length, lost: 0, doubled: 0, wrongComplete: 0 },
    ...{ completeAnswers: 1, completeValues: 3, problems: [] },
  });
});

test('the verdict counts acknowledged points that are missing or have another value', () => {
  const ledger = ledgerOf(3);
  const contents = contentsOf(ledger);
  contents.delete(keyAt(1));
  contents.set(keyAt(2), 1999);
  const { lost, found, problems } = judge({ ledger, contents, answers: [], late: new Set() });
  expect({ lost, found }).toEqual({ lost: 2, found: 3 * METRICS.length - 2 });
  expect(problems.join('\n')).toContain('acknowledged 1000, found undefined');
});

test('the verdict accepts a missing unacknowledged point, but not one that is stored twice', () => {
  const ledger = ledgerOf(2, () => false);
  const { acked, lost, doubled } = judge({
    ledger,
    contents: new Map([[keyAt(2), 4000]]),
    answers: [],
    late: new Set(),
  });
  expect({ acked, lost, doubled }).toEqual({ acked: 0, lost: 0, doubled: 1 });
});

test('every point must be settled at the end, except those of the last moments of a killed run', () => {
  const ofKilled = ledgerOf(9, () => true);
  const values = METRICS.map((_, i) => 10_000 + i);
  const line: LedgerLine = { type: 'record', timeMs: SECOND + 10_000, slot: 0, values };
  ofKilled.add('client-2', [
    { type: 'begin', atMs: SECOND },
    line,
    { ...line, timeMs: SECOND + 20_000, values: values.map((value) => value * 2) },
  ]);
  const { problems } = judge({ ledger: ofKilled, contents: contentsOf(ofKilled), answers: [], late: new Set() });
  expect(problems.filter((problem) => problem.startsWith('never settled: '))).toHaveLength(6);
  const unspooled = new LoadLedger();
  unspooled.add('client-2', [{ type: 'begin', atMs: SECOND }, line]);
  expect(judge({ ledger: unspooled, contents: new Map(), answers: [], late: new Set() }).problems).toEqual([]);
});

test('a point that is stored twice counts as found and as doubled', () => {
  const ledger = ledgerOf(1);
  const contents = contentsOf(ledger);
  contents.set(keyAt(1), 2000);
  const { found, lost, doubled } = judge({ ledger, contents, answers: [], late: new Set() });
  expect({ found, lost, doubled }).toEqual({ found: METRICS.length, lost: 0, doubled: 1 });
});

test('the verdict names points that no client recorded', () => {
  const contents = new Map([['load.requests{client:x,slot:1}@5000', 7]]);
  const { problems } = judge({ ledger: ledgerOf(0), contents, answers: [], late: new Set() });
  expect(problems).toEqual(['never recorded: load.requests{client:x,slot:1}@5000: found 7']);
});

test('the verdict counts complete answers that lacked a point, unless the point was late', () => {
  const ledger = ledgerOf(3);
  const contents = contentsOf(ledger);
  const lacking = new Map([...contents].filter(([key]) => key !== keyAt(1)));
  const wrong = judge({ ledger, contents, answers: [answerOf(lacking, 4), answerOf(contents, 4)], late: new Set() });
  expect(wrong.wrongComplete).toBe(1);
  const late = judge({ ledger, contents, answers: [answerOf(lacking, 4)], late: new Set([keyAt(1)]) });
  expect(late.wrongComplete).toBe(0);
});

test('the verdict does not judge values beyond complete_through', () => {
  const ledger = ledgerOf(3);
  const contents = contentsOf(ledger);
  const lacking = new Map([...contents].filter(([key]) => key !== keyAt(3)));
  const { wrongComplete, completeValues } = judge({
    ledger,
    contents,
    answers: [answerOf(lacking, 3)],
    late: new Set(),
  });
  expect({ wrongComplete, completeValues }).toEqual({ wrongComplete: 0, completeValues: 2 });
});

test('the verdict counts complete answers with a point that is missing later, or had another value', () => {
  const ledger = ledgerOf(3);
  const contents = contentsOf(ledger);
  const more = new Map([...contents, [pointKey(REQUESTS.name, 'client-1', 5, SECOND + 1000), 1]]);
  const other = new Map([...contents, [keyAt(2), 1]]);
  const late = new Set([keyAt(2)]);
  expect(judge({ ledger, contents, answers: [answerOf(more, 4)], late }).wrongComplete).toBe(1);
  expect(judge({ ledger, contents, answers: [answerOf(other, 4)], late }).wrongComplete).toBe(1);
});

test('the ledger reports errors of clients: other shares in a retry, or fewer accepted points than sent', () => {
  const ledger = ledgerOf(1);
  const batch = { clientSession: 'c1', sequence: 1 };
  ledger.add('client-1', [
    { type: 'begin', atMs: SECOND },
    { type: 'sent', ...batch, partitions: [0], values: [1000], checksum: 'other' },
    { type: 'acked', ...batch, points: 1, intakeSession: 's1', atMs: SECOND },
  ]);
  expect(ledger.problems).toEqual([
    'client-1: batch c1:1 was retried with other shares',
    `client-1: batch c1:1: 1 points acknowledged, expected ${METRICS.length}`,
  ]);
});

test('the query returns a single point with its value, and the answer has the same key', () => {
  expect(questionOf(REQUESTS)).toBe('sum:load.requests{*} by {client,slot}.rollup(points, 1)');
  const series = { tagSet: ['client:client-1', 'slot:0'], timesMs: [SECOND + 1000], values: [7] };
  const reply = {
    series: [
      {
        metric: REQUESTS.name,
        scope: '',
        expression: '',
        intervalMs: 1000,
        kind: KIND.count,
        completeSteps: 0,
        unit: undefined,
        ...series,
      },
    ],
  };
  expect(valuesOf(REQUESTS, reply)).toEqual(new Map([[keyAt(1), 7]]));
});
