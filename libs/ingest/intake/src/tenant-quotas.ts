import type { Rejection } from '@tidemark/contract';
import { TidemarkError } from '@tidemark/ports';

export interface TenantLimits {
  readonly streamsPerTenant: number;
  readonly definitionsPerTenant: number;
  readonly definitionBytesPerTenant: number;
}

interface Usage {
  streams: number;
  definitions: number;
  definitionBytes: number;
  /** Number of definitions refused above a limit. A refused definition also has a ref. */
  refused: number;
}

/** Memory of this intake that the open streams of each tenant use. A tenant without a stream is dropped. */
export class TenantQuotas {
  readonly #limits: TenantLimits;
  readonly #usages = new Map<string, Usage>();

  constructor(limits: TenantLimits) {
    this.#limits = limits;
  }

  /** Returns the quota of one more stream. Throws `resource_exhausted` when the tenant has its max number. */
  open(tenant: string): StreamQuota {
    const usage = this.#usages.get(tenant) ?? { streams: 0, definitions: 0, definitionBytes: 0, refused: 0 };
    const { streamsPerTenant } = this.#limits;
    if (usage.streams >= streamsPerTenant) {
      throw new TidemarkError(
        'resource_exhausted',
        `tenant ${tenant} has ${usage.streams} streams open (limit: intake.streamsPerTenant, ${streamsPerTenant}); use one client for each program, or raise the limit`,
        { reason: 'tenant_streams', field: 'stream', limit: `${streamsPerTenant} streams per tenant` },
      );
    }
    usage.streams++;
    this.#usages.set(tenant, usage);
    return new StreamQuota(tenant, usage, this.#limits, () => {
      if (usage.streams === 0) this.#usages.delete(tenant);
    });
  }
}

/** One stream's part of the quota of its tenant. */
export class StreamQuota {
  readonly #tenant: string;
  readonly #usage: Usage;
  readonly #limits: TenantLimits;
  readonly #onReleased: () => void;
  readonly #own: Usage = { streams: 1, definitions: 0, definitionBytes: 0, refused: 0 };
  /** One shared rejection per limit: a million of them must use little memory. */
  readonly #rejections = new Map<string, Rejection>();

  constructor(tenant: string, usage: Usage, limits: TenantLimits, onReleased: () => void) {
    this.#tenant = tenant;
    this.#usage = usage;
    this.#limits = limits;
    this.#onReleased = onReleased;
  }

  /**
   * Reserves one definition with `sizeBytes` of name and tags, or returns why it is refused. Throws
   * `resource_exhausted` once the tenant has as many refused definitions as it may define: a client that continues
   * would fill the memory with refused ones.
   */
  reserve(sizeBytes: number): Rejection | undefined {
    const rejection = this.offer(sizeBytes);
    if (rejection === undefined) return undefined;
    const { definitionsPerTenant } = this.#limits;
    const usage = this.#usage;
    if (usage.refused >= definitionsPerTenant) {
      throw new TidemarkError(
        'resource_exhausted',
        `tenant ${this.#tenant}: ${usage.refused} definitions refused (limit: intake.definitionsPerTenant, ${definitionsPerTenant}); find the tag with too many values, then connect again`,
        { reason: 'tenant_definitions', field: 'series', limit: `${definitionsPerTenant} series per tenant` },
      );
    }
    usage.refused++;
    this.#own.refused++;
    return rejection;
  }

  /** Reserves a definition, as `reserve`, of which nothing is kept when it is refused. */
  offer(sizeBytes: number): Rejection | undefined {
    const { definitionsPerTenant, definitionBytesPerTenant } = this.#limits;
    const usage = this.#usage;
    if (usage.definitions >= definitionsPerTenant) {
      return this.#rejection(`definitionsPerTenant, ${definitionsPerTenant} series`);
    }
    if (usage.definitionBytes + sizeBytes > definitionBytesPerTenant) {
      return this.#rejection(`definitionBytesPerTenant, ${definitionBytesPerTenant} bytes`);
    }
    for (const one of [usage, this.#own]) {
      one.definitions++;
      one.definitionBytes += sizeBytes;
    }
    return undefined;
  }

  /** Releases the memory of the stream. A second call has no effect. */
  release(): void {
    for (const field of ['streams', 'definitions', 'definitionBytes', 'refused'] as const) {
      this.#usage[field] -= this.#own[field];
      this.#own[field] = 0;
    }
    this.#onReleased();
  }

  #rejection(limit: string): Rejection {
    let rejection = this.#rejections.get(limit);
    if (rejection === undefined) {
      const message = `the open streams of tenant ${this.#tenant} have used up their definitions (limit: ${limit})`;
      rejection = { reason: 'tenant_definitions', field: 'series', limit, points: 0, message };
      this.#rejections.set(limit, rejection);
    }
    return rejection;
  }
}
