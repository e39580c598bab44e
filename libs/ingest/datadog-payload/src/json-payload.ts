import { utf8Text } from '@tidemark/bytes';
import type { KnownSeries } from './known-series.ts';
import type { DatadogLimits } from './limits.ts';
import type { PointSink } from './point-sink.ts';
import { malformed, tooLarge, wrongBody } from './request-refusal.ts';
import { SeriesDraft } from './series-draft.ts';

/** Max characters of a wrong value in a message. */
const SHOWN_CHARS = 40;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Reads the JSON of `POST /api/v2/series`: `{"series": [{"metric", "type", "points": [{"timestamp", "value"}], "tags",
 * "resources": [{"type", "name"}], "interval"}]}`. Throws `invalid_argument` if the body as a whole has another form. A
 * wrong series or point is refused alone. With `known`, which has handles of the same sink, series that were sent
 * before are not named to the sink again.
 */
export function readJsonPayload(body: Buffer, sink: PointSink, limits: DatadogLimits, known?: KnownSeries): void {
  checkSize(body, limits);
  const payload = parse(body);
  if (!isObject(payload)) throw malformed('JSON', 'expected an object');
  const { series } = payload;
  if (!Array.isArray(series)) throw malformed('JSON', 'series: expected a list');
  const draft = new SeriesDraft(sink, limits, known?.names);
  for (const one of series) {
    draft.begin();
    readSeries(one, draft);
    draft.end();
  }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(utf8Text(body));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // The parser's message quotes text around the wrong character, and a body may be private.
    const [where] = /^Unexpected token '.+?'|^Unexpected end|at position \d+/.exec(error.message) ?? [''];
    throw wrongBody(JSON_LIMIT, body.length === 0 ? 'empty' : notJson(where));
  }
}

const JSON_LIMIT = 'JSON of a metric payload';

/** `not JSON at position 1`, or with the parser's word about the token, which is at most one character of the body. */
function notJson(where: string): string {
  if (where === '') return 'not JSON';
  return where.startsWith('at ') ? `not JSON ${where}` : `not JSON: ${where}`;
}

/** Checks nesting and number of values before they use memory. The parser checks whether the body is JSON. */
function checkSize(body: Buffer, limits: DatadogLimits): void {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < body.length; at++) {
    switch (body[at]) {
      case QUOTE:
        at = endOfText(body, at + 1);
        break;
      case OPEN_LIST:
      case OPEN_OBJECT:
        if (++depth > limits.jsonDepth) throw malformed('JSON', `nested more than ${limits.jsonDepth} levels deep`);
        values++;
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        depth--;
        break;
      case COMMA:
        values++;
        break;
      default:
    }
    if (values > limits.jsonValues) throw tooLarge('body', limits.jsonValues, 'too many values in one request');
  }
}

/** Returns the position of the closing quote of the text that begins at `from`, or the end of the body. */
function endOfText(body: Buffer, from: number): number {
  for (let at = from; at < body.length; at++) {
    if (body[at] === QUOTE) return at;
    if (body[at] === BACKSLASH) at++;
  }
  return body.length;
}

function readSeries(series: unknown, draft: SeriesDraft): void {
  if (!isObject(series)) {
    draft.refuse('series_invalid', 'series', 'an object');
    return;
  }
  const { metric, type, interval, tags, resources, points } = series;
  if (typeof metric === 'string') draft.metric = metric;
  else draft.refuse('metric_invalid', 'metric', 'a string');
  if (isPresent(type)) {
    draft.type = numberOf(type);
    if (Number.isNaN(draft.type)) draft.typeFound = JSON.stringify(type).slice(0, SHOWN_CHARS);
  }
  if (isPresent(interval)) draft.interval = numberOf(interval);
  if (isPresent(tags)) readTags(tags, draft);
  if (isPresent(resources)) readResources(resources, draft);
  if (Array.isArray(points)) for (const point of points) readPoint(point, draft);
  else draft.refuse('points_invalid', 'points', 'a list');
}

function readTags(tags: unknown, draft: SeriesDraft): void {
  for (const tag of listOf(tags)) {
    if (typeof tag === 'string') draft.tag(tag);
    else draft.refuse('tags_invalid', 'tags', 'a list of strings');
  }
}

function readResources(resources: unknown, draft: SeriesDraft): void {
  for (const resource of listOf(resources)) {
    const { type, name } = isObject(resource) ? resource : {};
    if (typeof type === 'string' && typeof name === 'string') draft.resource(type, name);
    else draft.refuse('resources_invalid', 'resources', 'a list of {type, name}');
  }
}

function readPoint(point: unknown, draft: SeriesDraft): void {
  if (isObject(point)) draft.point(numberOf(point.timestamp), numberOf(point.value));
  else draft.point(Number.NaN, Number.NaN);
}

/** Returns a value that is not a list as a list of one, so that the value itself is refused. */
function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** Returns false for absent and for null: clients write either for a field that they do not set. */
function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : Number.NaN;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
