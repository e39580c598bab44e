import { JsonReader } from './json-reader.ts';

/** Position of an error in a query's text. */
export interface SyntaxPlace {
  /** 1-based, in characters. */
  readonly column: number;
  readonly suggestion: string;
}

/**
 * A failed request. `away`: the server or a proxy before it did not answer, and a retry may succeed. `denied`: the key
 * is missing or wrong. `refused`: the server rejected the request.
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

/** Makes the error of an HTTP status and its JSON body, which has Datadog's `errors` and the platform's `detail`. */
export function errorOfReply(status: number, json: unknown): ApiError {
  const reader = new JsonReader(json);
  const message =
    reader.texts('errors')[0] ??
    ([reader.text('message'), reader.text('error')].find((text) => text !== '') ||
      `the server answered HTTP ${status}`);
  const kind = AWAY.has(status) ? 'away' : DENIED.has(status) ? 'denied' : 'refused';
  const detail = reader.object('detail');
  // The message has the column too, for clients that read only the message.
  const column =
    detail.numberIfKnown('column') ??
    reader.numberIfKnown('column') ??
    Number(/\bcolumn (\d{1,6})\b/.exec(message)?.[1] ?? Number.NaN);
  if (!(column >= 1)) return new ApiError(kind, message);
  return new ApiError(kind, message, { column, suggestion: detail.text('suggestion') });
}
