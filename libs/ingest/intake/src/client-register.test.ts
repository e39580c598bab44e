import { expect, test } from '@jest/globals';
import { ManualClock } from '@tidemark/simulation';
import { ClientRegister } from './client-register.ts';

const SESSION = Buffer.alloc(16, 7);

test('the register lists the progress of each client, and since when a client is lost', () => {
  const clock = new ManualClock(1_000_000);
  const register = new ClientRegister(clock);
  const stream = register.connected('a', SESSION, 'agent web-1');
  stream.batch(999_000);
  clock.nowMs += 1000;
  stream.batch(undefined);
  stream.batch(998_000);
  expect(register.list()).toEqual([
    {
      ...{ clientSession: SESSION, tenant: 'a', name: 'agent web-1', frontierMs: 999_000, lostMs: undefined },
      ...{ batches: 3, firstBatchMs: 1_000_000, lastBatchMs: 1_001_000 },
    },
  ]);
  clock.nowMs += 500;
  stream.end();
  stream.end();
  expect(register.list()).toMatchObject([{ lostMs: 1_001_500, batches: 3 }]);
});

test('the name of a lost client is known as long as stores keep its state, and it is listed for an hour', () => {
  const clock = new ManualClock(1_000_000);
  const register = new ClientRegister(clock);
  const stream = register.connected('a', SESSION, 'nightly job');
  expect(register.formerNamesOf('a')).toEqual({});
  stream.end();
  const name = { [SESSION.toString('hex')]: 'nightly job' };
  expect([register.formerNamesOf('a'), register.formerNamesOf('b')]).toEqual([name, {}]);
  clock.nowMs += 2 * 3_600_000;
  expect([register.list(), register.formerNamesOf('a')]).toEqual([[], name]);
  clock.nowMs += 7 * 86_400_000;
  expect(register.formerNamesOf('a')).toEqual({});
});

test('what a client refused has the time at which its count grew', () => {
  const clock = new ManualClock(1_000_000);
  const register = new ClientRegister(clock);
  const stream = register.connected('a', SESSION, 'agent');
  const refused = (count: number) => stream.refused([{ reason: 'line_malformed', count, example: '' }]);
  refused(1);
  clock.nowMs += 500;
  refused(1);
  expect(register.refusedOf('a')).toMatchObject([{ count: 1, sinceMs: 0, lastMs: 1_000_000 }]);
  refused(2);
  expect(register.refusedOf('a')).toMatchObject([{ count: 2, lastMs: 1_000_500 }]);
});

test('what a client refused before it reconnects keeps its time, and is not listed while the client is lost', () => {
  const clock = new ManualClock(1_000_000);
  const register = new ClientRegister(clock);
  const report = (count: number) => {
    const stream = register.connected('a', SESSION, 'agent');
    stream.refused([{ reason: 'line_malformed', count, example: 'x' }]);
    return stream;
  };
  report(2).end();
  expect(register.refusedOf('a')).toEqual([]);
  clock.nowMs += 60_000;
  const again = report(2);
  expect(register.refusedOf('a')).toMatchObject([{ count: 2, example: 'x', lastMs: 1_000_000 }]);
  again.end();
  report(3);
  expect(register.refusedOf('a')).toMatchObject([{ count: 3, lastMs: 1_060_000 }]);
});

test('what a client reads from is known while it is connected, and those that fail are kept first', () => {
  const register = new ClientRegister(new ManualClock(1_000_000));
  const stream = register.connected('a', SESSION, 'agent');
  const works = Array.from({ length: 300 }, (_, i) => ({ name: `scrape ${i}`, problem: '', sinceMs: 0 }));
  stream.reads([...works, { name: 'n'.repeat(999), problem: 'p'.repeat(9999), sinceMs: 7 }]);
  const [first, ...others] = register.sourcesOf('a');
  expect(first).toMatchObject({ client: 'agent', name: 'n'.repeat(200), sinceMs: 7 });
  expect(first.problem.length).toBeLessThan(400);
  expect([others.length, others[0]]).toEqual([255, { client: 'agent', name: 'scrape 0', problem: '', sinceMs: 0 }]);
  expect(register.sourcesOf('b')).toEqual([]);
  stream.end();
  expect(register.sourcesOf('a')).toEqual([]);
});

test('has the flush interval of the last hello', () => {
  const register = new ClientRegister(new ManualClock(1_000_000));
  register.connected('a', SESSION, 'checkout', 10_000).end();
  expect(register.list()).toMatchObject([{ flushIntervalMs: 10_000 }]);
  register.connected('a', SESSION, 'checkout');
  expect(register.list()).toMatchObject([{ flushIntervalMs: undefined }]);
});

test('a client that is back is not lost, also when its old stream ends after the new one began', () => {
  const register = new ClientRegister(new ManualClock(1_000_000));
  const first = register.connected('a', SESSION, 'agent');
  const second = register.connected('a', SESSION, 'agent');
  first.end();
  expect(register.list()).toMatchObject([{ lostMs: undefined }]);
  second.end();
  register.connected('a', SESSION, 'agent');
  expect(register.list()).toMatchObject([{ lostMs: undefined }]);
});

test('clients that do not return are removed, and the one lost longest ago when there is no room', () => {
  const clock = new ManualClock(1_000_000);
  const register = new ClientRegister(clock, 2);
  const names = () => register.list().map(({ name }) => name);
  const connect = (id: number) => register.connected('a', Buffer.alloc(16, id), `c${id}`);
  const first = connect(1);
  connect(2).end();
  clock.nowMs += 1;
  first.end();
  connect(3);
  expect(names()).toEqual(['c1', 'c3']);
  connect(4);
  expect(names()).toEqual(['c3', 'c4']);
  // The client is served, but not listed.
  connect(5).end();
  expect(names()).toEqual(['c3', 'c4']);
  connect(3).end();
  clock.nowMs += 3_600_001;
  expect(names()).toEqual(['c3', 'c4']);
});

test('the same session of another tenant is another client', () => {
  const register = new ClientRegister(new ManualClock(1_000_000));
  register.connected('a', SESSION, 'one');
  register.connected('b', SESSION, 'two');
  expect(register.list().map(({ tenant, name }) => `${tenant}:${name}`)).toEqual(['a:one', 'b:two']);
});

test('refused points of a batch are counted once while the client may send it again, on any stream', () => {
  const register = new ClientRegister(new ManualClock(1_000_000));
  const first = register.connected('a', SESSION, 'agent');
  expect([first.isFirstRefusal(4, 2), first.isFirstRefusal(5, 2), first.isFirstRefusal(4, 2)]).toEqual([
    true,
    true,
    false,
  ]);
  first.end();
  const second = register.connected('a', SESSION, 'agent');
  expect([second.isFirstRefusal(5, 3), second.isFirstRefusal(6, 3)]).toEqual([false, true]);
  // Another client has sequences of its own, and what a client says is settled is forgotten.
  expect(register.connected('a', Buffer.alloc(16, 8), 'other').isFirstRefusal(5, 3)).toBe(true);
  expect(second.isFirstRefusal(5, 7)).toBe(true);
  // A client that settles nothing fills no memory.
  for (let sequence = 0; sequence < 5000; sequence++) second.isFirstRefusal(sequence, 0);
  expect([second.isFirstRefusal(100, 0), second.isFirstRefusal(4000, 0)]).toEqual([false, true]);
});

test('refused batches of lost clients are remembered up to a number, of those that were lost last', () => {
  const register = new ClientRegister(new ManualClock(1_000_000));
  const session = (n: number) => Buffer.alloc(16, n);
  const refuse = (n: number, count: number) => {
    const stream = register.connected('a', session(n), `client ${n}`);
    for (let sequence = 0; sequence < count; sequence++) stream.isFirstRefusal(sequence, 0);
    return stream;
  };
  const open = refuse(200, 1000);
  for (let n = 0; n < 100; n++) refuse(n, 1000).end();
  const again = (n: number) => register.connected('a', session(n), `client ${n}`).isFirstRefusal(0, 0);
  expect([again(0), again(30), again(40), again(99)]).toEqual([true, true, false, false]);
  expect(open.isFirstRefusal(0, 0)).toBe(false);
  // Those that came back no longer count as lost.
  for (let n = 100; n < 107; n++) refuse(n, 1000).end();
  expect([again(41), again(106)]).toEqual([false, false]);
});
