import type { PointSink } from './point-sink.ts';

/** What an entry takes beside its text, bytes. */
const ENTRY_BYTES = 64;

/** The series that a tenant's senders of JSON have sent, by their texts, with the handles of one scope of the intake. */
export class KnownNames {
  readonly #limitBytes: number;
  readonly #handles = new Map<string, number>();
  #usedBytes = 0;

  /** Remembers up to `limitBytes` of names; then it starts over. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** The handle of a series, from the sink where it is new. */
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

/** Unequal for unequal names, whatever characters they have: each text stands behind its length. */
function keyOf({ metric, kind, tags }: Parameters<PointSink['series']>[0]): string {
  let key = `${kind} ${metric.length}:${metric}`;
  for (const tag of tags) key += `${tag.length}:${tag}`;
  return key;
}
