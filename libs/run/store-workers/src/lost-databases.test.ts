import { expect, test } from '@jest/globals';
import { TidemarkError } from '@tidemark/ports';
import { SimulatedClock } from '@tidemark/simulation';
import type { Loss } from './damaged-database.ts';
import { LostDatabases } from './lost-databases.ts';
import type { RestoreOutcome } from './store-messages.ts';

const PLACE = { kind: 'points', partition: 0, topic: 'points', folder: '/data/points/0' } as const;
const DAMAGE: Loss = { error: new TidemarkError('data_loss', 'bit rot'), isTrimmed: false };
const RESTORED: RestoreOutcome = {
  ...{ state: 'restored', damaged: [] },
  snapshot: { id: 'one', offset: 10, createdMs: 0 },
};
const NONE: RestoreOutcome = { state: 'none', found: 'there is none', mayHelp: false, damaged: [] };

function setUp(hasSnapshots = true) {
  const clock = new SimulatedClock();
  const stopping = new AbortController();
  const seen = {
    /** What restores return, one after the other; the last one stays. */
    outcomes: [RESTORED] as RestoreOutcome[],
    restores: 0,
    /** Whether the log answers. */
    isSilent: false,
    /** Whether the log continues what was found when it is put in place. */
    continues: true,
    isLost: true,
    log: [] as string[],
  };
  const lost = new LostDatabases({
    log: {
      bounds: async () => {
        if (seen.isSilent) throw new TidemarkError('unavailable', 'no broker');
        return { first: 5, next: 100, id: 'log' };
      },
      read: async () => [],
    },
    ...{ clock, stopping: stopping.signal },
    snapshots: hasSnapshots
      ? {
          restore: async () => {
            const outcome = seen.outcomes[Math.min(seen.restores, seen.outcomes.length - 1)];
            seen.restores++;
            return outcome;
          },
        }
      : undefined,
    isLost: () => seen.isLost,
    replace: async (_place, _loss, by) => {
      seen.log.push(`replaced from ${by.from}`);
      if (seen.continues) return true;
      seen.continues = true;
      return false;
    },
    report: (_place, _loss, { message, isTemporary }) => {
      seen.log.push(`${isTemporary ? 'for now' : 'permanently'}: ${message}`);
    },
    onBug: (_place, error) => seen.log.push(`bug: ${String(error)}`),
  });
  return { clock, stopping, seen, lost };
}

test('a database is replaced once, and again where the log was trimmed meanwhile', async () => {
  const { clock, seen, lost } = setUp();
  seen.continues = false;
  lost.begin(PLACE, DAMAGE);
  lost.begin(PLACE, DAMAGE);
  expect(lost.isReplacing(PLACE)).toBe(true);
  await clock.advance(1);
  expect(seen.log).toEqual(['replaced from snapshot', 'replaced from snapshot']);
  expect(lost.isReplacing(PLACE)).toBe(false);
});

test('an object store is asked each minute until a snapshot is there, and its text is reported once', async () => {
  const { clock, seen, lost } = setUp();
  const away: RestoreOutcome = { state: 'failed', error: { code: 'unavailable', message: 'no answer', detail: {} } };
  seen.outcomes = [away, away, NONE, RESTORED];
  lost.begin(PLACE, DAMAGE);
  await clock.advance(130_000);
  expect(seen.log).toEqual([
    expect.stringMatching(
      /^for now: .* can't be restored now: no answer\. It is tried again each minute: .* pass no records$/,
    ),
    expect.stringMatching(/^permanently: .*No snapshot replaces it: there is none\. Restore the data folder/),
  ]);
  await clock.advance(60_000);
  expect(seen.log.at(-1)).toBe('replaced from snapshot');
  expect(seen.restores).toBe(4);
});

test('data that a snapshot may have is not given up', async () => {
  const { clock, seen, lost, stopping } = setUp();
  seen.outcomes = [
    { state: 'none', found: 'one has the format 10, and this program reads 9', mayHelp: true, damaged: [] },
  ];
  lost.begin(PLACE, DAMAGE);
  await clock.advance(1);
  expect(seen.log).toEqual([expect.stringMatching(/the format 10, and this program reads 9\. .* pass no records$/)]);
  expect(seen.log[0]).not.toContain('skip');
  stopping.abort();
  await lost.ended();
});

test('what an operator passes meanwhile is not replaced any more', async () => {
  const { clock, seen, lost } = setUp();
  seen.outcomes = [NONE, RESTORED];
  lost.begin(PLACE, DAMAGE);
  await clock.advance(1);
  seen.isLost = false;
  await clock.advance(120_000);
  expect(seen.restores).toBe(1);
  expect(lost.isReplacing(PLACE)).toBe(false);
});

test('without an object store the log is checked again each minute at most', async () => {
  const { clock, seen, lost } = setUp(false);
  for (let i = 0; i < 3; i++) {
    lost.begin(PLACE, DAMAGE);
    await clock.advance(25_000);
  }
  expect(seen.log).toHaveLength(1);
  lost.begin(PLACE, DAMAGE);
  await clock.advance(1);
  expect(seen.log).toHaveLength(2);
});

test('a log that does not answer is asked again, also without an object store, and nothing is given up meanwhile', async () => {
  const { clock, seen, lost } = setUp(false);
  seen.isSilent = true;
  lost.begin(PLACE, DAMAGE);
  await clock.advance(61_000);
  expect(seen.log).toEqual([expect.stringMatching(/^for now: .* The log does not answer\. .* pass no records$/)]);
  // It must not be trimmed before the next attempt.
  expect([lost.isReplacing(PLACE), lost.unreplaced(PLACE)?.isTemporary]).toEqual([true, true]);
  seen.isSilent = false;
  await clock.advance(60_000);
  expect(seen.log.at(-1)).toMatch(/^permanently: .*the log no longer has its first records/);
});

test('the log may be trimmed while nothing replaces a database, and not while that is looked for', async () => {
  const { clock, seen, lost } = setUp();
  seen.outcomes = [NONE];
  lost.begin(PLACE, DAMAGE);
  expect(lost.isReplacing(PLACE)).toBe(true);
  await clock.advance(1);
  expect(lost.isReplacing(PLACE)).toBe(false);
  seen.outcomes = [RESTORED];
  // No second attempt next to that of the first one.
  lost.begin(PLACE, DAMAGE);
  await clock.advance(60_000);
  expect(seen.log.filter((text) => text === 'replaced from snapshot')).toHaveLength(1);
});
