import { expect, test } from '@jest/globals';
import { RECORD } from '@tidemark/point-records';
import type { LogRecord } from '@tidemark/ports';
import { MemoryKeyValue } from '@tidemark/simulation';
import { PointLogState } from './point-log-state.ts';
import { LogBuilder } from './testing/log-builder.ts';
import { packTrackerHead } from './tracker-codec.ts';

function apply(state: PointLogState, record: LogRecord): void {
  const judged = state.judge(record);
  if (judged?.record.type === RECORD.block) state.define(judged.record);
  if (judged !== undefined) state.tracker.end(judged.record, record.offset);
  state.nextOffset = record.offset + 1;
}

test('a mark counts up to a second after the append time of its record, because its clock may be wrong', () => {
  const state = new PointLogState(0);
  const builder = new LogBuilder();
  builder.appendTimeMs = 10_000;
  apply(state, builder.bare(RECORD.open, 1, 11_000));
  expect(state.tracker.watermarkMs).toBe(11_000);
  builder.appendTimeMs = 10_500.7;
  apply(state, builder.bare(RECORD.mark, 1, 18_000));
  expect(state.tracker.watermarkMs).toBe(11_500);
  apply(state, builder.block(1, 18_000, [{ client: 0, sequence: 0, points: [{ series: 0, timeMs: 1, value: 1 }] }]));
  expect(state.tracker.watermarkMs).toBe(11_500);
  builder.appendTimeMs = 19_000;
  apply(state, builder.bare(RECORD.mark, 1, 18_000));
  expect(state.tracker.watermarkMs).toBe(18_000);
});

/** A log of two lanes: an open record and three blocks of each, one block in turns. */
function twoLanes(): LogBuilder {
  const builder = new LogBuilder();
  for (const lane of [1, 2]) builder.bare(RECORD.open, lane, 1_000);
  for (let i = 0; i < 3; i++) {
    for (const lane of [1, 2]) {
      const points = [{ series: 0, timeMs: 2_000 + i, value: 1 }];
      builder.block(lane, 2_000 + i, [{ client: lane, sequence: i, points }]);
    }
  }
  return builder;
}

/** Applies the records except some that never were in the log; skips once at each halt. Returns the offsets of halts. */
function applyWithout(state: PointLogState, builder: LogBuilder, missing: readonly number[]): number[] {
  const halts: number[] = [];
  const records = builder.records.filter(({ offset }) => !missing.includes(offset));
  for (const [offset, { value, appendTimeMs }] of records.entries()) {
    const record = { offset, value, appendTimeMs };
    try {
      apply(state, record);
    } catch {
      halts.push(offset);
      state.skip('lost', { records: 1, record });
      if (state.nextOffset === offset) apply(state, record);
    }
  }
  return halts;
}

test('one skip passes the gap before a record of a lane, and the record itself is applied', () => {
  const state = new PointLogState(0);
  // Two blocks of lane 1 were acknowledged and are not in the log.
  expect(applyWithout(state, twoLanes(), [2, 4])).toEqual([4]);
  expect(state.gaps).toEqual([{ offset: 4, reason: 'lost', records: 2 }]);
  expect([...state.tracker.lanes.values()].map(({ sequence }) => sequence)).toEqual([3, 3]);
  expect(state.nextOffset).toBe(6);
});

test('a record that is damaged as well is skipped together with the gap before it', () => {
  const state = new PointLogState(0);
  const builder = twoLanes();
  for (const record of builder.records.slice(0, 2)) apply(state, record);
  const value = Uint8Array.from(builder.records[4].value);
  value[value.length - 1] ^= 1;
  state.skip('lost', { records: 1, record: { offset: 2, value, appendTimeMs: 0 } });
  expect(state.gaps).toEqual([{ offset: 2, reason: 'lost', records: 1 }]);
  expect(state.nextOffset).toBe(3);
});

test('a gap of many records forgives each lane as many, and is counted once', async () => {
  const keyValue = new MemoryKeyValue();
  const state = new PointLogState(0);
  const { records } = twoLanes();
  for (const record of records.slice(0, 3)) apply(state, record);
  state.skip('bit rot', { records: 4 });
  apply(state, records[7]);
  expect([...state.tracker.lanes.values()].map(({ sequence }) => sequence)).toEqual([1, 3]);
  await keyValue.write(state.changes());
  const loaded = new PointLogState(0);
  await loaded.load(keyValue, { trackerHead: packTrackerHead(state.tracker), nextOffset: state.nextOffset });
  expect(loaded.gaps).toEqual([{ offset: 3, reason: 'bit rot', records: 4 }]);
  expect(loaded.tracker.skips).toBe(4);
});

test.each([
  ['a key of a dictionary without its numbers', '0401', '00000000', 'a stored key has 2 bytes (limit: at least 14)'],
  ['half a number of a dictionary', '04006400000001000000000000000000', '0000', 'a dictionary of 2 bytes'],
  ['a dictionary beyond the limit of refs', '040064000000010000000005000006', '00000000', 'refs (limit: 8388608)'],
  ['intervals of a series that is not stored', '2000000009', '01', 'intervals of series 9 of 0'],
  ['a key of a gap that is cut', '0700', '00', 'a stored key has 2 bytes (limit: at least 7)'],
])('%s is data_loss', async (_, key, value, message) => {
  const keyValue = new MemoryKeyValue(new Map([[key, Buffer.from(value, 'hex')]]));
  const trackerHead = packTrackerHead(new PointLogState(0).tracker);
  const loading = new PointLogState(0).load(keyValue, { trackerHead, nextOffset: 0 });
  await expect(loading).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining(message) });
});
