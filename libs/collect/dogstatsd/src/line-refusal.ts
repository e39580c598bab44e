/** Reasons why a line, or a value of it, was dropped. Metrics and documentation use these names. */
export const REFUSALS = [
  'line_malformed',
  'type_unknown',
  'value_empty',
  'value_invalid',
  'value_nan',
  'value_infinite',
  'values_per_line_limit',
  'sample_rate_invalid',
  'timestamp_invalid',
  'timestamp_type_unsupported',
  'metric_empty',
  'metric_too_long',
  'metric_not_utf8',
  'metric_control_character',
  'tag_too_long',
  'tag_not_utf8',
  'series_too_long',
  'too_many_tags',
  'event_malformed',
  'service_check_malformed',
  'field_invalid',
  'series_limit',
  'set_members_limit',
  'set_member_bytes_limit',
  'sketches_limit',
  'datagram_bytes_limit',
  'line_bytes_limit',
  'connections_limit',
] as const;

export type Refusal = (typeof REFUSALS)[number];

const KNOWN: ReadonlySet<string> = new Set(REFUSALS);

export function isRefusal(reason: unknown): reason is Refusal {
  return typeof reason === 'string' && KNOWN.has(reason);
}

/** Bytes of an offending line that are kept, so that an operator can find its sender. */
const EXCERPT_BYTES = 120;

/** Counts dropped lines and values by reason, and keeps a recent offending line of each reason. */
export class RefusalCounts {
  readonly #counts = new Map<Refusal, number>();
  readonly #examples = new Map<Refusal, string>();

  /** Counts a refusal of some values. `bytes[from, to)` is the line, for the example. */
  add(reason: Refusal, bytes?: Uint8Array, from = 0, to = bytes?.length ?? 0, values = 1): void {
    const count = this.#counts.get(reason) ?? 0;
    this.#counts.set(reason, count + values);
    // Decoding a line costs more than parsing it: the first is kept, then one of every 1,024.
    if (bytes === undefined || (count !== 0 && count >> 10 === (count + values) >> 10)) return;
    const end = Math.min(to, from + EXCERPT_BYTES);
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, end - from).toString('utf8');
    this.#examples.set(reason, end < to ? `${text}…` : text);
  }

  /** Counts a refusal of a value of `metric`, whose line is gone. */
  addIn(reason: Refusal, metric: string): void {
    this.add(reason);
    if (!this.#examples.has(reason)) this.#examples.set(reason, `in ${metric}`);
  }

  total(): number {
    let total = 0;
    for (const count of this.#counts.values()) total += count;
    return total;
  }

  byReason(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  /** Returns an offending line for each reason, cut to its first bytes. */
  examples(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#examples);
  }
}
