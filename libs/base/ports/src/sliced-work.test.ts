import { expect, test } from '@jest/globals';
import { finishInSlices, type SlicedWork } from './sliced-work.ts';

test('work whose pause fails is closed', async () => {
  const seen: string[] = [];
  function* work(): SlicedWork<void, number> {
    try {
      for (let i = 0; ; i++) yield i;
    } finally {
      seen.push('closed');
    }
  }
  const pause = (cost: number) => {
    if (cost === 2) throw new Error('at once');
    return undefined;
  };
  await expect(finishInSlices(work(), pause)).rejects.toThrow('at once');
  const wait = (cost: number) => (cost === 2 ? Promise.reject(new Error('after a wait')) : undefined);
  await expect(finishInSlices(work(), wait)).rejects.toThrow('after a wait');
  expect(seen).toEqual(['closed', 'closed']);
});
