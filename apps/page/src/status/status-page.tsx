import type { PipelineStatus } from '../api/api-types.ts';
import { formatClock, formatDuration } from '../format/format-time.ts';
import { formatCount, formatValue } from '../format/format-value.ts';
import { Notice } from '../ui/notices.tsx';
import type { Polled } from '../use-polling.ts';
import { ClientsTable } from './clients-table.tsx';
import { completenessVerdict, type Verdict } from './completeness-verdict.ts';
import { GapsAndHalts } from './gaps-and-halts.tsx';
import { LanesTable } from './lanes-table.tsx';
import { MemoryTable } from './memory-table.tsx';
import { PartitionsTable } from './partitions-table.tsx';
import { RefusedTable } from './refused-table.tsx';
import { SessionsTable } from './sessions-table.tsx';
import { SourcesTable } from './sources-table.tsx';
import { TagPartitionsTable } from './tag-partitions-table.tsx';
import { ThreadsTable } from './threads-table.tsx';

/** The parts of the pipeline, below one sentence that says what delays completeness. */
export function StatusPage({ polled }: { readonly polled: Polled<PipelineStatus> }) {
  const { data: status, error, failingSinceMs } = polled;
  return (
    <main className="page">
      <div className="toolbar">
        <h1>Pipeline</h1>
      </div>
      {error !== undefined && failingSinceMs !== undefined && (
        <Notice level="error">
          {error.message}: no status since {formatClock(failingSinceMs)} ({formatDuration(Date.now() - failingSinceMs)}
          ).
          {status !== undefined && ' The last status is shown below.'}
        </Notice>
      )}
      {status === undefined && error === undefined && <p className="hint">loading…</p>}
      {status !== undefined && (
        <>
          <VerdictBanner verdict={completenessVerdict(status)} />
          <Totals status={status} />
          <PartitionsTable status={status} />
          <GapsAndHalts status={status} />
          <ClientsTable status={status} />
          <SessionsTable status={status} />
          <RefusedTable status={status} />
          <SourcesTable status={status} />
          {status.forOperator && <LanesTable status={status} />}
          {status.forOperator && <TagPartitionsTable partitions={status.tags} />}
          {status.forOperator && <ThreadsTable status={status} />}
          {status.forOperator && <MemoryTable status={status} />}
        </>
      )}
    </main>
  );
}

const SIGNS: Readonly<Record<Verdict['level'], string>> = { ok: '✓', behind: '!', blocked: '✕', unknown: '?' };

function VerdictBanner({ verdict: { level, sentence, details } }: { readonly verdict: Verdict }) {
  return (
    <section className={`verdict is-${level}`} aria-label="Verdict" role="status" aria-live="off">
      <span className="verdict-sign" aria-hidden="true">
        {SIGNS[level]}
      </span>
      <div>
        <p className="verdict-sentence">{asSentence(sentence)}</p>
        {details.length > 0 && (
          <ul>
            {details.map((detail) => (
              <li key={detail}>{detail}</li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}

/** Capitalizes a sentence, unless it begins with the name of a part: `points/2`. */
function asSentence(text: string): string {
  return /^[a-z]+\//.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

function Totals({ status }: { readonly status: PipelineStatus }) {
  const sum = (read: (partition: PipelineStatus['points'][number]) => number): string =>
    formatCount(status.points.reduce((total, partition) => total + read(partition), 0));
  const queued = status.sessions.reduce((total, { queuedBytes }) => total + queuedBytes, 0);
  const ofPlatform = [
    ['Points stored', sum(({ points }) => points)],
    ['Series', sum(({ series }) => series)],
    ['Late points', sum(({ latePoints }) => latePoints)],
    ['Duplicates dropped', sum(({ duplicatePoints }) => duplicatePoints)],
    ['Queued at intakes', formatValue(queued, 'bytes')],
  ];
  const tiles = [
    ...(status.forOperator ? ofPlatform : []),
    ['Lateness bound', formatDuration(status.latenessMs)],
    ['Map epoch', formatCount(status.mapEpoch)],
  ];
  return (
    <dl className="tiles">
      {tiles.map(([name, value]) => (
        <div className="tile" key={name}>
          <dt>{name}</dt>
          <dd className="number">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
