import {
  Kind,
  type MetricMetadata as MetadataMessage,
  type MetricStatement as StatementMessage,
} from '@tidemark/contract';
import { isKind, type MetricChange, type MetricMetadata, type MetricStatement } from '@tidemark/model';

/** What a message says of a metric; nothing where it is absent. */
export function metadataOfMessage(message: MetadataMessage | undefined): MetricMetadata {
  return {
    user: statementOf(message?.user),
    protocol: statementOf(message?.protocol),
    implied: statementOf(message?.implied),
  };
}

/** The message of metadata; undefined where nothing is stated. */
export function metadataMessage({ user, protocol, implied }: MetricMetadata): MetadataMessage | undefined {
  const isStated = [user, protocol, implied].some((statement) => statement !== undefined);
  return isStated ? { user, protocol, implied } : undefined;
}

/** A change of what a source says; absent fields stay. Empty ones take back what it said, and so do unknown kinds. */
export function changeOfMessage(message: StatementMessage | undefined): MetricChange {
  if (message === undefined) return {};
  const { kind, unit, description, intervalMs } = message;
  return {
    kind: kind === undefined ? undefined : isKind(kind) ? kind : null,
    unit: unit === '' ? null : unit,
    description: description === '' ? null : description,
    intervalMs: intervalMs === 0 ? null : intervalMs,
  };
}

/** The message of a change, the reverse of `changeOfMessage`. */
export function changeMessage({ kind, unit, description, intervalMs }: MetricChange): StatementMessage {
  return {
    kind: kind === null ? Kind.KIND_UNSPECIFIED : kind,
    unit: unit === null ? '' : unit,
    description: description === null ? '' : description,
    intervalMs: intervalMs === null ? 0 : intervalMs,
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
