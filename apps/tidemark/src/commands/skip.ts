import { TIDEMARK_COMMAND } from '@tidemark/model/tidemark-command';
import { Command } from 'commander';
import type { RemoteOptions } from '../endpoints.ts';
import { print } from '../printable.ts';
import { withPlatform, withRemote } from '../remote.ts';
import { wholeNumber } from '../whole-number.ts';

export function skipCommand(): Command {
  return withRemote(new Command('skip'))
    .description('pass the records that halted a partition; the data in them is lost and shown as a gap')
    .argument('<topic>', 'points, tags or control')
    .argument('<partition>', 'number of the partition', wholeNumber)
    .argument('<offset>', 'offset of the record, from tidemark status', wholeNumber)
    .requiredOption('--reason <text>', 'reason, shown with the gap')
    .action((topic: string, partition: number, offset: number, options: RemoteOptions & { reason: string }) =>
      withPlatform(options, async (remote) => {
        const request = { topic, partition, offset, reason: options.reason };
        await remote.call(remote.control, remote.control.skip, request);
        if (topic === 'control') print(`the loss of control/${partition} at offset ${offset} is acknowledged`);
        else print(`${topic}/${partition} continues after offset ${offset}; ${TIDEMARK_COMMAND} status shows the gap`);
      }),
    );
}
