import { expect, test } from '@jest/globals';
import type { Checkpoint } from '@tidemark/contract';
import { evenMap, packSlots } from '@tidemark/model';
import fc from 'fast-check';
import { splitCheckpoint } from './checkpoint-parts.ts';
import { fromCheckpoint } from './control-checkpoint.ts';
import { fenceKey } from './control-entries.ts';
import { type ControlMessage, decodeControl, encodeControl } from './control-record.ts';
import { ControlState } from './control-state.ts';

const DAY_MS = 86_400_000;
const session = fc.integer({ min: 0, max: 3 }).map((byte) => Buffer.alloc(16, byte));
const lane = fc.record({ partition: fc.nat(1), lane: fc.nat(2) });
const term = fc.integer({ min: 1, max: 4 });
const name = fc.constantFrom('a', 'b');

function of<K extends ControlMessage['$case']>(
  $case: K,
  value: fc.Arbitrary<Extract<ControlMessage, { $case: K }>['value']>,
): fc.Arbitrary<ControlMessage> {
  return value.map((one) => ({ $case, value: one }) as ControlMessage);
}

/**
 * What a coordinator does with a checkpoint: `begin` one, append the next `part` or all others (`finish`), append the last
 * part of it once more (`again`), or a part of an earlier one (`stale`).
 */
type Move = 'begin' | 'part' | 'finish' | 'again' | 'stale';
const MOVES: readonly Move[] = ['begin', 'part', 'finish', 'again', 'stale'];

/** A step of a history: a record, or what the coordinator does with a checkpoint. */
const step: fc.Arbitrary<ControlMessage | Move> = fc.oneof(
  of('registered', fc.record({ session, process: name })),
  of('renewed', fc.record({ session, deadLanes: fc.array(lane, { maxLength: 2 }) })),
  of('ended', fc.record({ session })),
  of('term', fc.record({ term, process: name })),
  of(
    'map',
    fc.record({ term, expectedEpoch: fc.nat(2) }).map(({ term: by, expectedEpoch }) => {
      const map = evenMap(2, expectedEpoch + 1);
      const wire = { epoch: map.epoch, partitions: 2, slots: packSlots(map) };
      return { term: by, expectedEpoch, map: wire };
    }),
  ),
  of('fence', fc.record({ term, session, lane: fc.option(lane, { nil: undefined }), reason: name })),
  of('fenceCompleted', fc.record({ term, session, lane: fc.option(lane, { nil: undefined }) })),
  of('skip', fc.record({ term, topic: name, partition: fc.nat(1), offset: fc.nat(2), reason: name })),
  of('budget', fc.record({ term, tenant: name, metric: name, limit: fc.nat(9), over: fc.boolean() })),
  of(
    'halt',
    fc.record({
      term,
      topic: fc.constantFrom('points', 'tags'),
      partition: fc.nat(1),
      offset: fc.nat(3),
      halted: fc.boolean(),
    }),
  ),
  of(
    'key',
    fc.record({
      ...{ term, tenant: name, name, scopes: fc.array(name, { maxLength: 2 }), revoked: fc.boolean() },
      keyHash: fc.nat(3).map((byte) => Buffer.alloc(32, byte)),
    }),
  ),
  of('checkpointBegun', fc.record({ term })),
  { arbitrary: fc.constantFrom(...MOVES), weight: 6 },
);
const PART_BYTES = 150;

interface Appended {
  readonly message: ControlMessage;
  readonly timeMs: number;
}

function replay(state: ControlState, records: readonly Appended[], from: number): ControlState {
  for (const [offset, { message, timeMs }] of records.entries()) {
    if (offset >= from) state.apply(decodeControl(encodeControl(message)), offset, timeMs);
  }
  return state;
}

/** Everything that a state has. */
function fullContent(state: ControlState): unknown {
  const { throughMs, nextOffset, skips, isWhole, map, ...rest } = state;
  return { ...rest, ...state.checkpoint(), throughMs, nextOffset, skips, isWhole, map };
}

/** Everything that a state has, except its position in the log. */
function content(state: ControlState): unknown {
  return { ...state.checkpoint(), offset: 0, throughMs: 0 };
}

const partOf = (value: Checkpoint): ControlMessage => ({ $case: 'checkpoint', value });

/** A coordinator of the term in force, whose parts other records may precede. */
class Checkpointer {
  readonly #append: (message: ControlMessage) => void;
  readonly #live: ControlState;
  #parts: Checkpoint[] = [];
  #next = 0;
  #earlier: Checkpoint[] = [];

  constructor(live: ControlState, append: (message: ControlMessage) => void) {
    this.#live = live;
    this.#append = append;
  }

  do(move: Move): void {
    if (move === 'begin') this.#begin();
    if (move === 'part') this.#part();
    if (move === 'finish') while (this.#part());
    if (move === 'again' && this.#next > 0) this.#append(partOf(this.#parts[this.#next - 1]));
    if (move === 'stale') for (const part of this.#earlier.slice(0, 1)) this.#append(partOf(part));
  }

  #begin(): void {
    this.#append({ $case: 'checkpointBegun', value: { term: this.#live.term } });
    this.#earlier = this.#parts;
    this.#parts = splitCheckpoint(this.#live.checkpoint(), PART_BYTES);
    this.#next = 0;
  }

  #part(): boolean {
    if (this.#next >= this.#parts.length) return false;
    this.#append(partOf(this.#parts[this.#next++]));
    return true;
  }
}

/** Appends a checkpoint of the term in force to a state, as one record. */
function appendCheckpoint(state: ControlState, atMs: number): void {
  state.apply({ $case: 'checkpointBegun', value: { term: state.term } }, state.nextOffset, atMs);
  state.apply(partOf(state.checkpoint()), state.nextOffset, atMs);
}

test('a checkpoint of any size is split into records of a bounded size', () => {
  const state = new ControlState();
  state.apply({ $case: 'term', value: { term: 1, process: 'a' } }, 0, 1);
  for (let n = 0; n < 20_000; n++) {
    const keyHash = Buffer.alloc(32);
    keyHash.writeUInt32LE(n);
    const key = { term: 1, tenant: `tenant ${n}`, name: 'key', keyHash, scopes: ['send'], revoked: false };
    state.apply({ $case: 'key', value: key }, state.nextOffset, 1);
  }
  const begun: ControlMessage = { $case: 'checkpointBegun', value: { term: 1 } };
  const begunAt = state.nextOffset;
  state.apply(begun, begunAt, 1);
  const parts = splitCheckpoint(state.checkpoint());
  const sizes = parts.map((value) => encodeControl({ $case: 'checkpoint', value }).length);
  expect(sizes.length).toBeGreaterThan(1);
  expect(Math.max(...sizes)).toBeLessThan(600_000);
  const fresh = new ControlState();
  fresh.beginAt(begunAt);
  fresh.apply(begun, begunAt, 1);
  for (const value of parts) {
    expect(fresh.isWhole).toBe(false);
    fresh.apply(partOf(value), fresh.nextOffset, 1);
  }
  expect(fresh.keys).toEqual(state.keys);
  expect(fresh.checkpointOffset).toBe(begunAt);
});

test('a reader of a trimmed log with a checkpoint has the same content as a reader of the whole log', () => {
  // Mostly short waits: only before the first entry is omitted can a reader without checkpoints be compared.
  const wait = fc.oneof({ arbitrary: fc.nat(60_000), weight: 9 }, { arbitrary: fc.nat(3 * DAY_MS), weight: 1 });
  const history = fc.array(fc.tuple(step, wait), { maxLength: 60 });
  fc.assert(
    fc.property(history, fc.nat(5), (steps, slackRecords) => {
      const live = new ControlState();
      const unaware = new ControlState();
      const records: Appended[] = [];
      let ageMs = 0;
      const append = (message: ControlMessage): void => {
        const timeMs = 1_767_225_600_000 + ageMs;
        live.apply(decodeControl(encodeControl(message)), records.length, timeMs);
        if (message.$case !== 'checkpoint') unaware.apply(message, records.length, timeMs);
        records.push({ message, timeMs });
      };
      const checkpointer = new Checkpointer(live, append);
      for (const [one, waitMs] of steps) {
        ageMs += waitMs;
        if (typeof one === 'string') checkpointer.do(one);
        else if (one.$case !== 'checkpointBegun' || one.value.term <= live.term) append(one);
        // Until an entry may be omitted, checkpoints change nothing.
        if (ageMs < 7 * DAY_MS) expect(content(live)).toEqual(content(unaware));
      }
      expect(fullContent(replay(new ControlState(), records, 0))).toEqual(fullContent(live));
      if (live.checkpointOffset < 0) return;
      const fresh = new ControlState();
      const first = Math.max(0, live.checkpointOffset - slackRecords);
      fresh.beginAt(first);
      expect(fullContent(replay(fresh, records, first))).toEqual(fullContent(live));
    }),
  );
});

test('a checkpoint that began in an ended term is void, and so is one that names another beginning', () => {
  const state = new ControlState();
  const apply = (message: ControlMessage) => state.apply(message, state.nextOffset, state.nextOffset + 1);
  const begun: ControlMessage = { $case: 'checkpointBegun', value: { term: 1 } };
  apply({ $case: 'term', value: { term: 1, process: 'a' } });
  const before = state.checkpoint();
  apply({ $case: 'term', value: { term: 2, process: 'b' } });
  apply(begun);
  apply(partOf({ ...before, offset: 2 }));
  apply({ $case: 'checkpointBegun', value: { term: 2 } });
  apply(partOf({ ...before, term: 2 }));
  expect([state.term, state.termOffset, state.checkpointOffset, state.nextOffset]).toEqual([2, 1, -1, 6]);

  const fresh = new ControlState();
  fresh.beginAt(2);
  expect(fresh.apply(partOf({ ...before, offset: 1 }), 2, 3)).toBe(false);
  expect(fresh.isWhole).toBe(false);
});

test('records that come before the parts of a checkpoint or between them are applied to its state', () => {
  const state = new ControlState();
  const records: Appended[] = [];
  const append = (message: ControlMessage): void => {
    state.apply(message, records.length, 1000 + records.length);
    records.push({ message, timeMs: 1000 + records.length });
  };
  const registered = (byte: number): ControlMessage => {
    return { $case: 'registered', value: { session: Buffer.alloc(16, byte), process: 'p' } };
  };
  append({ $case: 'term', value: { term: 1, process: 'a' } });
  for (let byte = 0; byte < 9; byte++) append(registered(byte));
  append({ $case: 'checkpointBegun', value: { term: 1 } });
  const parts = splitCheckpoint(state.checkpoint(), PART_BYTES);
  expect(parts.length).toBeGreaterThan(2);
  for (const [i, part] of parts.entries()) {
    append(registered(100 + i));
    if (i === 1) append({ $case: 'term', value: { term: 2, process: 'b' } });
    append(partOf(part));
  }
  expect([state.checkpointOffset, state.sessions.size, state.term]).toEqual([10, 9 + parts.length, 2]);
  const fresh = new ControlState();
  fresh.beginAt(10);
  expect(fullContent(replay(fresh, records, 10))).toEqual(fullContent(state));
});

test('a checkpoint is void after too many records, which every reader would have to keep', () => {
  const state = new ControlState();
  const renewed: ControlMessage = { $case: 'renewed', value: { session: Buffer.alloc(16, 1), deadLanes: [] } };
  const checkpointAfter = (records: number): number => {
    state.apply({ $case: 'checkpointBegun', value: { term: 0 } }, state.nextOffset, 1);
    const checkpoint = state.checkpoint();
    for (let n = 0; n < records; n++) state.apply(renewed, state.nextOffset, 1);
    state.apply(partOf(checkpoint), state.nextOffset, 1);
    return state.checkpointOffset;
  };
  expect(checkpointAfter(50_001)).toBe(-1);
  expect(checkpointAfter(50_000)).toBe(50_003);
});

test('a reader that has lost records holds a checkpoint for void after as many records as one that has them', () => {
  const state = new ControlState();
  state.apply({ $case: 'checkpointBegun', value: { term: 0 } }, 0, 1);
  const checkpoint = state.checkpoint();
  state.lose(50_001, 'lost');
  state.apply(partOf(checkpoint), state.nextOffset, 1);
  expect(state.checkpointOffset).toBe(-1);
});

test('checkpoints omit entries that ended 7 days ago and keep open or incomplete ones', () => {
  const state = new ControlState();
  const gone = Buffer.alloc(16, 1);
  const open = Buffer.alloc(16, 2);
  const reason = 'r';
  const messages: ControlMessage[] = [
    { $case: 'term', value: { term: 1, process: 'p' } },
    { $case: 'registered', value: { session: gone, process: 'p' } },
    { $case: 'registered', value: { session: open, process: 'p' } },
    { $case: 'fence', value: { term: 1, session: gone, lane: undefined, reason } },
    { $case: 'fenceCompleted', value: { term: 1, session: gone, lane: undefined } },
    { $case: 'fence', value: { term: 1, session: open, lane: { partition: 0, lane: 1 }, reason } },
  ];
  for (const [offset, message] of messages.entries()) state.apply(message, offset, 1000);
  const forget = (atMs: number) => {
    state.apply({ $case: 'renewed', value: { session: open, deadLanes: [] } }, state.nextOffset, atMs);
    appendCheckpoint(state, atMs);
    return [state.sessions.size, state.fences.size];
  };
  expect(forget(1000 + 7 * DAY_MS)).toEqual([2, 2]);
  expect(forget(1001 + 7 * DAY_MS)).toEqual([1, 1]);
  expect(state.fences.has(fenceKey(open, { partition: 0, lane: 1 }))).toBe(true);
});

test('a checkpoint with an unknown session state throws data_loss', () => {
  const state = new ControlState();
  state.apply({ $case: 'registered', value: { session: Buffer.alloc(16, 1), process: 'p' } }, 0, 1);
  state.apply({ $case: 'checkpointBegun', value: { term: 0 } }, 1, 1);
  const checkpoint = state.checkpoint();
  expect(fromCheckpoint(checkpoint).sessions).toEqual(state.sessions);
  const sessions = checkpoint.sessions.map((session) => ({ ...session, state: 'asleep' }));
  const damaged = expect.objectContaining({ code: 'data_loss' });
  expect(() => fromCheckpoint({ ...checkpoint, sessions })).toThrow(damaged);
  // The state that refuses the checkpoint stays unchanged.
  for (let tries = 0; tries < 2; tries++) {
    expect(() => state.apply(partOf({ ...checkpoint, sessions }), 2, 2)).toThrow(damaged);
    expect([state.nextOffset, state.sessions.size]).toEqual([2, 1]);
  }
});
