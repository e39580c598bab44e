import { describe, expect, test } from '@jest/globals';
import { type Clock, type ErrorCode, type LogBounds, type LogRecord, TidemarkError } from '@tidemark/ports';
import { MemoryKeyValue } from '@tidemark/simulation';
import {
  type ConsumedState,
  type Halt,
  LogConsumer,
  type LogConsumerOptions,
  LogMemory,
  type LostRecords,
} from './index.ts';

/** A clock whose timers are due at the next turn of the event loop, with any delay. */
const clock: Clock = {
  wallMs: () => 0,
  monotonicMs: () => 0,
  setTimer: (_, task) => {
    const timer = setImmediate(task);
    return { cancel: () => clearImmediate(timer) };
  },
};

/** A log whose reads fail as configured. Each read returns at most two records. */
class TestLog {
  readonly values: string[] = [];
  first = 0;
  readonly failures: ErrorCode[] = [];
  failureDetail = {};
  readonly id = 'the log';
  generationOf: (offset: number) => number | undefined = () => undefined;

  async read(_topic: string, _partition: number, from: number): Promise<LogRecord[]> {
    await new Promise(setImmediate);
    const failure = this.failures.shift();
    if (failure !== undefined) throw new TidemarkError(failure, `a read failed: ${failure}`, this.failureDetail);
    if (from < this.first || from > this.values.length) throw new TidemarkError('out_of_range', 'trimmed');
    return this.values.slice(from, from + 2).map((value, i) => {
      const generation = this.generationOf(from + i);
      const record = { offset: from + i, appendTimeMs: 0, value: Buffer.from(value) };
      return generation === undefined ? record : { ...record, generation };
    });
  }

  async bounds(): Promise<LogBounds> {
    return { first: this.first, next: this.values.length, id: this.id };
  }
}

/** A state that records what was applied. It cannot apply `!`, and a commit is due after `,`, and before `?`, which needs its memory. */
class TestState implements ConsumedState {
  readonly applied: string[] = [];
  readonly skipped: number[] = [];
  readonly commits: number[] = [];
  readonly failures: ErrorCode[] = [];
  nextOffset = 0;
  committedOffset = 0;
  wantsCommit = false;
  /** Offset of the last commit before `stop`. */
  stoppedAfter: number | undefined;

  apply({ value }: LogRecord): void {
    const text = Buffer.from(value).toString();
    if (this.wantsCommit) throw new Error('applied before the commit that was due');
    if (text === '!') throw new TidemarkError('data_loss', 'cannot be decoded');
    if (text === '?' && this.committedOffset < this.nextOffset) {
      this.wantsCommit = true;
      throw new TidemarkError('resource_exhausted', 'no memory');
    }
    this.applied.push(text);
    this.nextOffset++;
    this.wantsCommit = text === ',';
  }

  skip(_reason: string, { records }: LostRecords): void {
    for (let i = 0; i < records; i++) this.skipped.push(this.nextOffset++);
    this.wantsCommit = true;
  }

  async stop(): Promise<void> {
    this.stoppedAfter = this.commits.at(-1);
  }

  async commit(): Promise<void> {
    const failure = this.failures.shift();
    if (failure !== undefined) throw new TidemarkError(failure, `a commit failed: ${failure}`);
    this.wantsCommit = false;
    this.committedOffset = this.nextOffset;
    this.commits.push(this.nextOffset);
  }
}

function started(
  text: string,
  prepare: (log: TestLog, state: TestState) => void = () => {},
  own: Partial<Pick<LogConsumerOptions, 'memory' | 'clock' | 'yieldTurn'>> = {},
) {
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
    ...own,
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
    if (performance.now() > deadline) throw new Error('the condition did not hold in time');
    await new Promise(setImmediate);
  }
}

describe('LogConsumer', () => {
  test('background work of the state ends before its last commit', async () => {
    const { state, consumer } = started('ab,cd');
    await until(() => state.nextOffset === 5);
    await consumer.stop();
    expect([state.stoppedAfter, state.commits]).toEqual([3, [3, 5]]);
  });

  test('a commit on request has what the log has, and its error is that of the request', async () => {
    const { state, consumer, problems } = started('abc');
    await consumer.caughtUp();
    await consumer.caughtUp();
    expect([state.applied.join(''), state.commits]).toEqual(['abc', [3]]);
    state.apply({ offset: 3, appendTimeMs: 0, value: Buffer.from('d') });
    state.failures.push('resource_exhausted');
    await expect(consumer.caughtUp()).rejects.toMatchObject({ code: 'resource_exhausted' });
    await until(() => problems.at(-1) === undefined);
    // The next commit is not of the failed request.
    expect(state.commits).toEqual([3]);
    const stopped = expect(consumer.caughtUp()).rejects.toMatchObject({ code: 'cancelled' });
    await consumer.stop();
    await stopped;
    expect(state.committedOffset).toBe(4);
  });

  test('a commit on request does not wait for what a halt holds back', async () => {
    const { state, consumer } = started('ab!c');
    await until(() => consumer.halt !== undefined);
    await consumer.caughtUp();
    expect(state.commits).toEqual([2]);
    await consumer.stop();
  });

  test('others have a turn after each 20 ms in which records of one read were applied', async () => {
    let nowMs = 0;
    const turns: number[] = [];
    let applied: readonly string[] = [];
    const { state, consumer } = started(
      'abcdefgh',
      (log, own) => {
        applied = own.applied;
        const { apply } = own;
        own.apply = (record) => {
          nowMs += 8;
          apply.call(own, record);
        };
        log.read = async (_topic, _partition, from) => {
          await new Promise(setImmediate);
          return log.values.slice(from).map((value, i) => {
            return { offset: from + i, appendTimeMs: 0, value: Buffer.from(value) };
          });
        };
      },
      {
        clock: { ...clock, monotonicMs: () => nowMs },
        yieldTurn: async () => {
          turns.push(applied.length);
          await new Promise(setImmediate);
        },
      },
    );
    await until(() => state.nextOffset === 8);
    await consumer.stop();
    expect(turns).toEqual([3, 6]);
  });

  test('the consumer retries errors of the log and the disk, and repeats a failed commit before it continues', async () => {
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

  test('a record for which a state has no memory until a commit is applied after that', async () => {
    const { state, halts, problems, consumer } = started('ab?c');
    await until(() => state.nextOffset === 4);
    expect([state.applied.join(''), state.commits, halts]).toEqual(['ab?c', [2], []]);
    await until(() => problems.length === 2);
    expect(problems).toEqual(['read: resource_exhausted', undefined]);
    await consumer.stop();
  });

  test('a record that cannot be applied halts the partition, and a skip passes only that record', async () => {
    const { state, skips, halts, consumer } = started('a!b!c');
    // Decisions to skip valid or later records change nothing by themselves.
    skips.set(0, 'a mistake');
    await until(() => consumer.halt !== undefined);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect([state.applied.join(''), consumer.halt?.offset, consumer.halt?.cause]).toEqual(['a', 1, 'record']);
    expect(consumer.position).toMatchObject({ halted: 'cannot be decoded', haltedOffset: 1 });
    skips.set(1, 'lost');
    await until(() => consumer.halt?.offset === 3);
    skips.set(3, 'lost, too');
    await until(() => state.nextOffset === 5);
    expect([state.applied.join(''), state.skipped]).toEqual(['abc', [1, 3]]);
    expect(halts.map((halt) => halt?.offset)).toEqual([1, undefined, 3, undefined]);
    await consumer.stop();
  });

  test('a halt ends the report of a log problem and hides no disk problem', async () => {
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

  test('stop commits all applied records, also while the partition is halted', async () => {
    const { state, consumer } = started('ab!');
    await until(() => consumer.halt !== undefined);
    await consumer.stop();
    expect(state.commits).toEqual([2]);
  });

  test('a damaged record of the log halts the partition, and can be skipped', async () => {
    const { state, skips, consumer } = started('ab', (log) => log.failures.push('data_loss'));
    await until(() => consumer.halt !== undefined);
    expect(state.applied).toEqual([]);
    skips.set(0, 'bit rot');
    await until(() => state.nextOffset === 2);
    expect([state.skipped, state.applied]).toEqual([[0], ['b']]);
    await consumer.stop();
  });

  test('one skip passes all records up to the next readable one', async () => {
    const { state, skips, halts, consumer } = started('abcd', (log) => {
      log.failures.push('data_loss');
      log.failureDetail = { resumeAt: 3 };
    });
    await until(() => consumer.halt !== undefined);
    skips.set(0, 'bit rot');
    await until(() => state.nextOffset === 4);
    expect([state.skipped, state.applied, halts.length]).toEqual([[0, 1, 2], ['d'], 2]);
    await consumer.stop();
  });

  test('a skipped record is the one that the next start compares with the log', async () => {
    const keyValue = new MemoryKeyValue();
    const generationOf = (offset: number) => (offset < 2 ? 7 : 8);
    const { log, state, skips, consumer } = started('ab!', (own) => (own.generationOf = generationOf), {
      memory: await LogMemory.load(keyValue),
    });
    await until(() => consumer.halt?.offset === 2);
    skips.set(2, 'bad');
    // The process dies after the commit of the skip and before another one.
    await until(() => state.committedOffset === 3);
    const memory = await LogMemory.load(new MemoryKeyValue(keyValue.content));
    expect(await memory.difference(log, 'points', 3, 3)).toBeUndefined();
    await consumer.stop();
  });

  test('the state gets the record that it could not apply, so that it can pass what is missing before it', async () => {
    const { state, skips, consumer } = started('a!b');
    const passed: LostRecords[] = [];
    const skip = state.skip.bind(state);
    state.skip = (reason, lost) => {
      passed.push(lost);
      skip(reason, lost);
    };
    skips.set(1, 'lost');
    await until(() => state.nextOffset === 3);
    expect(passed).toEqual([{ records: 1, record: expect.objectContaining({ offset: 1 }) }]);
    expect(Buffer.from(passed[0].record?.value ?? []).toString()).toBe('!');
    await consumer.stop();
  });

  test('a log that was trimmed above the end of the state halts the partition until it has the offset', async () => {
    const { log, halts, state, consumer } = started('abcd', (own) => {
      own.first = 2;
    });
    await until(() => consumer.halt !== undefined);
    expect(consumer.halt).toMatchObject({ offset: 0, cause: 'trimmed' });
    expect(consumer.halt?.error.message).toContain(
      'database of points/3 is damaged or incomplete: it ends at offset 0, and the log, which begins at 2, was trimmed',
    );
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(halts).toHaveLength(1);
    log.first = 0;
    await until(() => state.nextOffset === 4);
    expect(consumer.halt).toBeUndefined();
    await consumer.stop();
  });

  test('a skip passes what a log that was trimmed above the end of the state no longer has', async () => {
    const { skips, state, consumer } = started('abcd', (own) => {
      own.first = 2;
    });
    const passed: LostRecords[] = [];
    const skip = state.skip.bind(state);
    state.skip = (reason, lost) => {
      passed.push(lost);
      skip(reason, lost);
    };
    await until(() => consumer.halt !== undefined);
    expect(consumer.position).toMatchObject({ haltedOffset: 0, halted: expect.stringContaining('skip points 3 0') });
    skips.set(0, 'no copy');
    await until(() => state.nextOffset === 4);
    expect([passed, consumer.halt]).toEqual([[{ records: 2 }], undefined]);
    await consumer.stop();
  });

  test('a log that ends before the state is lost, and its later records are not applied', async () => {
    const { log, halts, state, consumer } = started('ab', (_, own) => {
      own.nextOffset = 3;
    });
    await until(() => consumer.halt?.cause === 'lost');
    expect(consumer.halt).toMatchObject({ offset: 3, cause: 'lost' });
    expect(consumer.position).toMatchObject({
      halted: expect.stringContaining('continues at offset 3'),
      haltedOffset: -1,
    });
    log.values.push('c', 'd', 'e');
    await until(() => consumer.position.logNext === 5);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect([state.applied, state.nextOffset, halts.length]).toEqual([[], 3, 2]);
    await consumer.stop();
  });

  test('a wrong end, as a replaced broker reports it, halts the partition only while it is reported', async () => {
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

  test('a recreated topic halts the partition permanently, and no skip passes it', async () => {
    const { log, state, skips, consumer } = started('ab', (own) => {
      for (let check = 0; check < 20; check++) own.failures.push('data_loss');
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
