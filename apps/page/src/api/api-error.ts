import { JsonReader } from './json-reader.ts';

/** Where a query's text is wrong. */
export interface SyntaxPlace {
  /** 1-based, in characters. */
  readonly column: number;
  readonly suggestion: string;
}

/**
 * A request that brought no answer. `away`: nobody answered, or a proxy said so; it is worth asking again. `denied`:
 * a key is missing or wrong. `refused`: the server understood and said no.
 */
export class ApiError extends Error {
  readonly kind: 'away' | 'denied' | 'refused';
  readonly place: SyntaxPlace | undefined;

  constructor(kind: ApiError['kind'], message: string, place?: SyntaxPlace) {
    super(message);
    this.name = 'ApiError';
    this.kind = kind;
    this.place = place;
  }
}

const AWAY = new Set([502, 503, 504]);
const DENIED = new Set([401, 403]);

/** The error of an HTTP status and its JSON body, which has Datadog's `errors` and the platform's `detail`. */
export function errorOfReply(status: number, json: unknown): ApiError {
  const reader = new JsonReader(json);
  const message =
    reader.texts('errors')[0] ??
    ([reader.text('message'), reader.text('error')].find((text) => text !== '') ||
      `the server answered HTTP ${status}`);
  const kind = AWAY.has(status) ? 'away' : DENIED.has(status) ? 'denied' : 'refused';
  const detail = reader.object('detail');
  // The column stands in the message, too, for clients that read only that.
  const column =
    detail.numberIfKnown('column') ??
    reader.numberIfKnown('column') ??
    Number(/\bcolumn (\d{1,6})\b/.exec(message)?.[1] ?? Number.NaN);
  if (!(column >= 1)) return new ApiError(kind, message);
  return new ApiError(kind, message, { column, suggestion: detail.text('suggestion') });
}
