import { TidemarkError } from '@tidemark/ports';
import { nearest } from './functions.ts';
import type { QueryLimits } from './limits.ts';
import type { OnPlace, Place } from './place.ts';
import { type ScanMode, Scanner, type Token } from './scanner.ts';
import { missingFunction, syntaxError } from './syntax-error.ts';
import { NO_VARIABLES, type Variables } from './variables.ts';

const LONGEST_SHOWN = 40;
/** Values of variables with several, in all scopes of a query. */
const MAX_ALTERNATIVES = 1000;

/** Functions that every part of the parser uses: expecting tokens, choosing from names, checking limits. */
export class TokenReader {
  readonly limits: QueryLimits;
  readonly #scanner: Scanner;
  readonly #onPlace: OnPlace | undefined;
  #depth = 0;
  #leaves = 0;
  #alternatives = 0;

  constructor(query: string, limits: QueryLimits, variables: Variables = NO_VARIABLES, onPlace?: OnPlace) {
    if (query.length > limits.queryLength) {
      throw new TidemarkError(
        'invalid_argument',
        `query of ${query.length} characters (limit: ${limits.queryLength} characters)`,
        { field: 'query', limit: limits.queryLength },
      );
    }
    this.limits = limits;
    this.#scanner = new Scanner(query, variables);
    this.#onPlace = onPlace;
  }

  get leaves(): number {
    return this.#leaves;
  }

  peek(mode: ScanMode): Token {
    return this.#scanner.peek(mode);
  }

  take(token: Token): void {
    this.#scanner.take(token);
  }

  /** Reports what may be in place of `token`, for completion; called before the token is judged. */
  at(token: Token, place: Place): void {
    this.#onPlace?.(token, place);
  }

  /** Takes the next token if it is this symbol. */
  takeSymbol(mode: ScanMode, symbol: string): boolean {
    const token = this.peek(mode);
    if (token.type !== 'symbol' || token.text !== symbol) return false;
    this.take(token);
    return true;
  }

  expectSymbol(mode: ScanMode, symbol: string, expected = `"${symbol}"`): void {
    if (!this.takeSymbol(mode, symbol)) throw this.unexpected(this.peek(mode), expected);
  }

  /** Reads one of `choices`, as a name or in quotes. */
  expectChoice<T extends string>(what: string, choices: readonly T[], type: 'choice' | 'suffix' = 'choice'): T {
    const token = this.peek('expression');
    this.at(token, { type, choices });
    const found =
      token.type === 'name' || token.type === 'string' ? choices.find((one) => one === token.text) : undefined;
    if (found === undefined) throw this.unknownName(token, `${what} (${choices.join(', ')})`, choices);
    this.take(token);
    return found;
  }

  /** Reads a number with an optional sign. */
  expectNumber(what: string): number {
    const first = this.peek('expression');
    const negative = this.takeSymbol('expression', '-');
    const token = this.peek('expression');
    const value = Number(token.text);
    if (token.type !== 'number' || !Number.isFinite(value)) throw this.unexpected(negative ? token : first, what);
    this.take(token);
    return negative && value !== 0 ? -value : value;
  }

  /** A text in quotes, or a plain name. */
  expectText(what: string, isValid: (text: string) => boolean): string {
    const token = this.peek('expression');
    const isText = token.type === 'string' || token.type === 'name';
    if (!isText || !isValid(token.text)) throw this.unexpected(token, what);
    this.take(token);
    return token.text;
  }

  expectInteger(what: string, min: number, max: number): number {
    const token = this.peek('expression');
    const expected = `${what} (a whole number from ${min} to ${max})`;
    const value = this.expectNumber(expected);
    if (!Number.isInteger(value) || value < min || value > max) throw this.error(token, String(value), expected);
    return value;
  }

  /** Runs `parse` one level deeper. */
  nested<T>(token: Token, parse: () => T): T {
    if (this.#depth >= this.limits.depth) {
      throw this.error(token, 'one more level of nesting', `at most ${this.limits.depth} levels`);
    }
    this.#depth++;
    const parsed = parse();
    this.#depth--;
    return parsed;
  }

  countLeaf(token: Token): void {
    this.#leaves++;
    if (this.#leaves > this.limits.leaves) {
      throw this.error(token, 'one more query or constant', `at most ${this.limits.leaves} in all`);
    }
  }

  /** The word with each value of its variables; one where it has none with several. */
  alternativesOf(token: Token): readonly Token[] {
    const { alternatives } = token;
    if (alternatives === undefined) return [token];
    this.#alternatives += alternatives.length;
    if (this.#alternatives > MAX_ALTERNATIVES) {
      throw this.error(token, 'one more variable of several values', `at most ${MAX_ALTERNATIVES} values in all`);
    }
    return alternatives;
  }

  unexpected(token: Token, expected: string): TidemarkError {
    return this.error(token, describe(token), expected);
  }

  unknownName(token: Token, expected: string, names: readonly string[]): TidemarkError {
    const suggestion = nearest(token.text, names);
    return this.error(token, describe(token), expected, suggestion);
  }

  missingFunction(token: Token): TidemarkError {
    return missingFunction(this.#scanner.query, token.from, token.text);
  }

  error(token: Token, found: string, expected: string, suggestion?: string): TidemarkError {
    return syntaxError(this.#scanner.query, token.from, found, expected, suggestion);
  }
}

function describe(token: Token): string {
  if (token.type === 'end') return 'the end of the query';
  const characters = [...token.text];
  const shown = characters.length > LONGEST_SHOWN ? `${characters.slice(0, LONGEST_SHOWN).join('')}…` : token.text;
  return `"${shown}"`;
}
