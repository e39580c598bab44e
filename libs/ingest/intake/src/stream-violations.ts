import { DEFAULT_TENANT } from '@tidemark/access';
import { isTidemarkError } from '@tidemark/ports';

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
  readonly #byTenant = new Map<string, Map<string, number>>();

  /**
   * Counts the error that ended a stream, if the client caused it. `tenant` is undefined before its key was accepted.
   */
  countError(tenant: string | undefined, error: unknown): void {
    if (!isTidemarkError(error) || !CLIENTS_FAULT.has(error.code)) return;
    const { reason } = error.detail;
    this.count(tenant, typeof reason === 'string' ? reason : error.code);
  }

  count(tenant: string | undefined, reason: string): void {
    const key = tenant ?? UNKNOWN_CALLER;
    const known = REASONS.has(reason) ? reason : OTHER;
    let counts = this.#byTenant.get(key);
    if (counts === undefined) {
      counts = new Map();
      this.#byTenant.set(key, counts);
    }
    counts.set(known, (counts.get(known) ?? 0) + 1);
  }

  /** Returns the counts of a tenant. The default tenant, the operator's, also sees those of unknown callers. */
  of(tenant: string): Record<string, number> {
    const counts = new Map(this.#byTenant.get(tenant));
    if (tenant === DEFAULT_TENANT) {
      for (const [reason, count] of this.#byTenant.get(UNKNOWN_CALLER) ?? []) {
        counts.set(reason, (counts.get(reason) ?? 0) + count);
      }
    }
    return Object.fromEntries(counts);
  }
}

/** Tenant of unknown callers. No tenant has this name, since names have at least one byte. */
const UNKNOWN_CALLER = '';
