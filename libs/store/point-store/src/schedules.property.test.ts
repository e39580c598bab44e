import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { consume, schedule } from './testing/schedules.ts';
import { ask, question, StoryLog, story } from './testing/stories.ts';

test('equal points have equal hashes and answers, those of a plain model, for any commits, closes and kills', async () => {
  let closed = 0;
  await fc.assert(
    fc.asyncProperty(
      story,
      schedule,
      schedule,
      fc.array(question, { minLength: 3, maxLength: 3 }),
      async (told, one, other, questions) => {
        const log = new StoryLog(told);
        const [{ partition: first }, { partition: second }] = [await consume(log, one), await consume(log, other)];
        expect(await second.stateHash()).toBe(await first.stateHash());
        const { stateHashes } = first.status;
        expect(second.status.stateHashes).toEqual(stateHashes);
        expect(stateHashes).toEqual(
          stateHashes.map((bucket) => ({ ...bucket, hash: log.hashOf(bucket.bucketMs, bucket.offset) })),
        );
        closed += stateHashes.length;
        for (const asked of questions) {
          const expected = log.answerTo(asked, log.records.length);
          for (const one of [first, second]) expect((await ask(one, asked)).bits).toEqual(expected);
        }
      },
    ),
    { numRuns: 60 },
  );
  expect(closed).toBeGreaterThan(60);
});
