import { describe, expect, test } from '@jest/globals';
import type { Checkpoint } from '@tidemark/contract';
import { evenMap, packSlots } from '@tidemark/model';
import { isTidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import { budgetKey, budgetOf, fenceKey } from './control-entries.ts';
import { type ControlMessage, decodeControl, encodeControl } from './control-record.ts';
import { ControlState } from './control-state.ts';

const SESSION = Buffer.alloc(16, 7);
const LANE = { partition: 1, lane: 4 };

/** Returns a state that read these messages, one per millisecond. */
function stateOf(...messages: readonly ControlMessage[]): ControlState {
  const state = new ControlState();
  for (const [offset, message] of messages.entries()) state.apply(message, offset, 1000 + offset);
  return state;
}

function term(number: number): ControlMessage {
  return { $case: 'term', value: { term: number, process: 'p' } };
}

function map(of: number, epoch: number, expectedEpoch: number): ControlMessage {
  const { partitions, slots } = evenMap(2, epoch);
  const wire = { epoch, partitions, slots: packSlots({ epoch, partitions, slots }) };
  return { $case: 'map', value: { term: of, expectedEpoch, map: wire } };
}

function fence(of: number, lane?: { partition: number; lane: number }, reason = 'why'): ControlMessage {
  return { $case: 'fence', value: { term: of, session: SESSION, lane, reason } };
}

const registered: ControlMessage = { $case: 'registered', value: { session: SESSION, process: 'i' } };

function renewed(...deadLanes: { partition: number; lane: number }[]): ControlMessage {
  return { $case: 'renewed', value: { session: SESSION, deadLanes } };
}

/** Appends a checkpoint of the term in force, with other fields if `fields` has them. */
function checkpoint(state: ControlState, atMs: number, fields: Partial<Checkpoint> = {}): void {
  state.apply({ $case: 'checkpointBegun', value: { term: state.term } }, state.nextOffset, atMs);
  state.apply({ $case: 'checkpoint', value: { ...state.checkpoint(), ...fields } }, state.nextOffset, atMs);
}

function sessionState(state: ControlState): string | undefined {
  return [...state.sessions.values()][0]?.state;
}

describe('terms', () => {
  test('a decision of a lower term is void', () => {
    const late = [map(1, 1, 0), fence(1), { $case: 'budget', value: budget(1, true) }] as const;
    const state = stateOf(registered, term(1), term(2), ...late);
    expect(state.map).toBeUndefined();
    expect(state.fences.size).toBe(0);
    expect(state.overBudget.size).toBe(0);
    expect(sessionState(state)).toBe('open');
  });

  test('a term never goes down, and of two claims of one term the first counts', () => {
    const state = stateOf(term(3), term(2), term(3));
    expect(state.term).toBe(3);
    expect(state.termOffset).toBe(0);
  });

  test('throughMs is the highest append time read', () => {
    const state = stateOf(term(1));
    state.apply(term(2), 1, 900);
    expect(state.throughMs).toBe(1000);
  });
});

describe('maps', () => {
  test('a map that expects another predecessor is void, and older epochs stay known', () => {
    const state = stateOf(term(1), map(1, 1, 0), map(1, 2, 0), map(1, 3, 1), map(1, 2, 3));
    expect(state.map?.epoch).toBe(3);
    expect([...state.maps.keys()]).toEqual([1, 3]);
  });

  test('the first map is in force at once, others 2 s after the highest append time so far', () => {
    const state = stateOf(term(1), map(1, 1, 0));
    const throughMs = state.mapsThroughMs;
    state.apply(registered, 2, 5000);
    expect([throughMs, state.mapsThroughMs]).toEqual([3001, 7000]);
    // Another broker leads now, and its clock is behind.
    state.apply(map(1, 2, 1), 3, 4000);
    expect([1, 2, 3].map((epoch) => state.inForceMs(epoch))).toEqual([-Infinity, 7000, Infinity]);
    expect([6999, 7000].map((acceptMs) => state.mapAt(acceptMs)?.epoch)).toEqual([1, 2]);
    expect(state.map?.epoch).toBe(2);
  });

  test('no map comes into force before the mapsThroughMs of any earlier reader of control', () => {
    const step = fc.record({ isMap: fc.boolean(), appendTimeMs: fc.nat(20_000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.nat(30), (steps, checkpointAt) => {
        const state = stateOf(term(1), map(1, 1, 0));
        const throughMs: number[] = [];
        for (const [i, { isMap, appendTimeMs }] of steps.entries()) {
          throughMs.push(state.mapsThroughMs);
          const epoch = state.map?.epoch ?? 0;
          const message = isMap ? map(1, epoch + 1, epoch) : registered;
          if (i === checkpointAt) checkpoint(state, appendTimeMs);
          else state.apply(message, state.nextOffset, appendTimeMs);
          if (state.map?.epoch === epoch) continue;
          expect(state.inForceMs(epoch + 1)).toBeGreaterThanOrEqual(Math.max(...throughMs));
        }
      }),
    );
  });

  test('all maps of a checkpoint without times are in force', () => {
    const state = stateOf(term(1), map(1, 1, 0), map(1, 2, 1));
    checkpoint(state, 1005, { mapsInForceMs: [] });
    expect([1, 2].map((epoch) => state.inForceMs(epoch))).toEqual([-Infinity, -Infinity]);
  });
});

describe('sessions and fences', () => {
  test('a session is open, then fenced permanently', () => {
    const state = stateOf(term(1), registered, fence(1), renewed(LANE), registered, {
      $case: 'ended',
      value: { session: SESSION },
    });
    expect(sessionState(state)).toBe('fenced');
    expect(state.deadLanes.size).toBe(0);
  });

  test('a dead lane waits for its fence, once', () => {
    const state = stateOf(term(1), registered, renewed(LANE));
    expect([...state.deadLanes.values()]).toEqual([{ session: SESSION, ...LANE }]);
    state.apply(fence(1, LANE), 3, 2000);
    state.apply(renewed(LANE), 4, 2001);
    expect(state.deadLanes.size).toBe(0);
    expect(sessionState(state)).toBe('open');
  });

  test('the first of two fences counts, and any process may complete it', () => {
    const state = stateOf(term(1), fence(1, LANE, 'first'), fence(1, LANE, 'second'), {
      $case: 'fenceCompleted',
      value: { term: 0, session: SESSION, lane: LANE },
    });
    expect(state.fences.get(fenceKey(SESSION, LANE))).toMatchObject({ offset: 1, reason: 'first', completed: true });
  });
});

describe('budgets, skips and keys', () => {
  test('a budget belongs to a tenant or to a metric, with any characters in the names', () => {
    const state = stateOf(
      term(1),
      { $case: 'budget', value: { ...budget(1, true), tenant: 'a/b', metric: 'c/d' } },
      { $case: 'budget', value: { ...budget(1, true), tenant: 'a', metric: 'b/c/d' } },
    );
    expect([...state.overBudget.keys()].map(budgetOf)).toEqual([
      { tenant: 'a/b', metric: 'c/d' },
      { tenant: 'a', metric: 'b/c/d' },
    ]);
    state.apply({ $case: 'budget', value: { ...budget(1, false), tenant: 'a/b', metric: 'c/d' } }, 3, 0);
    expect([...state.overBudget.keys()]).toEqual([budgetKey('a', 'b/c/d')]);
  });

  test('a skip covers one offset', () => {
    const skip = { term: 1, topic: 'points', partition: 2, offset: 9, reason: 'broken' };
    const state = stateOf(term(1), { $case: 'skip', value: skip });
    expect(state.skipReason('points', 2, 9)).toBe('broken');
    expect(state.skipReason('points', 2, 8)).toBeUndefined();
  });

  test('a key replaces the one of the same name, and a revoked key is removed', () => {
    const key = { term: 1, tenant: 't', name: 'n', keyHash: Buffer.from([1]), scopes: ['send'], revoked: false };
    const state = stateOf(
      term(1),
      { $case: 'key', value: key },
      { $case: 'key', value: { ...key, keyHash: Buffer.from([2]) } },
    );
    expect([...state.keys.keys()]).toEqual(['02']);
    state.apply({ $case: 'key', value: { ...key, revoked: true } }, 3, 0);
    expect(state.keys.size).toBe(0);
  });
});

describe('records', () => {
  test('a decoded record equals the encoded one', () => {
    for (const message of [term(1), map(1, 1, 0), fence(2, LANE), registered, renewed(LANE)]) {
      expect(decodeControl(encodeControl(message))).toEqual(message);
    }
  });

  test('damaged bytes throw data_loss and no other error', () => {
    const good = encodeControl(renewed(LANE, { partition: 3, lane: 9 }));
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(good.length), (at, flip, cut) => {
        const bad = Uint8Array.from(good);
        bad[at] ^= flip;
        for (const bytes of [bad, good.subarray(0, Math.min(cut, good.length - 1))]) {
          try {
            decodeControl(bytes);
          } catch (error) {
            if (isTidemarkError(error, 'data_loss')) continue;
            throw error;
          }
          throw new Error('was read');
        }
      }),
    );
  });
});

function budget(of: number, over: boolean) {
  return { term: of, tenant: 't', metric: '', limit: 5, over };
}

describe('a set back', () => {
  /** A state whose clock was an hour ahead at its newest record. */
  function ahead(): ControlState {
    const state = stateOf(registered, term(1), map(1, 1, 0), renewed(LANE));
    state.apply(map(1, 2, 1), state.nextOffset, 3_600_000);
    return state;
  }
  const setBack = (decidedMs: number, throughMs = 3_600_000, afterLoss = false): ControlMessage => {
    return { $case: 'setBack', value: { term: 1, throughMs, decidedMs, afterLoss, repeats: undefined } };
  };

  test('begins an era at the append time of its decision, and ends what sessions promised before', () => {
    const state = ahead();
    const waitsUntilMs = state.inForceMs(2);
    state.apply(setBack(20_500), 5, 20_000.5);
    expect(state.eras.list).toEqual([{ offset: 5, startMs: 20_000, aheadMs: 3_580_000 }]);
    expect([state.throughMs, state.mapsThroughMs]).toEqual([20_000.5, 22_000.5]);
    expect([waitsUntilMs, state.inForceMs(2), state.inForceMs(1)]).toEqual([3_602_000, 22_000, -Infinity]);
    expect([sessionState(state), state.deadLanes.size]).toEqual(['fenced', 0]);
  });

  test.each([
    ['by no more than can be waited for', setBack(3_590_000), 3_590_000],
    ['of a time that its coordinator did not know to be ahead', setBack(20_000, 30_000), 20_000],
    ['that the clock of the coordinator contradicts', setBack(23_000), 20_000],
    ['that the clock of the log does not confirm', setBack(20_000), 3_600_000],
    ['after a loss that the clock of the coordinator contradicts', setBack(23_000, 3_600_000, true), 20_000],
  ])('is void %s', (_, message, appendTimeMs) => {
    const state = ahead();
    state.apply(message, 5, appendTimeMs);
    expect([state.eras.list, state.throughMs, sessionState(state)]).toEqual([[], 3_600_000, 'open']);
  });

  test('after lost records counts when time is not behind any more', () => {
    const state = ahead();
    state.apply(setBack(3_600_500, 3_600_000, true), 5, 3_600_400);
    expect(state.eras.list).toEqual([{ offset: 5, startMs: 3_600_400, aheadMs: 0 }]);
    expect(sessionState(state)).toBe('fenced');
  });
});
