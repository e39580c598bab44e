import type { DescribedMetric } from '@tidemark/contract';
import { isSeriesClass, KIND, type KindName, kindName, meaningOf, SERIES_CLASS, shownKind } from '@tidemark/model';
import { printable } from '@tidemark/model/safe-text';
import { metadataOfMessage } from '@tidemark/store-rpc';

/** Kinds that a point is sent as; as a `reading` it states nothing of its metric. */
export type SentKind = Exclude<KindName, 'rate'>;

/** What the platform knows of a metric before a point is sent. */
export interface KnownKind {
  /** Undefined for a metric that nothing is known of. */
  readonly description?: DescribedMetric;
  /** Why it could not be looked up. */
  readonly problem?: string;
}

/**
 * The kind that a point is sent as: that of `--kind`, else what is known of the metric, else gauge. Readings that are a
 * gauge or a counter only by their name stay readings: one point must not decide it for all of the metric's history.
 */
export function kindToSend(asked: SentKind | undefined, { description }: KnownKind): SentKind {
  if (asked !== undefined) return asked;
  const [known] = statedKinds(description);
  if (known !== undefined) return known;
  return description?.classes.includes(SERIES_CLASS.reading) === true ? 'reading' : 'gauge';
}

/** What `tidemark send` says of the kind of its point; undefined when that is what was known. */
export function warningOf(metric: string, asked: SentKind | undefined, known: KnownKind): string | undefined {
  const name = printable(metric);
  if (asked === undefined) {
    if (known.problem === undefined) return undefined;
    const why = printable(known.problem);
    return `warning: the kind of ${name} could not be looked up (${why}): sent as a gauge; give --kind if it is another`;
  }
  const stated = statedKinds(known.description);
  if (stated.length === 0 || stated.includes(asked)) return undefined;
  const seen = `${name} is known as ${stated.join(' and ')}, and this point was sent as ${asked}`;
  return `warning: ${seen}: leave --kind out to send what is known, or correct the metric with tidemark metric set ${name} --kind`;
}

/** The kinds that are stated of a metric, by its classes, as they are sent: a rate is a count. */
function statedKinds(description: DescribedMetric | undefined): SentKind[] {
  if (description === undefined) return [];
  const { metric, classes, metadata } = description;
  const meaning = meaningOf(metric, metadataOfMessage(metadata));
  const isStated = meaning.kind !== undefined && meaning.kind.source !== 'name';
  // A user may state what a metric is before its first point.
  if (classes.length === 0 && isStated) return [sentAs(kindName(meaning.kind.value))];
  return classes
    .filter(isSeriesClass)
    .map((one) => shownKind(metric, one, meaning))
    .filter(({ source, value }) => source !== 'name' && value !== KIND.reading)
    .map(({ value }) => sentAs(kindName(value)));
}

function sentAs(kind: KindName): SentKind {
  return kind === 'rate' ? 'count' : kind;
}
