import { expect, test } from '@jest/globals';
import type { ControlMessage } from '@tidemark/control-log';
import { RECORD } from '@tidemark/point-records';
import { IntakeBench } from './intake-bench.fixture.ts';

/** A decision to set time back that was an hour ahead. */
function setBack({ clock }: IntakeBench): ControlMessage {
  const decidedMs = clock.wallMs();
  const throughMs = decidedMs + 3_600_000;
  return { $case: 'setBack', value: { term: 2, throughMs, decidedMs, afterLoss: false, repeats: undefined } };
}

test('a session waits while the log is ahead of its clock, and its lanes name the era that takes the time back', async () => {
  const bench = await IntakeBench.open();
  bench.logClock.jump(3_600_000);
  await bench.decide({ $case: 'term', value: { term: 2, process: 'test' } });
  bench.logClock.jump(-3_600_000);
  const waiting = await bench.session();
  await bench.advance(10_000);
  expect([waiting.isReady, waiting.isLogAhead, waiting.isClockOff]).toEqual([false, true, false]);
  expect(waiting.problem).toMatch(/^the clock was set back/);
  const reasons: string[] = [];
  const ended = await bench.session({ onEnded: (reason) => reasons.push(reason) });
  await bench.decide(setBack(bench));
  await bench.advance(3000);
  expect([reasons, ended.isReady]).toEqual([['fenced: the log took its time back'], false]);
  expect(await bench.points(0)).toEqual([]);
  const session = await bench.session();
  await bench.until(() => session.isReady);
  const control = await bench.control();
  const era = control.findIndex(({ $case }) => $case === 'setBack');
  expect((await bench.points(0))[0]).toMatchObject({ type: RECORD.open, era });
});

test('a session that was ended before it learns of its registration opens no lane of the new era', async () => {
  const bench = await IntakeBench.open();
  bench.logClock.jump(3_600_000);
  await bench.decide({ $case: 'term', value: { term: 2, process: 'test' } });
  bench.logClock.jump(-3_600_000);
  const reasons: string[] = [];
  bench.slowAckMs = 400;
  const { starting } = await bench.startingSession({ onEnded: (reason) => reasons.push(reason) });
  await bench.advance(100);
  await bench.decide(setBack(bench));
  expect((await bench.control()).map(({ $case }) => $case)).toEqual(['term', 'map', 'term', 'registered', 'setBack']);
  await bench.play(starting);
  await bench.advance(5000);
  expect(reasons).toEqual(['fenced: the log took its time back']);
  expect([await bench.points(0), await bench.points(1)]).toEqual([[], []]);
});
