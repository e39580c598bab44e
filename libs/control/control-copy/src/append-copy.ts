import { ControlFollower, ControlWriter, splitCheckpoint } from '@tidemark/control-log';
import type { Clock, Log } from '@tidemark/ports';
import type { WholeCopy } from './control-copy.ts';

/**
 * Appends the state of a copy to `control` of a log that lost its records, and trims what is before it. Every
 * reader then begins with that state. Errors: those of the log; `data_loss` for a state that can't be read.
 */
export async function appendCopy(log: Log, { checkpoint }: WholeCopy, clock: Clock): Promise<void> {
  const { term } = checkpoint;
  const writer = new ControlWriter(log, clock);
  const { offset } = await writer.append({ $case: 'checkpointBegun', value: { term } });
  // Halts and lost records are of the old log. Halts are decided again.
  const state = { ...checkpoint, offset, halts: [], lost: [] };
  for (const value of splitCheckpoint(state)) await writer.append({ $case: 'checkpoint', value });
  await log.trim('control', 0, offset);
  const reader = new ControlFollower(log, clock);
  await reader.start();
  await reader.stop();
}
