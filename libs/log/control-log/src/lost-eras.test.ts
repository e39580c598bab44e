import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ControlMessage } from './control-record.ts';
import { ControlState } from './control-state.ts';

interface Appended {
  readonly message: ControlMessage;
  readonly appendTimeMs: number;
}

const session = (of: number) => Buffer.alloc(16, of);
const term = (of: number): ControlMessage => ({ $case: 'term', value: { term: of, process: 'p' } });
const registered = (of: number): ControlMessage => {
  return { $case: 'registered', value: { session: session(of), process: 'i' } };
};
const renewed = (of: number): ControlMessage => ({ $case: 'renewed', value: { session: session(of), deadLanes: [] } });

/** A log of `control`, and the state of a reader that has lost nothing: its coordinator. */
class Written {
  readonly records: Appended[] = [];
  readonly whole = new ControlState();

  add(appendTimeMs: number, ...messages: readonly ControlMessage[]): this {
    for (const message of messages) {
      this.whole.apply(message, this.records.length, appendTimeMs);
      this.records.push({ message, appendTimeMs });
    }
    return this;
  }

  /** Adds a decision to take time back, of this term. */
  setBack(appendTimeMs: number, of = 1): this {
    const { throughMs } = this.whole;
    const value = { term: of, throughMs, decidedMs: appendTimeMs + 1, afterLoss: false, repeats: undefined };
    return this.add(appendTimeMs, { $case: 'setBack', value });
  }

  /** Adds a repetition of the decision that began the present era, if there is one. */
  repeat(appendTimeMs: number): this {
    const repeats = this.whole.eras.list.at(-1);
    if (repeats === undefined) return this;
    const { throughMs } = this.whole;
    const value = { term: 1, throughMs, decidedMs: appendTimeMs, afterLoss: false, repeats };
    return this.add(appendTimeMs, { $case: 'setBack', value });
  }

  /** Returns the state of a reader that has lost the records at these offsets. */
  without(...lost: readonly number[]): ControlState {
    const state = new ControlState();
    for (const [offset, { message, appendTimeMs }] of this.records.entries()) {
      if (lost.includes(offset)) state.lose(1, 'damaged');
      else state.apply(message, offset, appendTimeMs);
    }
    return state;
  }
}

const sessionStates = ({ sessions }: ControlState) => [...sessions.values()].map(({ key, state }) => [key, state]);

describe('a reader that has lost a record of control', () => {
  test('takes no renewal for a decision to set time back, also where times went back by as much', () => {
    // All clocks were 12.6 s ahead, and are corrected. The coordinator has decided nothing yet.
    const log = new Written().add(100_000, term(1), registered(7)).add(112_600, renewed(7), renewed(8));
    log.add(105_791, renewed(7)).add(105_800, renewed(7)).add(102_100, renewed(7)).add(102_102, renewed(8));
    for (const offset of log.records.keys()) {
      const state = log.without(offset);
      expect([offset, state.eras.list, state.mayLackEra]).toEqual([offset, [], offset > 2 && offset < 7]);
    }
    expect(log.without(6).sessions.get(session(7).toString('hex'))?.state).toBe('open');
  });

  test('learns of a lost decision from its repetition, with all that it changed', () => {
    const log = new Written().add(100_000, term(1), registered(7)).add(160_000, renewed(7)).add(101_000, renewed(7));
    log.setBack(103_000.5).add(103_900, registered(8)).add(103_800, renewed(8));
    expect([log.without(4).eras.list, log.without(4).mayLackEra]).toEqual([[], true]);
    log.repeat(103_850).add(104_000, renewed(8));
    const { whole } = log;
    expect(whole.eras.list).toEqual([{ offset: 4, startMs: 103_000, aheadMs: 57_000 }]);
    const state = log.without(4);
    expect([state.eras, state.throughMs, state.mayLackEra]).toEqual([whole.eras, whole.throughMs, false]);
    expect([...state.sessions.values()]).toEqual([...whole.sessions.values()]);
    expect(sessionStates(state).map(([, of]) => of)).toEqual(['fenced', 'open']);
  });

  test('follows another decision as the others do, although it does not know the era between', () => {
    const log = new Written().add(160_000, term(1)).setBack(100_000).add(100_100, renewed(7));
    const behind = { term: 1, throughMs: 160_000, decidedMs: 101_000, afterLoss: true, repeats: undefined };
    log.add(101_000, { $case: 'setBack', value: behind });
    expect([log.whole.eras.current, log.without(1).eras.current, log.without(1).mayLackEra]).toEqual([3, 3, false]);
  });

  test('of a claim judges a later decision of the term before as the others do', () => {
    const log = new Written().add(160_000, term(1), registered(7), term(2)).setBack(100_000, 1);
    expect([log.whole.eras.current, log.without(2).eras.current]).toEqual([3, 3]);
  });

  test('comes to the same era as the others, whichever record it is', () => {
    const step = fc.record({
      kind: fc.constantFrom('renewed', 'renewed', 'registered', 'term', 'setBack', 'oldTerm', 'repeat'),
      of: fc.integer({ min: 1, max: 4 }),
      stepMs: fc.oneof(fc.integer({ min: 0, max: 1500 }), fc.integer({ min: -20_000, max: 20_000 })),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const log = new Written().add(1_000_000, term(1));
        let timeMs = 1_000_000;
        for (const { kind, of, stepMs } of steps) {
          timeMs += stepMs;
          if (kind === 'setBack') log.setBack(timeMs, log.whole.term);
          else if (kind === 'oldTerm') log.setBack(timeMs, log.whole.term - 1);
          else if (kind === 'repeat') log.repeat(timeMs);
          else if (kind === 'term') log.add(timeMs, term(log.whole.term + 1));
          else log.add(timeMs, kind === 'registered' ? registered(of) : renewed(of));
        }
        const last = log.records.length;
        log.repeat(timeMs).add(timeMs, renewed(1));
        for (let lost = 0; lost < last; lost++) {
          const state = log.without(lost);
          expect([lost, state.eras.current, state.eras.startMs]).toEqual([
            lost,
            log.whole.eras.current,
            log.whole.eras.startMs,
          ]);
        }
      }),
      { numRuns: 300 },
    );
  });
});
