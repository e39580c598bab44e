import { type Examination, type Finding, formatDuration, runbookOf } from '@tidemark/doctor';
import { printable } from '@tidemark/model/safe-text';
import { time } from '../printable.ts';

const LABEL = 10;

/** Formats a report for people: the verdict in one line, then the findings, the worst first. */
export function formatExamination({ outcome, findings, looked }: Examination, nowMs: number): string {
  const wrong = findings.filter(({ severity }) => severity !== 'note').length;
  const verdict = {
    healthy: 'nothing is wrong',
    ill: wrong === 1 ? '1 problem found' : `${wrong} problems found`,
    blind: 'no process reported its state',
  }[outcome];
  return [`${verdict}; checked ${looked}`, ...findings.map((finding) => section(finding, nowMs)), ''].join('\n');
}

function section({ kind, severity, what, sinceMs, means, next }: Finding, nowMs: number): string {
  const lines = [`\n${severity.toUpperCase().padEnd(LABEL)}${printable(what)}`];
  const add = (label: string, text: string) => lines.push(`  ${label.padEnd(LABEL - 2)}${printable(text)}`);
  if (sinceMs !== undefined) add('since', `${time(sinceMs)}, ${formatDuration(nowMs - sinceMs)} ago`);
  add('means', means);
  add('next', next);
  add('more', runbookOf(kind));
  return lines.join('\n');
}

/** Formats a report for programs. */
export function examinationJson({ outcome, findings, looked }: Examination): string {
  const all = findings.map(({ kind, severity, what, sinceMs, means, next }) => {
    return { kind, severity, what, since_ms: sinceMs ?? null, means, next, runbook: runbookOf(kind) };
  });
  return JSON.stringify({ outcome, looked, findings: all }, undefined, 2);
}
