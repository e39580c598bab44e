// Plays seeds of `npm run flip`, one at a time, in a process that may crash.
import type { FromPlayer, ToPlayer } from './messages.ts';
import { runFlip, startDamaged } from './run-flip.ts';

process.on('message', (task: ToPlayer) => void play(task));
process.on('disconnect', () => process.exit(1));
send({ type: 'ready' });

async function play({ seed, made, work, flipped }: ToPlayer): Promise<void> {
  if (flipped === undefined) return send({ type: 'done', result: await runFlip(seed, made, work) });
  const startedMs = performance.now();
  const { outcome, detail } = await startDamaged(seed, made, work, flipped);
  const tookMs = performance.now() - startedMs;
  send({ type: 'done', result: { seed, folder: made.kind, flip: flipped, outcome, detail, tookMs } });
}

function send(message: FromPlayer): void {
  process.send?.(message);
}
