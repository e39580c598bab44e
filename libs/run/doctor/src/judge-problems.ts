import type { Finding } from './finding.ts';
import type { Observations, ProblemView, ProcessObservation } from './observations.ts';
import { wordsOf } from './problem-words.ts';

/** Turns the problems that processes report into findings: one for all parts of a process with the same problem. */
export function judgeProblems({ processes }: Observations): Finding[] {
  return processes.flatMap((process) => {
    if (process.answer.state !== 'answered') return [];
    const groups = new Map<string, ProblemView[]>();
    for (const problem of process.answer.health.problems) {
      // The status of the partitions reports halts, with their offsets.
      if (problem.kind === 'halt') continue;
      const key = `${problem.kind} ${problem.code}`;
      groups.set(key, [...(groups.get(key) ?? []), problem]);
    }
    return [...groups.values()].map((problems) => findingOf(problems, process));
  });
}

function findingOf(problems: readonly ProblemView[], { kind, address, answer }: ProcessObservation): Finding {
  const process = answer.state === 'answered' ? answer.health.process : address;
  const oldest = problems.reduce((a, b) => (b.sinceMs < a.sinceMs ? b : a));
  const words = wordsOf(oldest);
  const parts = problems.map(({ part }) => part).filter((part) => part !== '');
  const name = kind === 'platform' ? process : `${process} at ${address}`;
  return {
    kind: words.kind,
    severity: words.severity,
    what: `${words.what(name, parts)}: ${oldest.reason}`,
    sinceMs: oldest.sinceMs,
    means: words.means,
    next: words.next,
  };
}
