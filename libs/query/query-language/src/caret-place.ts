import { isTidemarkError } from '@tidemark/ports';
import { DEFAULT_QUERY_LIMITS } from './limits.ts';
import { parseTokens } from './parse.ts';
import type { Place } from './place.ts';
import { Scanner, type Token } from './scanner.ts';
import { TokenReader } from './token-reader.ts';
import { NO_VARIABLES } from './variables.ts';

/** What may stand at a caret, and the text that is there now. */
export interface CaretPlace {
  readonly place: Place;
  /** The text of the token up to the caret, without quotes. */
  readonly typed: string;
  /** Range of the whole token in code units, its quotes included; empty between tokens. */
  readonly from: number;
  readonly to: number;
  /** The metric whose tags may stand here: the last one before the caret; empty without one. */
  readonly metric: string;
}

/**
 * Finds what may stand at the caret (code units) by parsing the text before it; undefined after a mistake, and where only
 * an operator or a number may stand. Template variables count as mistakes. caret-place.test.ts covers it.
 */
export function caretPlace(text: string, caret: number): CaretPlace | undefined {
  const before = text.slice(0, caret);
  for (const closing of ['', '"', "'"]) {
    const found = placeAtEnd(before + closing, closing !== '');
    if (found === undefined) continue;
    const { token, place, metric } = found;
    const to = token.type === 'end' ? caret : Math.max(caret, endOf(text, token, place));
    return { place, typed: token.text, from: token.from, to, metric };
  }
  return undefined;
}

interface Found {
  readonly token: Token;
  readonly place: Place;
  readonly metric: string;
}

/** The place of the token that ends where the text ends; of one in quotes when the caller had to close them. */
function placeAtEnd(text: string, isQuoted: boolean): Found | undefined {
  let metric = '';
  let found: Found | undefined;
  const onPlace = (token: Token, place: Place): void => {
    const isOther = token.type === 'symbol' || token.type === 'number' || token.type === 'unknown';
    // A token's first place is the widest: an operand, before it proves to be a metric.
    if (token.to === text.length && !isOther && !(isQuoted && token.type === 'end')) {
      found ??= { token, place, metric };
    } else if (place.type === 'metric') metric = token.text;
  };
  try {
    parseTokens(new TokenReader(text, DEFAULT_QUERY_LIMITS, NO_VARIABLES, onPlace));
  } catch (error) {
    // Text that is being typed rarely parses to its end.
    if (!isTidemarkError(error, 'invalid_argument')) throw error;
  }
  return found;
}

/** The end of the token in the whole text, of which the parser saw only the part before the caret. */
function endOf(text: string, token: Token, place: Place): number {
  const scanner = new Scanner(text);
  scanner.take({ ...token, to: token.from });
  const isInScope = place.type === 'tag' || place.type === 'value' || place.type === 'key';
  try {
    return scanner.peek(isInScope ? 'scope' : 'expression').to;
  } catch (error) {
    if (!isTidemarkError(error, 'invalid_argument')) throw error;
    return token.from;
  }
}
