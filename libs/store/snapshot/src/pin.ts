import { ifStored, isTidemarkError, TidemarkError } from '@tidemark/ports';
import { encodePin, encodeRenewal, type PinDocument, type PinRenewal, parsePin, parseRenewal } from './pin-document.ts';
import { REVOKED } from './retry.ts';
import { documentKey, idOfKey, newRandomId, RANDOM_ID } from './snapshot-place.ts';
import type { SnapshotOptions, SnapshotStore } from './snapshot-store.ts';

/** How long a pin protects what it names after it was put or renewed, ms of the wall clock. */
export const PIN_MS = 24 * 3_600_000;
/** After this time a pin in use is renewed, ms. */
export const PIN_RENEW_MS = 3_600_000;

/** What protects a snapshot while it is used. */
export type HeldPin = Pick<Pin, 'keep' | 'check' | 'release'>;

/**
 * Keeps collections from deleting what an upload or a reader uses: the manifest and the files of a snapshot, and the files
 * that have its id. Put it first, and then check that the snapshot has no mark of removal.
 *
 * The pin itself never changes, because a list may miss an object that is replaced meanwhile. How long it holds is in an object
 * next to it, which is read by its key.
 */
export class Pin {
  readonly id: string;
  readonly #store: SnapshotStore;
  /** Of the renewal. */
  #version: string;
  #renewedMs: number;
  #renewing: Promise<void> | undefined;

  private constructor(store: SnapshotStore, id: string, version: string, renewedMs: number) {
    this.id = id;
    this.#store = store;
    this.#version = version;
    this.#renewedMs = renewedMs;
  }

  static async put(store: SnapshotStore, snapshot: string | undefined, { signal }: SnapshotOptions): Promise<Pin> {
    const id = newRandomId(store.random);
    const atMs = store.clock.monotonicMs();
    const options = { ifAbsent: true, signal };
    const { version } = await store.objects.put(keyOf(store, 'renewed', id), renewalOf(store, id), options);
    const content = encodePin({ id, ...(snapshot !== undefined && { snapshot }), by: store.user });
    await store.objects.put(keyOf(store, 'pins', id), content, options);
    return new Pin(store, id, version, atMs);
  }

  /** Renews it once in `PIN_RENEW_MS`. `aborted` where it was revoked. */
  async keep(options: SnapshotOptions): Promise<void> {
    if (this.#store.clock.monotonicMs() - this.#renewedMs < PIN_RENEW_MS) return;
    await this.renew(options);
  }

  /** Renews it. `aborted` where it was revoked. */
  renew(options: SnapshotOptions): Promise<void> {
    this.#renewing ??= this.#renew(options).finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  /** `aborted` where it was revoked. */
  async check(options: SnapshotOptions): Promise<void> {
    const found = await ifStored(this.#store.objects.head(this.#renewalKey, options));
    if (found?.version !== this.#version) throw this.#lost();
  }

  /** Deletes it. Where that fails, it expires. */
  async release(): Promise<void> {
    try {
      await this.#store.objects.delete([keyOf(this.#store, 'pins', this.id)]);
      await this.#store.objects.delete([this.#renewalKey]);
    } catch (error) {
      if (!(error instanceof TidemarkError)) throw error;
    }
  }

  get #renewalKey(): string {
    return keyOf(this.#store, 'renewed', this.id);
  }

  async #renew({ signal }: SnapshotOptions): Promise<void> {
    const atMs = this.#store.clock.monotonicMs();
    try {
      const content = renewalOf(this.#store, this.id);
      const { version } = await this.#store.objects.put(this.#renewalKey, content, {
        ifVersion: this.#version,
        signal,
      });
      this.#version = version;
      this.#renewedMs = atMs;
    } catch (error) {
      throw isTidemarkError(error, 'failed_precondition') ? this.#lost(error) : error;
    }
  }

  #lost(cause?: unknown): TidemarkError {
    const hours = PIN_MS / 3_600_000;
    const message = `object ${this.#renewalKey}: the pin was revoked ${hours} h after its last renewal; start again`;
    return new TidemarkError('aborted', message, { reason: REVOKED, key: this.#renewalKey }, { cause });
  }
}

export interface FoundPins {
  /** Pins that protect something. */
  readonly held: readonly PinDocument[];
  /** Pins that can't be read: what they protect is not known. */
  readonly unreadable: readonly { readonly key: string; readonly error: TidemarkError }[];
}

/**
 * Reads all pins. Revokes, and deletes, those that expired before `nowMs`: by the version of their renewal, so that one that is
 * renewed meanwhile stays. Errors: those of the store.
 */
export async function readPins(store: SnapshotStore, nowMs: number, options: SnapshotOptions): Promise<FoundPins> {
  const held: PinDocument[] = [];
  const unreadable: { key: string; error: TidemarkError }[] = [];
  // A crash may leave a renewal without its pin.
  for (const folder of ['pins', 'renewed'] as const) {
    for await (const { key } of store.objectsIn(folder, options)) {
      const id = idOfKey(key, RANDOM_ID);
      if (id === undefined) continue;
      try {
        if (!(await isHeld(store, id, nowMs, options)) || folder === 'renewed') continue;
        const stored = await ifStored(store.objects.get(key, options));
        if (stored !== undefined) held.push(parsePin(stored.bytes, key, id));
      } catch (error) {
        if (!isTidemarkError(error, 'data_loss')) throw error;
        unreadable.push({ key, error });
      }
    }
  }
  return { held, unreadable };
}

/** False for a pin that is released, or that was revoked: then it is deleted. */
async function isHeld(store: SnapshotStore, id: string, nowMs: number, options: SnapshotOptions): Promise<boolean> {
  const key = keyOf(store, 'renewed', id);
  for (;;) {
    const stored = await ifStored(store.objects.get(key, options));
    const renewal = stored && parseRenewal(stored.bytes, key, id);
    if (renewal !== undefined && !renewal.isRevoked && renewal.expiresMs >= nowMs) return true;
    try {
      if (stored !== undefined && renewal?.isRevoked === false) await revoke(store, key, renewal, stored, options);
      await store.objects.delete([keyOf(store, 'pins', id)], options);
      await store.objects.delete([key], options);
      return false;
    } catch (error) {
      // Renewed or released meanwhile.
      if (!isTidemarkError(error, 'failed_precondition')) throw error;
    }
  }
}

async function revoke(
  store: SnapshotStore,
  key: string,
  renewal: PinRenewal,
  { version }: { readonly version: string },
  { signal }: SnapshotOptions,
): Promise<void> {
  await store.objects.put(key, encodeRenewal({ ...renewal, isRevoked: true }), { ifVersion: version, signal });
}

function renewalOf(store: SnapshotStore, id: string): Uint8Array {
  return encodeRenewal({ id, expiresMs: Math.round(store.clock.wallMs()) + PIN_MS, isRevoked: false });
}

function keyOf(store: SnapshotStore, folder: 'pins' | 'renewed', id: string): string {
  return documentKey(store.place, folder, id);
}
