import { TagFilter as TagFilterMessage } from '@tidemark/contract';
import { unreachable } from '@tidemark/ports';
import { lackedKey, NO_VALUE, type TagFilter } from '@tidemark/query-language';

/** Converts a filter to the message of the tag store's contract; the filter `*` is the message with no field set. */
export function tagFilterMessage(filter: TagFilter): TagFilterMessage {
  return TagFilterMessage.create({ filter: caseOf(filter) });
}

function caseOf(filter: TagFilter): TagFilterMessage['filter'] {
  switch (filter.type) {
    case 'all':
      return undefined;
    case 'tag':
      return tagCase(filter.tag);
    case 'pattern':
      return { $case: 'pattern', value: { key: filter.key, pattern: filter.pattern } };
    case 'in': {
      const { key, values } = filter;
      const listed: TagFilterMessage['filter'] = { $case: 'in', value: { key, values: [...values] } };
      return values.includes(NO_VALUE) ? either(listed, withoutKey(key)) : listed;
    }
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

function tagCase(tag: string): TagFilterMessage['filter'] {
  const key = lackedKey(tag);
  const tagged: TagFilterMessage['filter'] = { $case: 'tag', value: tag };
  return key === undefined ? tagged : either(tagged, withoutKey(key));
}

/** Selects the series of the group `key:N/A`, apart from those with that tag. */
function withoutKey(key: string): TagFilterMessage['filter'] {
  const any: TagFilterMessage['filter'] = { $case: 'pattern', value: { key, pattern: '*' } };
  return { $case: 'not', value: TagFilterMessage.create({ filter: any }) };
}

function either(...filters: readonly TagFilterMessage['filter'][]): TagFilterMessage['filter'] {
  return { $case: 'or', value: { filters: filters.map((filter) => TagFilterMessage.create({ filter })) } };
}
