import { expect, test } from '@jest/globals';
import { LogSegments } from './log-segments.ts';
import { SnapshotTrimPoint, TableTrimPoint } from './trim-point.ts';

/** A trim point at 0 over a log with these segments; `flushes` has the number of tables that were made. */
function pointOver(first: number, ...bases: readonly number[]) {
  const segments = new LogSegments();
  for (const base of bases) segments.note(first, base);
  const made = { flushes: 0 };
  const flush = async () => {
    made.flushes++;
  };
  return { segments, made, point: new TableTrimPoint(0, flush, () => segments) };
}

test('a commit makes tables when a segment of the log ended before it', async () => {
  const { segments, made, point } = pointOver(0, 0);
  expect([await point.committed(99), point.offset, made.flushes]).toEqual([false, 0, 0]);
  segments.note(0, 100);
  expect([await point.committed(99), point.offset, made.flushes]).toEqual([false, 0, 0]);
  expect([await point.committed(120), point.offset, made.flushes]).toEqual([true, 120, 1]);
});

test('commits make no more tables while a trim fails, and repeat the trim', async () => {
  const { segments, made, point } = pointOver(0, 0, 100);
  expect([await point.committed(120), made.flushes]).toEqual([true, 1]);
  for (let offset = 130; offset < 200; offset += 10) expect(await point.committed(offset)).toBe(true);
  expect([point.offset, made.flushes]).toEqual([120, 1]);
  segments.note(0, 200);
  expect([await point.committed(210), point.offset, made.flushes]).toEqual([true, 210, 2]);
});

test('once the log is trimmed, commits neither make tables nor repeat the trim', async () => {
  const { segments, made, point } = pointOver(0, 0, 100);
  await point.committed(120);
  segments.note(100, 100);
  expect([await point.committed(130), point.offset, made.flushes]).toEqual([false, 120, 1]);
});

test('a trim of the open that failed is repeated by commits', async () => {
  const segments = new LogSegments();
  segments.note(0, 100);
  const point = new TableTrimPoint(
    150,
    () => Promise.reject(new Error('made a table')),
    () => segments,
  );
  expect([await point.committed(160), point.offset]).toEqual([true, 150]);
});

test('after a flush that failed the next commit makes the tables', async () => {
  const segments = new LogSegments();
  segments.note(0, 100);
  let failures = 1;
  const point = new TableTrimPoint(
    0,
    async () => {
      if (failures-- > 0) throw new Error('the disk is full');
    },
    () => segments,
  );
  await expect(point.committed(120)).rejects.toThrow('the disk is full');
  expect(point.offset).toBe(0);
  expect([await point.committed(120), point.offset]).toEqual([true, 120]);
});

test('a log that is not known yet is not trimmed', async () => {
  const point = new TableTrimPoint(
    0,
    () => Promise.reject(new Error('made a table')),
    () => undefined,
  );
  expect(await point.committed(10)).toBe(false);
});

test('with snapshots the log is kept from the newest one on, however much is committed', async () => {
  const segments = new LogSegments();
  for (const base of [0, 100, 200]) segments.note(0, base);
  const point = new SnapshotTrimPoint(() => segments);
  expect([await point.committed(), point.offset]).toEqual([false, 0]);
  point.made(150);
  expect([await point.committed(), point.offset]).toEqual([true, 150]);
  // Of a snapshot that was begun before.
  point.made(120);
  expect([await point.committed(), point.offset]).toEqual([true, 150]);
  segments.note(100, 200);
  expect(await point.committed()).toBe(false);
});
