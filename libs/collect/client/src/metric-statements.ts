import { cutTexts, KIND, type MetricStatement, SERIES_CLASS, type STATEMENT_LIMITS, seriesName } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { checkInterval, describe, refused } from './check-arguments.ts';

/** What a program says of a metric, apart from its points. An absent field says nothing. */
export interface MetricDescription {
  /**
   * What its values mean: `gauge` or `counter` of handles of the kind `reading`; `rate` of counts that are shown per
   * second. The calls `gauge` and `counter` imply it by themselves, which is weaker.
   */
  readonly kind?: 'gauge' | 'counter' | 'count' | 'rate';
  /** Such as `byte` or `seconds`; at most 100 characters, longer ones are cut. */
  readonly unit?: string;
  /** At most 1,000 characters; longer ones are cut. */
  readonly description?: string;
  /**
   * How far apart its points are meant to be, ms, at most 31 days: for gauges and counters, which the program records at
   * its own pace. Points of counts and distributions stand for the flush interval.
   */
  readonly intervalMs?: number;
}

/** Metrics that one client describes. */
const MAX_METRICS = 10_000;
/** The platform knows the tenant; names are checked as if it were short. */
const ANY_TENANT = 'x';

/** What the program says of metrics. client.test.ts and hostile-arguments.test.ts cover it. */
export class MetricStatements {
  /** The metrics in the order of their last changes, each with the number of that change. */
  readonly #metrics = new Map<string, { readonly statement: MetricStatement; readonly change: number }>();
  #changes = 0;

  /** Changes so far; equal ones say nothing new. */
  get changes(): number {
    return this.#changes;
  }

  /**
   * Takes over what is said of a metric; fields that are absent stay. Errors: `invalid_argument` (a part is of a wrong
   * type or breaks a limit), `resource_exhausted` (too many metrics), and those that code of the arguments throws.
   */
  describe(metric: unknown, given: unknown): void {
    if (typeof metric !== 'string') throw refused('metric_type', 'metric', 'a string', describe(metric));
    seriesName(ANY_TENANT, metric, SERIES_CLASS.reading, []);
    const fresh = statementOf(given);
    const known = this.#metrics.get(metric)?.statement;
    const isNew = (Object.keys(fresh) as (keyof MetricStatement)[]).some((field) => fresh[field] !== known?.[field]);
    if (!isNew) return;
    if (known === undefined && this.#metrics.size >= MAX_METRICS) {
      const detail = { reason: 'too_many_described', field: 'metric', limit: MAX_METRICS };
      const message = `more than ${MAX_METRICS} metrics are described; ${metric} is not`;
      throw new TidemarkError('resource_exhausted', message, detail);
    }
    this.#metrics.delete(metric);
    this.#metrics.set(metric, { statement: { ...known, ...fresh }, change: ++this.#changes });
  }

  /** The metrics whose last change is above `change`, in the order of these changes. */
  *since(change: number): Generator<StatedChange> {
    for (const [metric, one] of this.#metrics) if (one.change > change) yield { metric, ...one };
  }
}

/** What is said of a metric since its last change. */
export interface StatedChange {
  readonly metric: string;
  readonly statement: MetricStatement;
  /** Number of the change. */
  readonly change: number;
}

/** The fields that are given, each read once. */
function statementOf(given: unknown): MetricStatement {
  if (typeof given !== 'object' || given === null) {
    throw refused('description_type', 'description', 'an object', describe(given));
  }
  const { kind, unit, description, intervalMs } = given as Readonly<Record<string, unknown>>;
  const all = { ...cutTexts({ unit: textOf('unit', unit), description: textOf('description', description) }) };
  const statement = { ...all, kind: kindOf(kind), intervalMs: checkInterval(intervalMs) };
  return Object.fromEntries(Object.entries(statement).filter(([, value]) => value !== undefined));
}

function textOf(field: keyof typeof STATEMENT_LIMITS, text: unknown): string | undefined {
  if (text === undefined) return undefined;
  if (typeof text === 'string' && text !== '') return text;
  throw refused(`${field}_type`, field, 'a text that is not empty', describe(text));
}

function kindOf(kind: unknown): MetricStatement['kind'] {
  switch (kind) {
    case undefined:
      return undefined;
    case 'gauge':
    case 'counter':
    case 'count':
    case 'rate':
      return KIND[kind];
    default:
      throw refused('kind_unknown', 'kind', 'gauge, counter, count or rate', describe(kind));
  }
}
