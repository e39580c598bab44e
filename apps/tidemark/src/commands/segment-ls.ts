import { type ArchivedDay, type DayFinding, dateOf, listDays } from '@tidemark/archive';
import { formatBytes } from '@tidemark/doctor';
import { settingsCommand } from '@tidemark/executable';
import { DAY_MS } from '@tidemark/model';
import { type ObjectPlace, objectPlaceText } from '@tidemark/object-storage';
import { limitError } from '@tidemark/ports';
import { type Command, InvalidArgumentError } from 'commander';
import { tableJsonOrCsv } from '../format-option.ts';
import { csvOf, tableOf } from '../list-output.ts';
import { print } from '../printable.ts';
import { reportFinding } from '../segment-finding.ts';
import { GROUPS, withObjects } from '../snapshot-objects.ts';
import { wholeNumber } from '../whole-number.ts';

interface ListOptions {
  readonly partition?: number;
  readonly from?: number;
  readonly to?: number;
  readonly format: 'table' | 'json' | 'csv';
}

export function listCommand(): Command {
  const list = settingsCommand('ls', 'list the archived days of all partitions', GROUPS)
    .option('--partition <n>', 'only this partition', wholeNumber)
    .option('--from <day>', 'first UTC day, as 2026-01-31 (default: the first one)', utcDay)
    .option('--to <day>', 'last UTC day, as 2026-01-31 (default: the last one)', utcDay)
    .addOption(tableJsonOrCsv());
  return list.action(async ({ partition, from: fromDay, to: throughDay, format }: ListOptions) => {
    if (fromDay !== undefined && throughDay !== undefined && fromDay > throughDay) {
      throw limitError('--from', dateOf(fromDay), `up to --to, ${dateOf(throughDay)}`);
    }
    await withObjects(list, async ({ objects, place }) => {
      const { days, findings } = await listDays(objects, { partition, fromDay, throughDay });
      print(listText(days, findings, place, format));
      for (const finding of findings) reportFinding(finding);
    });
  });
}

function listText(
  days: readonly ArchivedDay[],
  findings: readonly DayFinding[],
  place: ObjectPlace,
  format: ListOptions['format'],
): string {
  const rows = days.map(factsOf);
  if (format === 'json') {
    const unusable = findings.map(({ key, error }) => ({ key, error: error.message }));
    return JSON.stringify({ days: rows, unusable }, undefined, 2);
  }
  if (format === 'csv') return csvOf(HEAD, rows.map(cellsOf));
  if (rows.length === 0) return `no such archived days are in ${objectPlaceText(place)}`;
  const cells = rows.map((row) => {
    return cellsOf({ ...row, bytes: formatBytes(row.bytes), bytesPerPoint: row.bytesPerPoint?.toFixed(2) });
  });
  return tableOf(HEAD, cells);
}

const HEAD = [
  ...['day', 'partition', 'segments', 'metrics', 'series', 'points', 'bytes', 'bytes/point'],
  ...['from offset', 'to offset'],
];

/** Metrics and series that are in several segments, as a long one is, count once in each of them. */
function factsOf(archived: ArchivedDay) {
  const { partition, day, segments, namesBytes, fromOffset, toOffset, logId } = archived;
  const sum = (of: 'metrics' | 'series' | 'points' | 'bytes') => segments.reduce((all, one) => all + one[of], 0);
  const points = sum('points');
  const bytes = sum('bytes') + namesBytes;
  return {
    ...{ day: dateOf(day), partition, segments: segments.length },
    ...{ metrics: sum('metrics'), series: sum('series'), points, bytes },
    bytesPerPoint: points === 0 ? undefined : bytes / points,
    ...{ fromOffset, toOffset, logId },
  };
}

type Facts = ReturnType<typeof factsOf>;
type Cells = Omit<Facts, 'bytes' | 'bytesPerPoint'> & {
  readonly bytes: string | number;
  readonly bytesPerPoint: string | number | undefined;
};

function cellsOf(one: Cells): (string | number)[] {
  const { day, partition, segments, metrics, series, points, bytes, bytesPerPoint } = one;
  const counts = [segments, metrics, series, points, bytes, bytesPerPoint ?? ''];
  return [day, partition, ...counts, one.fromOffset, one.toOffset];
}

/** Parses a UTC day, to days since 1970. */
function utcDay(text: string): number {
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) / DAY_MS : Number.NaN;
  if (Number.isInteger(day) && dateOf(day) === text) return day;
  throw new InvalidArgumentError('Give a day as 2026-01-31.');
}
