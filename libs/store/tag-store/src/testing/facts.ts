import { DAY_MS, type SeriesName, seriesId } from '@tidemark/model';
import type { LogRecord } from '@tidemark/ports';
import { TagRecordWriter } from '@tidemark/tag-records';
import type { NaiveTagStore } from './naive-tag-store.ts';

/** The fact that a series was seen on a day, with its name in the record or without. */
export interface Fact {
  readonly name: SeriesName;
  readonly day: number;
  readonly isNamed: boolean;
}

/** A record that was appended on `today`, by default the last day of its facts. */
export function recordOf(
  offset: number,
  facts: readonly Fact[],
  today = Math.max(0, ...facts.map(({ day }) => day)),
): LogRecord {
  const writer = new TagRecordWriter();
  for (const { name, day, isNamed } of facts) {
    if (isNamed) writer.addSeries(seriesId(name), name, day);
    else writer.addDay(seriesId(name), day);
  }
  return { offset, appendTimeMs: today * DAY_MS, value: writer.take() };
}

/** Adds the facts of a record to the model; in a record the named facts come first. */
export function addFacts(model: NaiveTagStore, facts: readonly Fact[]): void {
  for (const { name, day, isNamed } of facts) if (isNamed) model.add(name, day);
  for (const { name, day, isNamed } of facts) if (!isNamed) model.addDay(name, day);
}
