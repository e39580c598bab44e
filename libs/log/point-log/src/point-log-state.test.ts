import { expect, test } from '@jest/globals';
import { RECORD } from '@tidemark/point-records';
import type { LogRecord } from '@tidemark/ports';
import { PointLogState } from './point-log-state.ts';
import { LogBuilder } from './testing/log-builder.ts';

function apply(state: PointLogState, record: LogRecord): void {
  const judged = state.judge(record);
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
