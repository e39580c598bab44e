import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openLocalObjects } from '@tidemark/folder-objects';
import { PageKernel, PageWriter } from '@tidemark/page';
import { objectSource } from './object-source.ts';
import { decodeAll, HEAD, pointsOf } from './segment.fixture.ts';
import { Segment } from './segment.ts';
import { SegmentInput } from './segment-input.ts';
import { writeSegment } from './segment-writer.ts';
import { smallSeries } from './small-segment.fixture.ts';

test('a segment is streamed into an object, and read by ranges of that object only', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-segments-'));
  const objects = openLocalObjects(folder);
  try {
    const pages = new PageWriter(new PageKernel());
    const chunks = writeSegment(new SegmentInput(smallSeries(), HEAD.day), pages, { head: HEAD });
    const stored = await objects.putStream('segments/a.segment', chunks);
    const source = objectSource(objects, stored);
    expect(await decodeAll(source)).toEqual(pointsOf(smallSeries()));
    await objects.put('segments/a.segment', Buffer.alloc(stored.sizeBytes));
    await expect(Segment.open(source)).rejects.toMatchObject({ code: 'failed_precondition' });
  } finally {
    await objects.close();
    await rm(folder, { recursive: true });
  }
});
