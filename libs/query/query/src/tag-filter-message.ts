import { TagFilter as TagFilterMessage } from '@tidemark/contract';
import { unreachable } from '@tidemark/ports';
import type { TagFilter } from '@tidemark/query-language';

/** Converts a filter to the message of the tag store's contract; the filter `*` is the message with no field set. */
export function tagFilterMessage(filter: TagFilter): TagFilterMessage {
  return TagFilterMessage.create({ filter: caseOf(filter) });
}

function caseOf(filter: TagFilter): TagFilterMessage['filter'] {
  switch (filter.type) {
    case 'all':
      return undefined;
    case 'tag':
      return { $case: 'tag', value: filter.tag };
    case 'pattern':
      return { $case: 'pattern', value: { key: filter.key, pattern: filter.pattern } };
    case 'in':
      return { $case: 'in', value: { key: filter.key, values: [...filter.values] } };
    case 'not':
      return { $case: 'not', value: tagFilterMessage(filter.filter) };
    case 'and':
      return { $case: 'and', value: { filters: filter.filters.map(tagFilterMessage) } };
    case 'or':
      return { $case: 'or', value: { filters: filter.filters.map(tagFilterMessage) } };
    default:
      return unreachable(filter);
  }
}
