import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DEFAULT_TENANT } from '@tidemark/access';
import { jsonLines, textLines } from '@tidemark/archive';
import { settingsCommand } from '@tidemark/executable';
import { systemCode } from '@tidemark/ports';
import { type Command, Option } from 'commander';
import { pointsOf, queryOf, type SelectionOptions, textOf, withSelection } from '../segment-points.ts';
import { GROUPS, withObjects } from '../snapshot-objects.ts';

interface CatOptions extends SelectionOptions {
  readonly format: 'text' | 'json';
}

export function catCommand(): Command {
  const cat = withSelection(
    settingsCommand('cat', 'print the archived points of a metric, a line each', GROUPS)
      .argument('<metric>', 'name of the metric')
      .option('--tenant <name>', 'tenant of the metric', DEFAULT_TENANT),
  ).addOption(
    new Option('--format <format>', 'output format; json: an object a line').choices(['text', 'json']).default('text'),
  );
  return cat.action(async (metric: string, options: CatOptions) => {
    const query = queryOf(metric, options);
    await withObjects(cat, async ({ objects }) => {
      const lines = textOf(pointsOf(objects, query), options.format === 'json' ? jsonLines : textLines, '\n');
      await pipeline(Readable.from(lines), process.stdout, { end: false }).catch((error: unknown) => {
        // Who reads the output, such as `head`, has enough.
        if (systemCode(error) !== 'EPIPE') throw error;
      });
    });
  });
}
