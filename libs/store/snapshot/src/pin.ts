import { isTidemarkError, TidemarkError } from '@tidemark/ports';
import { encodePin, type PinDocument, parsePin } from './pin-document.ts';
import { documentKey, idOfKey, newRandomId, RANDOM_ID } from './snapshot-place.ts';
import { ifStored, type SnapshotOptions, type SnapshotStore } from './snapshot-store.ts';

/** How long a pin protects what it names after it was put or renewed, ms of the wall clock. */
export const PIN_MS = 24 * 3_600_000;
/** After this time a pin in use is renewed, ms. */
export const PIN_RENEW_MS = 3_600_000;

/**
 * Keeps collections from deleting what an upload or a reader uses: the manifest and the files of a snapshot, and the files
 * that have its id. Put it first, and then check that the snapshot has no mark of removal.
 */
export class Pin {
  readonly id: string;
  readonly #store: SnapshotStore;
  readonly #snapshot: string | undefined;
  #version: string;
  #renewedMs: number;
  #renewing: Promise<void> | undefined;

  private constructor(store: SnapshotStore, id: string, snapshot: string | undefined, version: string) {
    this.id = id;
    this.#store = store;
    this.#snapshot = snapshot;
    this.#version = version;
    this.#renewedMs = store.clock.monotonicMs();
  }

  static async put(store: SnapshotStore, snapshot: string | undefined, { signal }: SnapshotOptions): Promise<Pin> {
    const id = newRandomId(store.random);
    const { version } = await store.objects.put(keyOf(store, id), contentOf(store, id, snapshot), {
      ifAbsent: true,
      signal,
    });
    return new Pin(store, id, snapshot, version);
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
    const found = await ifStored(this.#store.objects.head(this.#key, options));
    if (found?.version !== this.#version) throw this.#lost();
  }

  /** Deletes it. Where that fails, it expires. */
  async release(): Promise<void> {
    try {
      await this.#store.objects.delete([this.#key]);
    } catch (error) {
      if (!(error instanceof TidemarkError)) throw error;
    }
  }

  get #key(): string {
    return keyOf(this.#store, this.id);
  }

  async #renew({ signal }: SnapshotOptions): Promise<void> {
    const atMs = this.#store.clock.monotonicMs();
    try {
      const content = contentOf(this.#store, this.id, this.#snapshot);
      const { version } = await this.#store.objects.put(this.#key, content, { ifVersion: this.#version, signal });
      this.#version = version;
      this.#renewedMs = atMs;
    } catch (error) {
      throw isTidemarkError(error, 'failed_precondition') ? this.#lost(error) : error;
    }
  }

  #lost(cause?: unknown): TidemarkError {
    const message = `object ${this.#key}: the pin was revoked ${PIN_MS / 3_600_000} h after its last renewal; start again`;
    return new TidemarkError('aborted', message, { key: this.#key }, { cause });
  }
}

export interface FoundPins {
  /** Pins that protect something. */
  readonly held: readonly PinDocument[];
  /** Pins that can't be read: what they protect is not known. */
  readonly unreadable: readonly { readonly key: string; readonly error: TidemarkError }[];
}

/**
 * Reads all pins. Revokes, and deletes, those that expired before `nowMs`: by their version, so that one that is renewed
 * meanwhile stays. Errors: those of the store.
 */
export async function readPins(store: SnapshotStore, nowMs: number, options: SnapshotOptions): Promise<FoundPins> {
  const held: PinDocument[] = [];
  const unreadable: { key: string; error: TidemarkError }[] = [];
  for await (const { key } of store.objectsIn('pins', options)) {
    const id = idOfKey(key, RANDOM_ID);
    if (id === undefined) continue;
    try {
      const pin = await heldPin(store, key, id, nowMs, options);
      if (pin !== undefined) held.push(pin);
    } catch (error) {
      if (!isTidemarkError(error, 'data_loss')) throw error;
      unreadable.push({ key, error });
    }
  }
  return { held, unreadable };
}

/** The pin at `key`; undefined where it is released, or was revoked. */
async function heldPin(
  store: SnapshotStore,
  key: string,
  id: string,
  nowMs: number,
  options: SnapshotOptions,
): Promise<PinDocument | undefined> {
  for (;;) {
    const stored = await ifStored(store.objects.get(key, options));
    if (stored === undefined) return undefined;
    const pin = parsePin(stored.bytes, key, id);
    if (!pin.isRevoked && pin.expiresMs >= nowMs) return pin;
    try {
      if (!pin.isRevoked) {
        const revoked = encodePin({ ...pin, isRevoked: true });
        await store.objects.put(key, revoked, { ...options, ifVersion: stored.version });
      }
      await store.objects.delete([key], options);
      return undefined;
    } catch (error) {
      // Renewed or released meanwhile.
      if (!isTidemarkError(error, 'failed_precondition')) throw error;
    }
  }
}

function contentOf(store: SnapshotStore, id: string, snapshot: string | undefined): Uint8Array {
  const expiresMs = Math.round(store.clock.wallMs()) + PIN_MS;
  const named = snapshot === undefined ? {} : { snapshot };
  return encodePin({ id, ...named, by: store.user, expiresMs, isRevoked: false });
}

function keyOf(store: SnapshotStore, id: string): string {
  return documentKey(store.place, 'pins', id);
}
