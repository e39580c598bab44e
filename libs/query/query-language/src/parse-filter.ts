import type { TagFilter } from './ast.ts';
import type { Token } from './scanner.ts';
import type { TokenReader } from './token-reader.ts';
import { isKeyword } from './words.ts';

const A_TAG = 'a tag, "*", "!", NOT or "("';

/**
 * Parses the filter between the braces, and the closing brace:
 *
 *     scope   = or { "," or }              a comma is an AND that binds loosest
 *     or      = and { "OR" and }
 *     and     = not { "AND" not }
 *     not     = ( "!" | "NOT" ) not | primary
 *     primary = "(" or ")" | tag | key [ "NOT" ] "IN" "(" value { "," value } ")"
 */
export function parseScope(reader: TokenReader): TagFilter {
  const filters = [parseOr(reader)];
  while (reader.takeSymbol('scope', ',')) filters.push(parseOr(reader));
  reader.expectSymbol('scope', '}', '",", AND, OR or "}"');
  return join('and', filters);
}

function parseOr(reader: TokenReader): TagFilter {
  const filters = [parseAnd(reader)];
  while (takeKeyword(reader, 'or')) filters.push(parseAnd(reader));
  return join('or', filters);
}

function parseAnd(reader: TokenReader): TagFilter {
  const filters = [parseNot(reader)];
  while (takeKeyword(reader, 'and')) filters.push(parseNot(reader));
  return join('and', filters);
}

function parseNot(reader: TokenReader): TagFilter {
  const token = reader.peek('scope');
  if (reader.takeSymbol('scope', '!') || takeKeyword(reader, 'not')) {
    return { type: 'not', filter: reader.nested(token, () => parseNot(reader)) };
  }
  if (reader.takeSymbol('scope', '(')) {
    const filter = reader.nested(token, () => parseOr(reader));
    reader.expectSymbol('scope', ')', 'AND, OR or ")"');
    return filter;
  }
  return parsePrimary(reader, token);
}

function parsePrimary(reader: TokenReader, word: Token): TagFilter {
  reader.at(word, { type: 'tag' });
  if (word.type !== 'word' || isBareKeyword(word)) throw reader.unexpected(word, A_TAG);
  reader.take(word);
  if (takeKeyword(reader, 'in')) return parseIn(reader, word);
  const next = reader.peek('scope');
  if (takeKeyword(reader, 'not')) {
    if (!takeKeyword(reader, 'in')) throw reader.unexpected(next, '",", AND, OR, IN, NOT IN or a closing bracket');
    return { type: 'not', filter: parseIn(reader, word) };
  }
  return join(
    'or',
    reader.alternativesOf(word).map((one) => tagOf(reader, one)),
  );
}

function parseIn(reader: TokenReader, word: Token): TagFilter {
  if (word.alternatives !== undefined || word.wildcard >= 0 || word.text.includes(':') || word.text === '') {
    throw reader.unexpected(word, 'one tag key before IN, without ":" or "*"');
  }
  reader.expectSymbol('scope', '(', '"(" and the values');
  const values = new Set<string>();
  do {
    const token = reader.peek('scope');
    reader.at(token, { type: 'value', key: word.text });
    for (const value of reader.alternativesOf(token)) {
      if (value.type !== 'word' || value.wildcard >= 0 || value.text === '') {
        throw reader.unexpected(value, 'a tag value without wildcards');
      }
      values.add(value.text);
    }
    reader.take(token);
  } while (reader.takeSymbol('scope', ','));
  reader.expectSymbol('scope', ')', '"," or ")"');
  return { type: 'in', key: word.text, values: [...values] };
}

function tagOf(reader: TokenReader, word: Token): TagFilter {
  if (word.wildcard < 0) {
    if (word.text === '') throw reader.error(word, 'an empty tag', A_TAG);
    return { type: 'tag', tag: word.text };
  }
  if (word.text === '*') return { type: 'all' };
  const colon = word.text.indexOf(':');
  if (colon < 1 || word.wildcard < colon) throw reader.unexpected(word, 'wildcards only in the value of a key:value');
  if (word.literalStar) throw reader.unexpected(word, 'either wildcards or a quoted "*", not both in one tag');
  return { type: 'pattern', key: word.text.slice(0, colon), pattern: word.text.slice(colon + 1) };
}

/** Parses the tag keys after `by`, each once, and the closing brace. */
export function parseGroupBy(reader: TokenReader): string[] {
  const keys = new Set<string>();
  do {
    const token = reader.peek('scope');
    reader.at(token, { type: 'key' });
    for (const key of reader.alternativesOf(token)) {
      if (key.type !== 'word' || key.wildcard >= 0 || key.text === '' || key.text.includes(':')) {
        throw reader.unexpected(key, 'a tag key, without ":" or "*"');
      }
      keys.add(key.text);
    }
    reader.take(token);
  } while (reader.takeSymbol('scope', ','));
  reader.expectSymbol('scope', '}', '"," or "}"');
  return [...keys];
}

function takeKeyword(reader: TokenReader, keyword: string): boolean {
  const token = reader.peek('scope');
  if (token.type !== 'word' || token.quoted || token.text.toLowerCase() !== keyword) return false;
  reader.take(token);
  return true;
}

function isBareKeyword(token: Token): boolean {
  return !token.quoted && isKeyword(token.text);
}

/** Returns one filter as it is, and joins several; joined filters of the same type are flattened. */
function join(type: 'and' | 'or', filters: readonly TagFilter[]): TagFilter {
  if (filters.length === 1) return filters[0];
  return { type, filters: filters.flatMap((filter) => (filter.type === type ? filter.filters : [filter])) };
}
