import { DEFAULT_TENANT } from '@tidemark/access';
import type { RefusedData } from '@tidemark/contract';
import { type Clock, isTidemarkError } from '@tidemark/ports';
import { CountsByReason } from './refused-data.ts';

/**
 * Reasons for which a stream can end, or a request be refused as a whole, because of its sender. The set is closed:
 * clients must not create counters.
 */
const REASONS: ReadonlySet<string> = new Set([
  'unauthenticated',
  'permission_denied',
  'streams',
  'tenant_streams',
  'tenant_definitions',
  'message_too_large',
  'message_invalid',
  'hello_invalid',
  'client_session_invalid',
  'client_name_invalid',
  'map_epoch_unknown',
  'partition_invalid',
  'first_ref_invalid',
  'series_invalid',
  'share.partition_invalid',
  'body_too_large',
  'raw_too_large',
  'request_too_large',
  'content_type',
  'content_encoding',
  'protocol_version',
  'snappy_malformed',
  'protobuf_malformed',
  'body_malformed',
  'bodies_bytes_limit',
  'idempotency_key_invalid',
  'idempotency_key_expired',
  'idempotency_key_old',
  'idempotency_sessions',
  'not_taken',
]);
const OTHER = 'other';
const CLIENTS_FAULT: ReadonlySet<string> = new Set([
  'invalid_argument',
  'unauthenticated',
  'permission_denied',
  'resource_exhausted',
]);

/** Numbers of ended streams and refused requests for violations of the protocol or a limit, by tenant and reason. */
export class StreamViolations {
  readonly #counts: CountsByReason;

  constructor(clock: Pick<Clock, 'wallMs'>) {
    this.#counts = new CountsByReason(clock);
  }

  /**
   * Counts the error that ended a stream, if the client caused it. `tenant` is undefined before its key was accepted.
   */
  countError(tenant: string | undefined, error: unknown): void {
    if (!isTidemarkError(error) || !CLIENTS_FAULT.has(error.code)) return;
    const { reason } = error.detail;
    this.count(tenant, typeof reason === 'string' ? reason : error.code, error.message);
  }

  count(tenant: string | undefined, reason: string, example = ''): void {
    this.#counts.add(tenant ?? UNKNOWN_CALLER, REASONS.has(reason) ? reason : OTHER, 1, example);
  }

  /** Returns the counts of a tenant. The default tenant, the operator's, also sees those of unknown callers. */
  of(tenant: string): Record<string, number> {
    return this.#counts.of(...tenantsSeenBy(tenant));
  }

  /** Returns them with their examples. */
  listOf(tenant: string): RefusedData[] {
    return this.#counts.list('violation', ...tenantsSeenBy(tenant));
  }
}

/** Tenant of unknown callers. No tenant has this name, since names have at least one byte. */
const UNKNOWN_CALLER = '';

function tenantsSeenBy(tenant: string): readonly string[] {
  return tenant === DEFAULT_TENANT ? [tenant, UNKNOWN_CALLER] : [tenant];
}
