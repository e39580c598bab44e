import { expect, test } from '@jest/globals';
import { testSeed } from '@tidemark/conformance';
import { isTidemarkError, type ObjectStore } from '@tidemark/ports';
import { FaultPlan, Incarnation, SeededRandom, SimulatedClock, SimulatedObjectStore } from '@tidemark/simulation';
import { RetriedObjects } from './retried-objects.ts';
import { ATTEMPTS } from './retry.ts';

const seed = testSeed();

/** Loses a third of the replies, but not so many one after the other that an operation ends for want of attempts. */
class LostReplies extends FaultPlan {
  #inARow = 0;

  override fires(name: string): boolean {
    if (name !== 'objects.lost-reply') return super.fires(name);
    const isLost = super.fires(name) && this.#inARow < ATTEMPTS - 1;
    this.#inARow = isLost ? this.#inARow + 1 : 0;
    return isLost;
  }
}

function storeWith(chances: Readonly<Record<string, number>>) {
  const clock = new SimulatedClock();
  const random = new SeededRandom(seed);
  const objects = new SimulatedObjectStore({ clock, random, faults: new LostReplies(random, chances) });
  const retried = new RetriedObjects(objects.bind(new Incarnation('a')), { clock, random });
  const run = async <T>(task: (store: ObjectStore) => Promise<T>): Promise<T> => {
    let isSettled = false;
    const running = task(retried).finally(() => {
      isSettled = true;
    });
    running.catch(() => undefined);
    await clock.run(() => isSettled, 1e9);
    return running;
  };
  return { objects, run };
}

test(`a conditional put whose reply was lost succeeds once (TIDEMARK_TEST_SEED=${seed})`, async () => {
  const { objects, run } = storeWith({ 'objects.lost-reply': 0.3 });
  for (let i = 0; i < 50; i++) {
    const key = `${i}.x`;
    const { version } = await run((store) => store.put(key, Buffer.from('1'), { ifAbsent: true }));
    await run((store) => store.put(key, Buffer.from('2'), { ifVersion: version }));
    expect(Buffer.from(objects.peek(key) ?? []).toString()).toBe('2');
    const refused = await run((store) => store.put(key, Buffer.from('3'), { ifAbsent: true })).catch((error) => error);
    expect(isTidemarkError(refused, 'already_exists')).toBe(true);
    const stale = await run((store) => store.put(key, Buffer.from('4'), { ifVersion: version })).catch(
      (error) => error,
    );
    expect(isTidemarkError(stale, 'failed_precondition')).toBe(true);
  }
});

test('an object store that stays unavailable ends the operation after its attempts', async () => {
  const { run } = storeWith({ 'objects.unavailable': 1 });
  const failed = await run((store) => store.list('')).catch((error) => error);
  expect(isTidemarkError(failed, 'unavailable')).toBe(true);
  const stop = AbortSignal.abort(new Error('stopped'));
  await expect(run((store) => store.head('a.x', { signal: stop }))).rejects.toThrow('stopped');
});
