import type { MetricMetadata as MetadataMessage, MetricStatement as StatementMessage } from '@tidemark/contract';
import { isKind, type MetricChange, type MetricMetadata, type MetricStatement } from '@tidemark/model';

/** What a message says of a metric; nothing where it is absent. */
export function metadataOfMessage(message: MetadataMessage | undefined): MetricMetadata {
  return { user: statementOf(message?.user), protocol: statementOf(message?.protocol) };
}

/** The message of metadata; undefined where nothing is stated. */
export function metadataMessage({ user, protocol }: MetricMetadata): MetadataMessage | undefined {
  return user === undefined && protocol === undefined ? undefined : { user, protocol };
}

/** A change of what a source says. Empty fields take back what it said, and so do kinds that are not known here. */
function changeOfMessage({ kind, unit, description, intervalMs }: StatementMessage): MetricChange {
  return {
    kind: kind === undefined ? undefined : isKind(kind) ? kind : null,
    unit: unit === '' ? null : unit,
    description: description === '' ? null : description,
    intervalMs: intervalMs === 0 ? null : intervalMs,
  };
}

function statementOf(message: StatementMessage | undefined): MetricStatement | undefined {
  if (message === undefined) return undefined;
  const { kind, unit, description, intervalMs } = changeOfMessage(message);
  return {
    kind: kind ?? undefined,
    unit: unit ?? undefined,
    description: description ?? undefined,
    intervalMs: intervalMs ?? undefined,
  };
}
