import type { Finding } from './finding.ts';
import type { Observations, ProblemView, ProcessObservation } from './observations.ts';
import { REBUILT_AND_HALTED, wordsOf } from './problem-words.ts';

/** Turns the problems that processes report into findings: one for all parts of a process with the same problem. */
export function judgeProblems({ processes }: Observations): Finding[] {
  return processes.flatMap((process) => {
    if (process.answer.state !== 'answered') return [];
    const { problems } = process.answer.health;
    const halted = new Set(problems.filter(({ kind }) => kind === 'halt').map(({ part }) => part));
    const groups = new Map<string, ProblemView[]>();
    for (const problem of problems) {
      const { kind, part, code } = problem;
      // The status of the partitions reports halts, with their offsets. The log of a halted partition is kept.
      if (kind === 'halt' || (kind === 'trim' && halted.has(part))) continue;
      const key = kind === 'rebuilt' && halted.has(part) ? HALTED_REBUILT : `${kind} ${code}`;
      groups.set(key, [...(groups.get(key) ?? []), problem]);
    }
    return [...groups].map(([key, of]) => findingOf(of, process, key === HALTED_REBUILT));
  });
}

const HALTED_REBUILT = 'rebuilt and halted';

function findingOf(
  problems: readonly ProblemView[],
  { kind, address, answer }: ProcessObservation,
  isHaltedRebuilt: boolean,
): Finding {
  const process = answer.state === 'answered' ? answer.health.process : address;
  const oldest = problems.reduce((a, b) => (b.sinceMs < a.sinceMs ? b : a));
  const words = isHaltedRebuilt ? REBUILT_AND_HALTED : wordsOf(oldest);
  const parts = problems.map(({ part }) => part).filter((part) => part !== '');
  const name = kind === 'platform' ? process : `${process} at ${address}`;
  return {
    kind: words.kind,
    severity: words.severity,
    what: `${words.what(name, parts)}: ${oldest.reason}`,
    sinceMs: oldest.sinceMs,
    means: words.means,
    next: typeof words.next === 'string' ? words.next : words.next(parts),
  };
}
