import { type DayFinding, dateOf, listDays, verifyDay } from '@tidemark/archive';
import { settingsCommand } from '@tidemark/executable';
import { objectPlaceText } from '@tidemark/object-storage';
import type { Command } from 'commander';
import { print } from '../printable.ts';
import { reportFinding } from '../segment-finding.ts';
import { GROUPS, withObjects } from '../snapshot-objects.ts';

export function verifyCommand(): Command {
  const verify = settingsCommand('verify', 'read all objects of the archived days, and compare checksums', GROUPS);
  return verify.action(() =>
    withObjects(verify, async ({ objects, place }) => {
      const { days, findings } = await listDays(objects);
      const found = new Set<string>();
      let isWhole = true;
      const onFinding = (finding: DayFinding) => {
        isWhole = false;
        // The list has found those that are missing.
        if (found.has(finding.key)) return;
        found.add(finding.key);
        reportFinding(finding);
      };
      for (const finding of findings) onFinding(finding);
      if (days.length === 0 && findings.length === 0) print(`no archived days are in ${objectPlaceText(place)}`);
      for (const day of days) {
        isWhole = true;
        await verifyDay({ objects, onFinding }, day);
        print(
          `${dateOf(day.day)} points/${day.partition} from ${day.fromOffset} to ${day.toOffset}: ${isWhole ? 'whole' : 'damaged'}`,
        );
      }
    }),
  );
}
