import { describe, expect, test } from '@jest/globals';
import { type Clock, type ErrorCode, type LogBounds, type LogRecord, TidemarkError } from '@tidemark/ports';
import { type ConsumedState, type Halt, LogConsumer } from './index.ts';

/** Timers that are due at the next turn of the event loop, whatever their delay. */
const clock: Clock = {
  wallMs: () => 0,
  monotonicMs: () => 0,
  setTimer: (_, task) => {
    const timer = setImmediate(task);
    return { cancel: () => clearImmediate(timer) };
  },
};

/** A log whose reads fail as told; each gives at most two records. */
class TestLog {
  readonly values: string[] = [];
  first = 0;
  readonly failures: ErrorCode[] = [];
  failureDetail = {};
  readonly id = 'the log';

  async read(_topic: string, _partition: number, from: number): Promise<LogRecord[]> {
    await new Promise(setImmediate);
    const failure = this.failures.shift();
    if (failure !== undefined) throw new TidemarkError(failure, `a read failed: ${failure}`, this.failureDetail);
    if (from < this.first || from > this.values.length) throw new TidemarkError('out_of_range', 'trimmed');
    return this.values
      .slice(from, from + 2)
      .map((value, i) => ({ offset: from + i, appendTimeMs: 0, value: Buffer.from(value) }));
  }

  async bounds(): Promise<LogBounds> {
    return { first: this.first, next: this.values.length, id: this.id };
  }
}

/** Remembers what was applied; `!` can't be applied, and after `,` it wants to commit. */
class TestState implements ConsumedState {
  readonly applied: string[] = [];
  readonly skipped: number[] = [];
  readonly commits: number[] = [];
  readonly failures: ErrorCode[] = [];
  nextOffset = 0;
  committedOffset = 0;
  wantsCommit = false;

  apply({ value }: LogRecord): void {
    const text = Buffer.from(value).toString();
    if (this.wantsCommit) throw new Error('applied before the commit that was due');
    if (text === '!') throw new TidemarkError('data_loss', 'can not be decoded');
    this.applied.push(text);
    this.nextOffset++;
    this.wantsCommit = text === ',';
  }

  skip(): void {
    this.skipped.push(this.nextOffset++);
    this.wantsCommit = true;
  }

  async commit(): Promise<void> {
    const failure = this.failures.shift();
    if (failure !== undefined) throw new TidemarkError(failure, `a commit failed: ${failure}`);
    this.wantsCommit = false;
    this.committedOffset = this.nextOffset;
    this.commits.push(this.nextOffset);
  }
}

function started(text: string, prepare: (log: TestLog, state: TestState) => void = () => {}) {
  const log = new TestLog();
  log.values.push(...text);
  const state = new TestState();
  prepare(log, state);
  const skips = new Map<number, string>();
  const halts: (Halt | undefined)[] = [];
  const problems: (string | undefined)[] = [];
  const consumer = new LogConsumer({
    log,
    topic: 'points',
    partition: 3,
    state,
    clock,
    skipReason: (offset) => skips.get(offset),
    onHalt: (halt) => halts.push(halt),
    onProblem: (problem) => problems.push(problem && `${problem.during}: ${problem.error.code}`),
  });
  consumer.start();
  return { log, state, skips, halts, problems, consumer };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('the condition never held');
    await new Promise(setImmediate);
  }
}

describe('LogConsumer', () => {
  test('retries what the log or the disk refuse, and makes up for a commit before it goes on', async () => {
    const { state, problems, consumer } = started('ab,cd', (log, own) => {
      log.failures.push('unavailable', 'deadline_exceeded');
      own.failures.push('resource_exhausted', 'resource_exhausted');
    });
    await until(() => consumer.lastError?.code === 'resource_exhausted');
    expect(consumer.position.problem).toBe('a commit failed: resource_exhausted');
    expect(state.applied.join('')).toBe('ab,');
    await until(() => state.nextOffset === 5 && consumer.lastError === undefined);
    expect(state.commits).toEqual([3]);
    expect(problems).toEqual([
      'read: unavailable',
      'read: deadline_exceeded',
      undefined,
      'commit: resource_exhausted',
      undefined,
    ]);
    expect(consumer.position).toEqual({
      ...{ logNext: 5, logId: 'the log', halted: '', haltedOffset: -1, problem: '' },
    });
    await consumer.stop();
    expect(state.commits).toEqual([3, 5]);
  });

  test('halts at a record that can not be applied; a skip passes just that one', async () => {
    const { state, skips, halts, consumer } = started('a!b!c');
    // Decisions about records that are sound, or still to come, change nothing by themselves.
    skips.set(0, 'a mistake');
    await until(() => consumer.halt !== undefined);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect([state.applied.join(''), consumer.halt?.offset, consumer.halt?.cause]).toEqual(['a', 1, 'record']);
    expect(consumer.position).toMatchObject({ halted: 'can not be decoded', haltedOffset: 1 });
    skips.set(1, 'lost');
    await until(() => consumer.halt?.offset === 3);
    skips.set(3, 'lost, too');
    await until(() => state.nextOffset === 5);
    expect([state.applied.join(''), state.skipped]).toEqual(['abc', [1, 3]]);
    expect(halts.map((halt) => halt?.offset)).toEqual([1, undefined, 3, undefined]);
    await consumer.stop();
  });

  test('a halt ends what was told of the log, and hides nothing of the disk', async () => {
    const { problems, skips, consumer } = started('a!', (log, own) => {
      log.failures.push('unavailable');
      own.failures.push('unavailable', 'unavailable');
    });
    await until(() => consumer.halt !== undefined);
    await until(() => problems.length === 2);
    expect(problems).toEqual(['read: unavailable', undefined]);
    skips.set(1, 'lost');
    await until(() => problems.length === 4);
    expect(problems.slice(2)).toEqual(['commit: unavailable', undefined]);
    await consumer.stop();
  });

  test('commits what it has when it is stopped, also while it is halted', async () => {
    const { state, consumer } = started('ab!');
    await until(() => consumer.halt !== undefined);
    await consumer.stop();
    expect(state.commits).toEqual([2]);
  });

  test('a damaged record of the log halts, and can be skipped', async () => {
    const { state, skips, consumer } = started('ab', (log) => log.failures.push('data_loss'));
    await until(() => consumer.halt !== undefined);
    expect(state.applied).toEqual([]);
    skips.set(0, 'bit rot');
    await until(() => state.nextOffset === 2);
    expect([state.skipped, state.applied]).toEqual([[0], ['b']]);
    await consumer.stop();
  });

  test('a log that was trimmed beyond the state, or lost what it had, is named and waited for', async () => {
    const { log, halts, state, consumer } = started('abcd', (own) => {
      own.first = 2;
    });
    await until(() => consumer.halt !== undefined);
    expect(consumer.halt).toMatchObject({ offset: 0, cause: 'log' });
    expect(consumer.halt?.error.message).toBe('the store of points/3 goes on at offset 0, the log has 2 to 4');
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(halts).toHaveLength(1);
    log.first = 0;
    await until(() => state.nextOffset === 4);
    expect(consumer.halt).toBeUndefined();
    await consumer.stop();
  });

  test('a log that ends before the state is not the one it was: what it gets later is not what followed', async () => {
    const { log, halts, state, consumer } = started('ab', (_, own) => {
      own.nextOffset = 3;
    });
    await until(() => consumer.halt?.cause === 'lost');
    expect(consumer.halt).toMatchObject({ offset: 3, cause: 'lost' });
    expect(consumer.position).toMatchObject({
      halted: expect.stringContaining('goes on at offset 3'),
      haltedOffset: -1,
    });
    log.values.push('c', 'd', 'e');
    await until(() => consumer.position.logNext === 5);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect([state.applied, state.nextOffset, halts.length]).toEqual([[], 3, 2]);
    await consumer.stop();
  });

  test('an end that was told wrongly, as by a broker that was replaced, halts no longer than it is told', async () => {
    const { log, halts, state, consumer } = started('ab', (_, own) => {
      own.nextOffset = 3;
    });
    await until(() => consumer.halt !== undefined);
    expect(consumer.position).toMatchObject({ haltedOffset: -1 });
    log.values.push('c', 'd');
    await until(() => state.nextOffset === 4);
    expect([state.applied, halts.at(-1)]).toEqual([['d'], undefined]);
    await consumer.stop();
  });

  test('a topic that was made anew halts for good, and no skip is taken for it', async () => {
    const { log, state, skips, consumer } = started('ab', (own) => {
      for (let look = 0; look < 20; look++) own.failures.push('data_loss');
      own.failureDetail = { topicId: 'new', expected: 'old' };
    });
    skips.set(0, 'a mistake');
    await until(() => consumer.halt?.cause === 'lost');
    await until(() => consumer.position.logId === log.id);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect([state.applied, state.skipped]).toEqual([[], []]);
    await consumer.stop();
  });
});
