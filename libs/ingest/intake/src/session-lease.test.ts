import { expect, test } from '@jest/globals';
import { ControlFollower } from '@tidemark/control-log';
import { TidemarkError } from '@tidemark/ports';
import { IntakeBench } from './intake-bench.fixture.ts';
import type { DeadLane } from './lane-set.ts';
import { SessionLease } from './session-lease.ts';

const SESSION = Buffer.alloc(16, 7);

async function setUp() {
  const bench = await IntakeBench.open();
  const control = new ControlFollower(bench.log, bench.clock);
  await bench.play(control.start());
  const reasons: string[] = [];
  const dead: DeadLane[] = [];
  const stop = new AbortController();
  let appends = 0;
  const lease = new SessionLease({
    ...{ log: bench.log, control, clock: bench.clock, acceptClock: bench.acceptClock, session: SESSION },
    process: 'test',
    deadLanes: () => dead,
    onAppended: () => appends++,
    onFenced: (reason) => reasons.push(reason),
    signal: stop.signal,
  });
  return { bench, control, lease, reasons, dead, stop, appends: () => appends };
}

test('a lease registers, renews each second with the first 64 dead lanes, and ends', async () => {
  const { bench, lease, dead, stop, appends } = await setUp();
  await bench.play(lease.start());
  for (let lane = 0; lane < 70; lane++) dead.push({ partition: 0, lane });
  await bench.advance(3000);
  stop.abort();
  await bench.play(lease.stopped());
  await bench.play(lease.end(new AbortController().signal));
  const own = (await bench.control()).filter(({ $case }) => ['registered', 'renewed', 'ended'].includes($case));
  expect([own[0].$case, own.at(-1)?.$case]).toEqual(['registered', 'ended']);
  const renewals = own.flatMap((message) => (message.$case === 'renewed' ? [message.value.deadLanes] : []));
  expect(renewals.length).toBeGreaterThanOrEqual(3);
  expect(renewals.at(-1)).toEqual(dead.slice(0, 64));
  expect(appends()).toBe(1 + renewals.length);
});

test('a lease lapses 5 s after the last renewal was sent, until one is acknowledged', async () => {
  const { bench, lease } = await setUp();
  expect(lease.lapse).toBe('the session of the intake is not registered yet; retry');
  await bench.play(lease.start());
  bench.unreachable.add('control');
  await bench.advance(4000);
  expect(lease.lapse).toBeUndefined();
  await bench.advance(2500);
  expect(lease.lapse).toMatch(/^no renewal acknowledged for \d+ ms \(limit: 5000 ms\); retry$/);
  bench.unreachable.clear();
  await bench.until(() => lease.lapse === undefined, 5000);
});

test('a lease that lapses because of a full disk names that, without the path', async () => {
  const { bench, lease } = await setUp();
  await bench.play(lease.start());
  bench.unreachable.add('control');
  const detail = { errno: 'ENOSPC', path: '/x/000' };
  bench.unreachableError = new TidemarkError(
    'resource_exhausted',
    'cannot write /x/000: ENOSPC: no space left',
    detail,
  );
  await bench.advance(7000);
  expect(lease.lapse).toMatch(
    /^no renewal acknowledged for \d+ ms: the disk of the log is full \(ENOSPC\) \(limit: the free bytes .*\); retry, an operator must free space$/,
  );
});

test('what was decided before a renewal is read with it, and nothing is known while none is acknowledged', async () => {
  const { bench, control, lease } = await setUp();
  await bench.play(lease.start());
  await bench.advance(500);
  const reached = lease.reachedNow();
  await bench.decide({ $case: 'term', value: { term: 7, process: 'test' } });
  await bench.play(reached);
  expect(control.state.term).toBe(7);
  bench.unreachable.add('control');
  await expect(bench.play(lease.reachedNow())).rejects.toMatchObject({ code: 'unavailable' });
});

test('a session is fenced once and renews no more', async () => {
  const { bench, lease, reasons } = await setUp();
  await bench.play(lease.start());
  lease.fence('fenced: silent');
  lease.fence('fenced: again');
  await bench.advance(1500);
  const before = (await bench.control()).length;
  await bench.advance(5000);
  expect([lease.fenced, reasons]).toEqual(['fenced: silent', ['fenced: silent']]);
  expect((await bench.control()).length).toBe(before);
});

test('a session whose end the log does not accept is left to a fence', async () => {
  const { bench, lease } = await setUp();
  await bench.play(lease.start());
  bench.unreachable.add('control');
  const giveUp = new AbortController();
  const ended = lease.end(giveUp.signal);
  await bench.advance(100);
  giveUp.abort();
  await bench.play(ended);
  expect((await bench.control()).some(({ $case }) => $case === 'ended')).toBe(false);
});

test('a checkpoint without the session fences it, but not before it has registered', async () => {
  const { bench, control, lease, reasons } = await setUp();
  lease.checkState();
  expect(reasons).toEqual([]);
  await bench.play(lease.start());
  await bench.until(() => control.state.sessions.size > 0);
  lease.checkState();
  expect(reasons).toEqual([]);
  control.state.sessions.clear();
  lease.checkState();
  expect(reasons).toEqual(['fenced: long ago']);
});
