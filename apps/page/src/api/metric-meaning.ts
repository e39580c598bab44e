/** What is known of a metric. The unit is as stated, and the interval in seconds; empty where it is not known. */
export interface MeaningFields {
  readonly type: string;
  readonly unit: string;
  readonly description: string;
  readonly interval: string;
}

export type MeaningField = keyof MeaningFields;

/** Who states a field: `user`, `protocol`, or `name` where the name alone suggests the type; empty where it is not known. */
export type MeaningSources = Readonly<Record<MeaningField, string>>;

export interface MetricMeaning {
  readonly fields: MeaningFields;
  readonly sources: MeaningSources;
}

const MEANING_FIELDS: readonly MeaningField[] = ['type', 'unit', 'description', 'interval'];

/** The types that a user can state. */
export const STATED_TYPES = ['gauge', 'counter', 'count', 'rate'] as const;

/** Returns whether an answer shows the change: what is stated is the user's, and what is taken back is not. */
export function shows({ fields, sources }: MetricMeaning, change: Partial<MeaningFields>): boolean {
  return MEANING_FIELDS.every((field) => {
    const changed = change[field]?.trim();
    if (changed === undefined) return true;
    if (isNothing(field, changed)) return sources[field] !== 'user';
    const isSame = field === 'interval' ? Number(fields.interval) === Number(changed) : fields[field] === changed;
    return isSame && sources[field] === 'user';
  });
}

/** Returns the fields that differ from what is known, trimmed. */
export function changesOf({ fields }: MetricMeaning, edited: Partial<MeaningFields>): Partial<MeaningFields> {
  const changes = MEANING_FIELDS.flatMap((field) => {
    const text = edited[field]?.trim();
    return text === undefined || text === fields[field] ? [] : [[field, text]];
  });
  return Object.fromEntries(changes);
}

/** The body of `PUT /api/v1/metrics/{name}`: an empty text, or an interval of 0, takes back what the user stated. */
export function bodyOf({ type, unit, description, interval }: Partial<MeaningFields>): object {
  return { type, unit, description, statsd_interval: interval === undefined ? undefined : intervalOf(interval) };
}

/** A number where it is one; otherwise the text itself, which the server refuses with its limit. */
function intervalOf(text: string): number | string {
  const seconds = Number(text);
  return Number.isFinite(seconds) ? seconds : text;
}

function isNothing(field: MeaningField, text: string): boolean {
  return text === '' || (field === 'interval' && Number(text) === 0);
}
