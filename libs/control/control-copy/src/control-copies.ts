import { toHex } from '@tidemark/bytes';
import {
  asTidemarkError,
  isTidemarkError,
  listedObjects,
  type ObjectStore,
  type Random,
  TidemarkError,
} from '@tidemark/ports';
import { decodeControlCopy, type EncodedCopy, type WholeCopy } from './control-copy.ts';

const PREFIX = 'control/';
/** `control/LOG/OFFSET-TIME-RANDOM.copy`: the id of the log in hex, an offset of `control`, ms since the Unix epoch. */
const KEY = /^control\/(?<log>[0-9a-f]{32})\/(?<offset>\d{16})-(?<time>\d{16})-[0-9a-f]{16}\.copy$/;
const DIGITS = 16;
/** The last time that a date can have. */
const MOST_MS = 8.64e15;
const RANDOM_BYTES = 8;
/** Copies of a log that are kept. */
const KEPT = 16;

interface Options {
  readonly signal?: AbortSignal | undefined;
}

/** A copy in a list. */
export interface FoundCopy {
  /** Id of the log's partition `control/0`, in hex. */
  readonly logId: string;
  readonly offset: number;
  readonly createdMs: number;
  readonly key: string;
}

/** Copies of `control` in an object store, of one or several logs. Errors of all methods: those of the store. */
export class ControlCopies {
  readonly #objects: ObjectStore;

  constructor(objects: ObjectStore) {
    this.#objects = objects;
  }

  /** Puts a copy, and removes the oldest ones of the same log. */
  async put({ logId, offset, createdMs, bytes }: EncodedCopy, random: Random, { signal }: Options = {}): Promise<void> {
    const numbers = [offset, createdMs].map((number) => String(number).padStart(DIGITS, '0'));
    const name = [...numbers, toHex(random.bytes(RANDOM_BYTES))].join('-');
    const options = signal === undefined ? {} : { signal };
    await this.#objects.put(`${PREFIX}${logId}/${name}.copy`, bytes, { ifAbsent: true, ...options });
    const own = await this.#listed(`${PREFIX}${logId}/`, { signal });
    const old = own.slice(KEPT).map(({ key }) => key);
    if (old.length > 0) await this.#objects.delete(old, options);
  }

  /** All copies, the newest of each log first. */
  list(options: Options = {}): Promise<FoundCopy[]> {
    return this.#listed(PREFIX, options);
  }

  async #listed(prefix: string, { signal }: Options): Promise<FoundCopy[]> {
    const found: FoundCopy[] = [];
    for await (const { key } of listedObjects(this.#objects, prefix, { signal })) {
      const { log, offset, time } = KEY.exec(key)?.groups ?? {};
      if (log === undefined || Number(time) > MOST_MS) continue;
      found.push({ logId: log, offset: Number(offset), createdMs: Number(time), key });
    }
    return found.sort((a, b) => b.offset - a.offset || b.createdMs - a.createdMs || (a.key < b.key ? 1 : -1));
  }

  /**
   * Reads the newest whole one of `copies`, which are sorted like a list; `passed` says why newer ones were passed over.
   * Error: `data_loss` when none is whole.
   */
  async newest(
    copies: readonly FoundCopy[],
    { signal }: Options = {},
  ): Promise<FoundCopy & { readonly copy: WholeCopy; readonly passed: readonly TidemarkError[] }> {
    const passed: TidemarkError[] = [];
    for (const found of copies) {
      try {
        const { bytes } = await this.#objects.get(found.key, { ...(signal && { signal }) });
        return { ...found, copy: decodeControlCopy(bytes, found.key), passed };
      } catch (error) {
        if (!isTidemarkError(error, 'data_loss') && !isTidemarkError(error, 'not_found')) throw error;
        passed.push(asTidemarkError(error));
      }
    }
    const [first] = passed;
    throw new TidemarkError(
      'data_loss',
      `no copy of control can be read: ${first?.message ?? 'there is none'}. Bring one back from a copy of the object store, or an older version in the bucket`,
    );
  }
}
