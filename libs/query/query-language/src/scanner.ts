import { syntaxError } from './syntax-error.ts';
import { NO_VARIABLES, tagOfVariable, type Variables, valuesOf } from './variables.ts';
import { CONTROL_ESCAPES, isBareCharacter } from './words.ts';

/**
 * The position of the parser determines the meaning of characters: `-` is an operator between queries, and part of a
 * tag.
 */
export type ScanMode = 'expression' | 'scope';

export interface Token {
  /** `name`, `number` and the operators only between queries; `word` only within braces. */
  readonly type: 'name' | 'number' | 'string' | 'word' | 'symbol' | 'unknown' | 'end';
  /** The text; of strings and words without quotes. */
  readonly text: string;
  /** Range in code units. */
  readonly from: number;
  readonly to: number;
  /** Of a word: the index of the first bare `*` in `text`, or -1. */
  readonly wildcard: number;
  /** Of a word: true when a part of it was quoted, so that it is not a keyword. */
  readonly quoted: boolean;
  /** Of a word: true when a quoted part holds `*`, which then is not a wildcard. */
  readonly literalStar: boolean;
  /** Of a word with a variable of several values: the word with each of them; this token is the first. */
  readonly alternatives?: readonly Token[];
}

/** A word up to some character: with each value of its variables. */
type Draft = Pick<Token, 'text' | 'wildcard' | 'literalStar'>;

/** Alternatives of one word, which may have several variables. */
const MAX_ALTERNATIVES = 100;

const UNICODE_ESCAPE = /u[0-9A-Fa-f]{4}/y;
const SPACE = /\s+/uy;
const NAME = /[A-Za-z][A-Za-z0-9_.]*/y;
const NUMBER = /[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const VARIABLE = /\$([A-Za-z_][A-Za-z0-9_]*)(\.value\b)?/y;
const EXPRESSION_SYMBOLS = '+-*/(){},:.';
const SCOPE_SYMBOLS = '(){},!';

/** Cuts a query into tokens, one at a time, by the mode that the parser asks for. */
export class Scanner {
  readonly query: string;
  readonly #variables: Variables;
  #position = 0;

  constructor(query: string, variables: Variables = NO_VARIABLES) {
    this.query = query;
    this.#variables = variables;
  }

  /** Returns the next token without consuming it. */
  peek(mode: ScanMode): Token {
    const from = this.#afterSpace();
    if (from >= this.query.length) return plain('end', '', from, from);
    const character = String.fromCodePoint(this.query.codePointAt(from) ?? 0);
    if (mode === 'scope') {
      if (SCOPE_SYMBOLS.includes(character)) return plain('symbol', character, from, from + 1);
      return this.#word(from, character);
    }
    if (character === '"' || character === "'") {
      const { text, to } = this.#string(from);
      return plain('string', text, from, to);
    }
    const name = this.#match(NAME, from);
    if (name !== '') return plain('name', name, from, from + name.length);
    const number = this.#match(NUMBER, from);
    if (number !== '') return plain('number', number, from, from + number.length);
    const type = EXPRESSION_SYMBOLS.includes(character) ? 'symbol' : 'unknown';
    return plain(type, character, from, from + character.length);
  }

  take(token: Token): void {
    this.#position = token.to;
  }

  #afterSpace(): number {
    return this.#position + this.#match(SPACE, this.#position).length;
  }

  #match(pattern: RegExp, from: number): string {
    return this.#execute(pattern, from)?.[0] ?? '';
  }

  /** Scans bare characters, wildcards and quoted parts in any order: `key:"a value"*`. */
  #word(from: number, first: string): Token {
    let drafts: readonly Draft[] = [{ text: '', wildcard: -1, literalStar: false }];
    let quoted = false;
    let at = from;
    while (at < this.query.length) {
      const character = String.fromCodePoint(this.query.codePointAt(at) ?? 0);
      if (character === '"' || character === "'") {
        const part = this.#string(at);
        quoted = true;
        drafts = drafts.map((draft) => withQuoted(draft, part.text));
        at = part.to;
      } else if (character === '$') {
        const part = this.#variable(at, at === from);
        if (part === undefined) break;
        quoted = true;
        if (drafts.length * part.texts.length > MAX_ALTERNATIVES) {
          const found = `${drafts.length * part.texts.length} combinations of values`;
          throw syntaxError(this.query, from, found, `at most ${MAX_ALTERNATIVES} in one tag`);
        }
        drafts = drafts.flatMap((draft) => part.texts.map((text) => withBare(draft, text)));
        at = part.to;
      } else if (character === '*' || isBareCharacter(character)) {
        const run = this.#bareRun(at);
        drafts = drafts.map((draft) => withBare(draft, run));
        at += run.length;
      } else break;
    }
    if (at === from) return plain('unknown', first, from, from + first.length);
    const words = drafts.map((draft): Token => ({ type: 'word', ...draft, from, to: at, quoted }));
    return words.length === 1 ? words[0] : { ...words[0], alternatives: words };
  }

  /** The bare characters and wildcards from `from` on. */
  #bareRun(from: number): string {
    let to = from;
    while (to < this.query.length) {
      const character = String.fromCodePoint(this.query.codePointAt(to) ?? 0);
      if (character !== '*' && !isBareCharacter(character)) break;
      to += character.length;
    }
    return this.query.slice(from, to);
  }

  /**
   * The values of a template variable: `$name.value` within a word, `$name` as a tag of its own. A `*` in one is a
   * wildcard. Undefined when the `$` begins no variable.
   */
  #variable(at: number, isStart: boolean): { texts: readonly string[]; to: number } | undefined {
    const [match, name, isValue] = this.#execute(VARIABLE, at) ?? [];
    if (match === undefined || name === undefined) return undefined;
    if (!Object.hasOwn(this.#variables, name)) {
      const expected = `a value for it in the request (tpl_var_${name}=… over HTTP, --variable ${name}=… of tidemark query)`;
      throw syntaxError(this.query, at, `"$${name}" without a value`, expected);
    }
    const values = valuesOf(this.#variables, name);
    if (isValue !== undefined) return { texts: values, to: at + match.length };
    const next = String.fromCodePoint(this.query.codePointAt(at + match.length) ?? 0);
    if (!isStart || isBareCharacter(next) || '*$\'"'.includes(next)) {
      throw syntaxError(this.query, at, `"$${name}" within a tag`, `$${name}.value, or $${name} alone`);
    }
    return { texts: values.map((value) => tagOfVariable(name, value)), to: at + match.length };
  }

  #execute(pattern: RegExp, from: number): RegExpExecArray | null {
    pattern.lastIndex = from;
    return pattern.exec(this.query);
  }

  /** Scans a string in quotes of either sort; a backslash escapes a quote, a backslash or a control character. */
  #string(from: number): { text: string; to: number } {
    const quote = this.query[from];
    let text = '';
    let at = from + 1;
    while (at < this.query.length) {
      const character = this.query[at];
      if (character === quote) {
        if (!text.isWellFormed()) throw syntaxError(this.query, from, 'half a surrogate pair', 'valid Unicode');
        return { text, to: at + 1 };
      }
      if (character < ' ') throw syntaxError(this.query, at, 'a control character', 'text');
      if (character === '\\') {
        const sequence = this.#escape(at + 1);
        text += sequence.text;
        at = sequence.to;
        continue;
      }
      text += character;
      at++;
    }
    throw syntaxError(this.query, from, 'an unterminated string', `a closing ${quote}`);
  }

  /** Reads what follows a backslash. */
  #escape(from: number): { text: string; to: number } {
    const letter = this.query[from] ?? '';
    const code = this.#match(UNICODE_ESCAPE, from);
    if (code !== '') return { text: String.fromCharCode(Number.parseInt(code.slice(1), 16)), to: from + code.length };
    const isPlain = letter === '\\' || letter === '"' || letter === "'";
    const text = isPlain ? letter : Object.hasOwn(CONTROL_ESCAPES, letter) ? CONTROL_ESCAPES[letter] : undefined;
    if (text !== undefined) return { text, to: from + 1 };
    throw syntaxError(
      this.query,
      from,
      'an unknown escape',
      `\\\\, \\", \\', \\n, \\r, \\t or \\u and four hexadecimal digits`,
    );
  }
}

function withQuoted({ text, wildcard, literalStar }: Draft, part: string): Draft {
  return { text: text + part, wildcard, literalStar: literalStar || part.includes('*') };
}

/** The first `*` that is not quoted makes the word a pattern. */
function withBare({ text, wildcard, literalStar }: Draft, part: string): Draft {
  const star = part.indexOf('*');
  return { text: text + part, wildcard: wildcard < 0 && star >= 0 ? text.length + star : wildcard, literalStar };
}

function plain(type: Token['type'], text: string, from: number, to: number): Token {
  return { type, text, from, to, wildcard: -1, quoted: false, literalStar: false };
}
