import type { PointSink } from './point-sink.ts';

/** Bytes of an entry in addition to its text. */
const ENTRY_BYTES = 64;

/** Series that a tenant's senders of JSON have sent, by their names, with the handles of one scope of the intake. */
export class KnownNames {
  readonly #limitBytes: number;
  readonly #handles = new Map<string, number>();
  #usedBytes = 0;

  /** Stores up to `limitBytes` of names. At the limit it is cleared and starts again. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Returns the handle of a series, from the sink if the series is new. */
  handle(sink: PointSink, name: Parameters<PointSink['series']>[0]): number {
    const key = keyOf(name);
    const known = this.#handles.get(key);
    if (known !== undefined) return known;
    const handle = sink.series(name);
    if (!sink.isRefused(handle)) this.#remember(key, handle);
    return handle;
  }

  clear(): void {
    this.#handles.clear();
    this.#usedBytes = 0;
  }

  #remember(key: string, handle: number): void {
    const bytes = key.length * 2 + ENTRY_BYTES;
    if (bytes > this.#limitBytes) return;
    if (this.#usedBytes + bytes > this.#limitBytes) this.clear();
    this.#handles.set(key, handle);
    this.#usedBytes += bytes;
  }
}

/** Builds a key that differs for different names, with any characters in them: the length precedes each text. */
function keyOf({ metric, kind, tags, intervalMs = 0 }: Parameters<PointSink['series']>[0]): string {
  let key = `${kind} ${intervalMs} ${metric.length}:${metric}`;
  for (const tag of tags) key += `${tag.length}:${tag}`;
  return key;
}
