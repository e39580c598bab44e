import { type ArchivedDay, csvHead, csvRows, type DayFinding } from '@tidemark/archive';
import { settingsCommand } from '@tidemark/executable';
import { DAY_MS } from '@tidemark/model';
import type { ObjectStore } from '@tidemark/ports';
import { type Command, Option } from 'commander';
import { refuseExisting, writeNewFile } from '../new-file.ts';
import { printError } from '../printable.ts';
import { ProgressLine } from '../progress-line.ts';
import { reportFinding } from '../segment-finding.ts';
import { pointsOf, queryOf, type SelectionOptions, textOf, withSelection } from '../segment-points.ts';
import { GROUPS, withObjects } from '../snapshot-objects.ts';

interface ExportOptions extends SelectionOptions {
  readonly out: string;
  readonly format: 'csv';
}

/** The end of a line of CSV by RFC 4180. */
const CSV_END = '\r\n';

export function exportCommand(): Command {
  const command = withSelection(
    settingsCommand('export', 'write archived points to a file', GROUPS)
      .argument('[metric]', 'name of the metric (default: all metrics)')
      .requiredOption('--out <file>', 'the file to write, which must not exist')
      .option('--tenant <name>', 'only of this tenant (default: of all)'),
  ).addOption(new Option('--format <format>', 'format of the file').choices(['csv']).default('csv'));
  return command.action(async (metric: string | undefined, options: ExportOptions) => {
    const query = queryOf(metric, options);
    refuseExisting(options.out);
    await withObjects(command, async ({ objects }) => {
      const line = new ProgressLine(process.stderr, () => performance.now());
      const onFinding = (finding: DayFinding) => {
        line.clear();
        reportFinding(finding);
      };
      let points = 0;
      let totalBytes = 0;
      let doneBytes = 0;
      const onDays = (days: readonly ArchivedDay[]) => {
        totalBytes = bytesOf(days.filter(({ day }) => (day + 1) * DAY_MS > query.fromMs && day * DAY_MS < query.toMs));
      };
      const counted = countedReads(objects, (bytes) => {
        doneBytes += bytes;
        line.show(options.out, Math.min(doneBytes, totalBytes), totalBytes);
      });
      const rows = textOf(
        pointsOf(counted, query, onFinding, onDays),
        (series) => {
          points += series.timesMs.length;
          return csvRows(series);
        },
        CSV_END,
      );
      await writeNewFile(options.out, afterHead(rows)).finally(() => line.clear());
      printError(`${options.out}: ${points} points`);
    });
  });
}

async function* afterHead(rows: AsyncIterable<string>): AsyncGenerator<string> {
  yield csvHead() + CSV_END;
  yield* rows;
}

function bytesOf(days: readonly ArchivedDay[]): number {
  return days.reduce((sum, day) => day.segments.reduce((all, { bytes }) => all + bytes, sum + day.namesBytes), 0);
}

/** The reads of an object store, which report the bytes of each range. */
function countedReads(
  objects: ObjectStore,
  onRead: (bytes: number) => void,
): Pick<ObjectStore, 'list' | 'get' | 'head' | 'getRange'> {
  return {
    list: (...args) => objects.list(...args),
    get: (...args) => objects.get(...args),
    head: (...args) => objects.head(...args),
    getRange: async (...args) => {
      const bytes = await objects.getRange(...args);
      onRead(bytes.length);
      return bytes;
    },
  };
}
