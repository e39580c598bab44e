import { type Clock, type Random, TidemarkError } from '@tidemark/ports';
import { SpareParts } from './gathered-batch.ts';
import { IntakeRequest, type PendingBytes } from './intake-request.ts';
import type { IntakeSession } from './intake-session.ts';
import { PointSorter } from './point-sorter.ts';
import { DEFAULT_REQUEST_LIMITS, type RequestLimits } from './request-limits.ts';
import { RequestScope } from './request-scope.ts';

export interface RequestIntakeOptions {
  /** The session that takes points now; it changes when one is fenced and another starts. */
  readonly session: () => IntakeSession | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** Bounds that differ from the defaults. */
  readonly limits?: Partial<RequestLimits>;
}

const LOOK_MS = 60_000;

/**
 * The way in for protocols whose senders have no session: requests of a tenant, each answered when its points are
 * durable. Points of requests that come together go out together, as one batch.
 */
export class RequestIntake {
  readonly #options: RequestIntakeOptions;
  readonly #limits: RequestLimits;
  readonly #scopes = new Map<string, RequestScope>();
  readonly #sorter = new PointSorter();
  readonly #spares = new SpareParts();
  readonly #pending: PendingBytes = { all: 0, byTenant: new Map() };
  #lookedMs = 0;

  constructor(options: RequestIntakeOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_REQUEST_LIMITS, ...options.limits };
  }

  /** Bytes of points that wait for an answer. */
  get pendingBytes(): number {
    return this.#pending.all;
  }

  /**
   * A request of an authenticated tenant; call when it was read. Throws `unavailable` while no session takes points,
   * `resource_exhausted` when the tenant has as many streams open as it may.
   */
  open(tenant: string): IntakeRequest {
    const session = this.#options.session();
    if (session?.isAccepting !== true) {
      const why = session?.problem ?? 'the intake is not ready';
      throw new TidemarkError('unavailable', why, { reason: 'intake_not_accepting', field: 'intake' });
    }
    this.#forgetIdle(session);
    return new IntakeRequest(this.#scopeOf(tenant, session), this.#limits, this.#pending);
  }

  /** Counts a request that is refused as a whole, if it was its sender's doing; no tenant before its key was accepted. */
  countError(tenant: string | undefined, error: unknown): void {
    this.#options.session()?.violations.countError(tenant, error);
  }

  #scopeOf(tenant: string, session: IntakeSession): RequestScope {
    const { clock, random } = this.#options;
    const known = this.#scopes.get(tenant);
    if (known?.isCurrent(session) === true) {
      known.usedMs = clock.monotonicMs();
      return known;
    }
    this.#scopes.delete(tenant);
    known?.leave();
    const own = { limits: this.#limits, sorter: this.#sorter, spares: this.#spares };
    const scope = new RequestScope({ session, tenant, clock, random, ...own });
    this.#scopes.set(tenant, scope);
    return scope;
  }

  #forgetIdle(session: IntakeSession): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#lookedMs < LOOK_MS) return;
    this.#lookedMs = nowMs;
    for (const [tenant, scope] of this.#scopes) {
      if (scope.isCurrent(session) && nowMs - scope.usedMs < this.#limits.idleMs) continue;
      this.#scopes.delete(tenant);
      scope.leave();
    }
  }
}
