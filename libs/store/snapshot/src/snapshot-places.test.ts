import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openLocalObjects } from '@tidemark/folder-objects';
import { snapshotPlaces } from './snapshot-places.ts';

test('the partitions with snapshots are found among other objects', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-places-'));
  const objects = openLocalObjects(folder);
  try {
    expect(await snapshotPlaces(objects)).toEqual([]);
    const keys = [
      'points-10/pins/1.json',
      'points-2/manifests/1.json',
      'points-2/manifests/2.json',
      'tags-2/files/a.sst',
    ];
    const others = ['monitors-2/a.json', 'points-x/a.json', 'points-1234567/a.json', 'other.json'];
    for (const key of [...keys, ...others]) await objects.put(`snapshots/${key}`, new Uint8Array(1));
    await objects.put('segments/points-7/a.seg', new Uint8Array(1));
    expect(await snapshotPlaces(objects)).toEqual([
      { kind: 'points', partition: 2 },
      { kind: 'tags', partition: 2 },
      { kind: 'points', partition: 10 },
    ]);
  } finally {
    await objects.close();
    await rm(folder, { recursive: true });
  }
});
