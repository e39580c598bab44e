import { expect, test } from '@jest/globals';
import { type Clock, type Log, type LogRecord, TidemarkError } from '@tidemark/ports';
import { ControlFollower } from './control-log.ts';
import { type ControlMessage, encodeControl } from './control-record.ts';

const term: ControlMessage = { $case: 'term', value: { term: 1, process: 'p' } };

/** A clock whose timers fire at the next turn. */
const clock: Clock = {
  wallMs: () => 0,
  monotonicMs: () => 0,
  setTimer: (_, task) => {
    const timer = setImmediate(task);
    return { cancel: () => clearImmediate(timer) };
  },
};

/** `control` in memory. */
class MemoryLog implements Log {
  readonly values: Uint8Array[] = [];
  first = 0;

  async read(_topic: string, _partition: number, from: number): Promise<LogRecord[]> {
    await new Promise((resolve) => setImmediate(resolve));
    if (from < this.first) throw new TidemarkError('out_of_range', `${from} was trimmed`);
    return this.values.slice(from).map((value, i) => ({ value, offset: from + i, appendTimeMs: from + i }));
  }

  async bounds() {
    return { first: this.first, next: this.values.length };
  }

  async trim(_topic: string, _partition: number, before: number) {
    this.first = before;
  }

  writer(): never {
    throw new Error('the log is read-only');
  }
}

async function until(condition: () => boolean): Promise<void> {
  const endMs = Date.now() + 2000;
  while (!condition()) {
    if (Date.now() > endMs) throw new Error('the condition did not hold within 2 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('a damaged record at run time is reported with its offset, and earlier records stay applied', async () => {
  const log = new MemoryLog();
  log.values.push(encodeControl(term));
  const follower = new ControlFollower(log, clock);
  await follower.start();
  expect(follower.problem).toBeUndefined();
  const good = encodeControl({ $case: 'term', value: { term: 2, process: 'p' } });
  const bad = Uint8Array.from(good);
  bad[bad.length - 1] ^= 1;
  log.values.push(bad);
  await until(() => follower.problem !== undefined);
  expect(follower.problem).toMatch(/control\/0: the record at offset 1 .*wrong checksum.*backup/);
  expect([follower.state.nextOffset, follower.state.term]).toEqual([1, 1]);
  log.values[1] = good;
  await until(() => follower.problem === undefined);
  expect(follower.state.term).toBe(2);
  await follower.stop();
});

test('a start throws data_loss with the offset of the damaged record', async () => {
  const log = new MemoryLog();
  log.values.push(encodeControl(term), Buffer.from('no record'));
  const detail = { topic: 'control', offset: 1 };
  await expect(new ControlFollower(log, clock).start()).rejects.toMatchObject({ code: 'data_loss', detail });
});

test('a wait for an offset throws unavailable when its signal aborts or the follower stops', async () => {
  const log = new MemoryLog();
  const follower = new ControlFollower(log, clock);
  await follower.start();
  const giveUp = new AbortController();
  const given = follower.reached(5, giveUp.signal);
  giveUp.abort();
  await expect(given).rejects.toMatchObject({ code: 'unavailable' });
  const waiting = follower.reached(5);
  const stopping = follower.stop();
  await expect(waiting).rejects.toMatchObject({ code: 'unavailable' });
  await stopping;
  await expect(follower.reached(5)).rejects.toMatchObject({ code: 'unavailable' });
});

test('a follower behind the trimmed log continues from a checkpoint, and a log without one throws data_loss', async () => {
  const log = new MemoryLog();
  log.values.push(encodeControl(term));
  const behind = new ControlFollower(log, clock);
  await behind.start();
  const received: string[] = [];
  behind.listen(({ $case }) => received.push($case));
  const begun: ControlMessage = { $case: 'checkpointBegun', value: { term: 5 } };
  const checkpoint = { ...behind.state.checkpoint(), offset: 3, term: 5, termOffset: 2 };
  // The records are added at once: the follower never reads the trimmed ones.
  const rest: ControlMessage[] = [term, { $case: 'term', value: { term: 5, process: 'p' } }];
  for (const message of [...rest, begun, { $case: 'checkpoint', value: checkpoint } as const]) {
    log.values.push(encodeControl(message));
  }
  log.first = 3;
  await behind.reached(4);
  expect([behind.state.term, received]).toEqual([5, ['checkpoint']]);
  await behind.stop();

  log.values[4] = encodeControl(term);
  const error = { code: 'data_loss', message: expect.stringMatching(/begins at offset 3 and has no checkpoint/) };
  await expect(new ControlFollower(log, clock).start()).rejects.toMatchObject(error);
});
