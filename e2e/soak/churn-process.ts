// Churn in a process of its own, so that its memory is not the platform's: the target as JSON. Reports its counts when it
// gets a message, and ends with the process that started it.
import { setTimeout as delay } from 'node:timers/promises';
import type { ChurnCounts, Target } from './churn.ts';
import { type Churn, churnsOf } from './churns.ts';

const MAX_REASONS = 20;

const target: Target = JSON.parse(process.argv[2]);
const counts: Record<string, { done: number; refused: number }> = {};
const reasons = new Set<string>();
let isOver = false;
process.on('message', () => {
  isOver = true;
});
process.on('disconnect', () => process.exit(1));

await Promise.all(Object.entries(churnsOf(target)).map(([name, churn]) => repeat(name, churn)));
process.send?.(counts satisfies ChurnCounts, () => process.exit(0));

/** One act after the other: a platform that is slow gets less of them. */
async function repeat(name: string, { everyMs, act }: Churn): Promise<void> {
  const count = { done: 0, refused: 0 };
  counts[name] = count;
  for (let n = 0; !isOver; n++) {
    const began = performance.now();
    try {
      await act(n);
      count.done++;
    } catch (error) {
      count.refused++;
      note(`${name}: ${(error as { cause?: unknown }).cause ?? error}`);
    }
    await delay(Math.max(1, everyMs - (performance.now() - began)));
  }
}

/** Shows the first refusals of each kind. */
function note(message: string): void {
  const kind = message.replaceAll(/\d+/g, 'N').slice(0, 160);
  if (reasons.has(kind) || reasons.size >= MAX_REASONS) return;
  reasons.add(kind);
  console.error(`  refused: ${message.slice(0, 300)}`);
}
