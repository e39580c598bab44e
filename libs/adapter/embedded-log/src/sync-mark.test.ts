import { expect, test } from '@jest/globals';
import { SeededRandom } from '@tidemark/simulation';
import { CrashDisk } from './crash-disk.ts';
import { LOG_ID_BYTES } from './segment-format.ts';
import { SyncMarks } from './sync-mark.ts';

function markAt(next: number) {
  return {
    id: Buffer.alloc(LOG_ID_BYTES, 5),
    next,
    first: 0,
    base: 0,
    salt: 1,
    headerBytes: 96,
    sizeBytes: 96 + 64 * next,
  };
}

test('the newest of two marks is found, and writes that fail leave the last good one', async () => {
  const disk = new CrashDisk(new SeededRandom(1), { failedWrite: 0, failedSync: 0 });
  for (let next = 1; next < 40; next += 5) {
    const marks = await SyncMarks.open(disk, 'points', 0);
    await marks.write(markAt(next));
    await marks.write(markAt(next + 1));
    disk.full = true;
    // Each of these may tear the slot that it is written to.
    for (let failed = 2; failed < 5; failed++) await marks.write(markAt(next + failed));
    disk.full = false;
    await marks.close();
    const again = await SyncMarks.open(disk, 'points', 0);
    // A failed write may have written the whole mark.
    expect(again.found?.next ?? 0).toBeGreaterThan(next);
    await again.write(markAt(next + 2));
    await again.close();
    expect((await SyncMarks.open(disk, 'points', 0)).found?.next).toBe(next + 2);
  }
});
