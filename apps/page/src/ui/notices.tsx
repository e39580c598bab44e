import { gapWords } from '@tidemark/doctor';
import type { ReactNode } from 'react';
import type { QueryAnswer } from '../api/api-types.ts';

export type NoticeLevel = 'info' | 'warning' | 'error';

export function Notice({ level, children }: { readonly level: NoticeLevel; readonly children: ReactNode }) {
  return (
    <div className={`notice is-${level}`} role={level === 'error' ? 'alert' : 'status'}>
      {children}
    </div>
  );
}

/** Lists what is missing from an answer: failed parts and gaps. */
export function AnswerNotices({ answer }: { readonly answer: QueryAnswer }) {
  return (
    <>
      {answer.errors.map(({ part, message }) => (
        <Notice key={`${part} ${message}`} level="warning">
          <strong>{part}</strong> did not answer, so values may be missing: {message}
        </Notice>
      ))}
      {answer.gaps.map(({ topic, partition, offset, records, reason }) => (
        <Notice key={`${topic} ${partition} ${offset}`} level="warning">
          <strong>
            {topic}/{partition}
          </strong>{' '}
          has {gapWords({ offset, records })}: {reason}
        </Notice>
      ))}
    </>
  );
}

/** Shown when there is no metric yet. */
export function NoMetricYet() {
  return (
    <div className="empty">
      <h2>No metric yet</h2>
      <p>Send one to the agent with any DogStatsD client, or from a shell:</p>
      <pre>
        <code>echo -n "page.views:1|c|#env:dev" | nc -u -w1 127.0.0.1 8125</code>
      </pre>
      <p>It appears here about a second later, and is complete a few seconds after that.</p>
    </div>
  );
}
