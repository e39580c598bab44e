import {
  type ArchivedDay,
  type ArchivedQuery,
  type ArchivedSeries,
  archivedSeries,
  type DayFinding,
  listDays,
  nothingFound,
} from '@tidemark/archive';
import { limitError, type ObjectStore } from '@tidemark/ports';
import { type Command, Option } from 'commander';
import { parseTime } from './parse-time.ts';
import { time } from './printable.ts';
import { reportFinding } from './segment-finding.ts';

/** Characters that are written together. */
const CHUNK_CHARACTERS = 64 * 1024;

/** Options that say which points are read. */
export interface SelectionOptions {
  readonly tenant?: string;
  readonly from?: string;
  readonly to?: string;
  readonly tag: readonly string[];
}

export function withSelection(command: Command): Command {
  return command
    .option('--from <time>', 'start: as 2026-01-31T12:00:00Z, seconds since 1970 or -30d (default: the first point)')
    .option('--to <time>', 'end, which is not included (default: behind the last point)')
    .addOption(
      new Option('--tag <key:value...>', 'tags that a series must have, all of them; may be repeated')
        .argParser((tag: string, before: readonly string[]) => [...before, tag])
        .default([], 'none'),
    );
}

export function queryOf(metric: string | undefined, { tenant, from, to, tag }: SelectionOptions): ArchivedQuery {
  const nowMs = Date.now();
  const fromMs = from === undefined ? Number.NEGATIVE_INFINITY : parseTime(from, nowMs);
  const toMs = to === undefined ? Number.POSITIVE_INFINITY : parseTime(to, nowMs);
  if (fromMs >= toMs) throw limitError('--from', time(fromMs), `before --to, ${time(toMs)}`);
  return { tenant, metric, tags: tag, fromMs, toMs };
}

/**
 * Reads what was asked for. What can't be read is said on stderr, and the exit code becomes 1. Throws `not_found` where no point is found,
 * with what there is. `onDays` is informed of the days that are there before they are read.
 */
export async function* pointsOf(
  objects: Pick<ObjectStore, 'list' | 'get' | 'head' | 'getRange'>,
  query: ArchivedQuery,
  onFinding: (finding: DayFinding) => void = reportFinding,
  onDays: (days: readonly ArchivedDay[]) => void = () => undefined,
): AsyncGenerator<ArchivedSeries> {
  const { days, findings } = await listDays(objects);
  onDays(days);
  const reported = new Set<string>();
  const report = (finding: DayFinding) => {
    // A list and a read may find the same, and each page of a segment may be damaged.
    if (reported.has(finding.key)) return;
    reported.add(finding.key);
    onFinding(finding);
  };
  for (const finding of findings) report(finding);
  let found = 0;
  for await (const series of archivedSeries({ objects, onFinding: report }, days, query)) {
    found++;
    yield series;
  }
  if (found === 0 && reported.size === 0) throw await nothingFound({ objects }, days, query);
}

/** Lines of series as pieces of text, so that a point is not a write of its own. */
export async function* textOf(
  series: AsyncIterable<ArchivedSeries>,
  linesOf: (one: ArchivedSeries) => Iterable<string>,
  end: string,
): AsyncGenerator<string> {
  let text = '';
  for await (const one of series) {
    for (const line of linesOf(one)) {
      text += line + end;
      if (text.length < CHUNK_CHARACTERS) continue;
      yield text;
      text = '';
    }
  }
  if (text !== '') yield text;
}
