import { expect, test } from '@jest/globals';
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
 * A step of a history: a record, a `checkpoint` that the coordinator appends there, a `late` one, or one in small `parts`
 * (`split` by another record).
 */
const step: fc.Arbitrary<ControlMessage | 'checkpoint' | 'late' | 'parts' | 'split'> = fc.oneof(
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
  fc.constant('checkpoint' as const),
  fc.constant('late' as const),
  fc.constant('parts' as const),
  fc.constant('split' as const),
);
const PART_BYTES = 150;
const OTHER: ControlMessage = { $case: 'registered', value: { session: Buffer.alloc(16, 9), process: 'other' } };

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

function messagesOf(
  one: ControlMessage | 'checkpoint' | 'late' | 'parts' | 'split',
  live: ControlState,
): ControlMessage[] {
  if (typeof one !== 'string') return [one];
  const whole = live.checkpoint();
  if (one === 'late') whole.offset--;
  const parts = one === 'parts' || one === 'split' ? splitCheckpoint(whole, PART_BYTES) : [whole];
  const messages = parts.map((value): ControlMessage => ({ $case: 'checkpoint', value }));
  if (one === 'split') messages.splice(Math.ceil(messages.length / 2), 0, OTHER);
  return messages;
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
  const parts = splitCheckpoint(state.checkpoint());
  const sizes = parts.map((value) => encodeControl({ $case: 'checkpoint', value }).length);
  expect(sizes.length).toBeGreaterThan(1);
  expect(Math.max(...sizes)).toBeLessThan(600_000);
  const fresh = new ControlState();
  fresh.beginAt(parts[0].offset);
  for (const value of parts) {
    expect(fresh.isWhole).toBe(false);
    fresh.apply({ $case: 'checkpoint', value }, value.offset, 1);
  }
  expect(fresh.keys).toEqual(state.keys);
  expect(fresh.checkpointOffset).toBe(parts[0].offset);
});

test('a reader of a trimmed log with a checkpoint has the same content as a reader of the whole log', () => {
  const history = fc.array(fc.tuple(step, fc.integer({ min: 0, max: 3 * DAY_MS })), { maxLength: 60 });
  fc.assert(
    fc.property(history, fc.nat(5), (steps, slackRecords) => {
      const live = new ControlState();
      const unaware = new ControlState();
      const records: Appended[] = [];
      let ageMs = 0;
      for (const [one, waitMs] of steps) {
        ageMs += waitMs;
        const timeMs = 1_767_225_600_000 + ageMs;
        for (const message of messagesOf(one, live)) {
          live.apply(decodeControl(encodeControl(message)), records.length, timeMs);
          if (message.$case !== 'checkpoint') unaware.apply(message, records.length, timeMs);
          records.push({ message, timeMs });
        }
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

test('a checkpoint of an ended term is void, and so is one that another record preceded', () => {
  const state = new ControlState();
  state.apply({ $case: 'term', value: { term: 1, process: 'a' } }, 0, 1);
  const old = state.checkpoint();
  state.apply({ $case: 'term', value: { term: 2, process: 'b' } }, 1, 2);
  state.apply({ $case: 'checkpoint', value: old }, 2, 3);
  state.apply({ $case: 'checkpoint', value: { ...old, offset: 3 } }, 3, 4);
  expect([state.term, state.termOffset, state.checkpointOffset, state.nextOffset]).toEqual([2, 1, -1, 4]);

  const fresh = new ControlState();
  fresh.beginAt(2);
  expect(fresh.apply({ $case: 'checkpoint', value: old }, 2, 3)).toBe(false);
  expect(fresh.isWhole).toBe(false);
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
    state.apply({ $case: 'checkpoint', value: state.checkpoint() }, state.nextOffset, atMs);
    return [state.sessions.size, state.fences.size];
  };
  expect(forget(1000 + 7 * DAY_MS)).toEqual([2, 2]);
  expect(forget(1001 + 7 * DAY_MS)).toEqual([1, 1]);
  expect(state.fences.has(fenceKey(open, { partition: 0, lane: 1 }))).toBe(true);
});

test('a checkpoint with an unknown session state throws data_loss', () => {
  const state = new ControlState();
  state.apply({ $case: 'registered', value: { session: Buffer.alloc(16, 1), process: 'p' } }, 0, 1);
  const checkpoint = state.checkpoint();
  expect(fromCheckpoint(checkpoint).sessions).toEqual(state.sessions);
  const sessions = checkpoint.sessions.map((session) => ({ ...session, state: 'asleep' }));
  const damaged = expect.objectContaining({ code: 'data_loss' });
  expect(() => fromCheckpoint({ ...checkpoint, sessions })).toThrow(damaged);
  // The state that refuses the checkpoint stays unchanged.
  expect(() => state.apply({ $case: 'checkpoint', value: { ...checkpoint, sessions } }, 1, 2)).toThrow(damaged);
  expect([state.nextOffset, state.sessions.size]).toEqual([1, 1]);
});
