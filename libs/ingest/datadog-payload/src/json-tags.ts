import { isPresent } from './json-body.ts';
import type { SeriesDraft } from './series-draft.ts';

/** Reads the tags of a series in JSON; tests: `payload.test.ts`. */
export function readTags(tags: unknown, draft: SeriesDraft): void {
  if (!isPresent(tags)) return;
  // A string is refused too: whether 'a:b,c:d' is one tag or two is a guess.
  const list: readonly unknown[] = Array.isArray(tags) ? tags : [undefined];
  for (const tag of list) {
    if (typeof tag === 'string') draft.tag(tag);
    else draft.refuse('tags_invalid', 'tags', 'a list of strings');
  }
}

/** Reads a host or device, for which version 2 of the API has resources, as the tag `key:value`. */
export function readTag(key: 'host' | 'device', value: unknown, draft: SeriesDraft, field: string = key): void {
  if (!isPresent(value)) return;
  if (typeof value === 'string') draft.resource(key, value);
  else draft.refuse(`${key}_invalid`, field, 'a string');
}
