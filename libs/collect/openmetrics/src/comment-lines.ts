import { unescaped } from './series-text.ts';

/** What one of the lines `# TYPE`, `# UNIT` and `# HELP` says of a family. */
export interface CommentLine {
  readonly name: string;
  /** The text after the name, without escapes. */
  readonly text: string;
}

export type CommentWord = 'TYPE' | 'UNIT' | 'HELP';

const LINES: Readonly<Record<CommentWord, RegExp>> = {
  TYPE: lineOf('TYPE'),
  UNIT: lineOf('UNIT'),
  HELP: lineOf('HELP'),
};

function lineOf(word: CommentWord): RegExp {
  return new RegExp(`^#[ \\t]+${word}[ \\t]+("(?:[^"\\\\]|\\\\.)*"|[^ \\t]+)[ \\t]+([^]*)$`);
}

/** Reads a line without blanks around it; undefined for a line of another kind. */
export function commentLine(line: string, word: CommentWord): CommentLine | undefined {
  const words = LINES[word].exec(line);
  if (words === null) return undefined;
  const [, name, text] = words;
  return { name: name.startsWith('"') ? unescaped(name.slice(1, -1)) : name, text: unescaped(text) };
}

/**
 * The lines of one kind, wherever they stand in a body: some exporters write them elsewhere than above the samples. Lines
 * of more than `maxCharacters` are left out, and so is the last one of a body that was cut.
 */
export function* commentLines(
  body: string,
  word: CommentWord,
  maxCharacters: number,
  isCut: boolean,
): Generator<CommentLine> {
  for (const text of linesWith(body, word, isCut)) {
    const line = text.trim();
    if (line.length > maxCharacters) continue;
    const read = commentLine(line, word);
    if (read !== undefined) yield read;
  }
}

/**
 * Each line of a body that contains the word, once however often it does: the time is linear in the body. The last line of
 * a body that was cut is left out.
 */
export function* linesWith(body: string, word: string, isCut: boolean): Generator<string> {
  let end = 0;
  for (let at = body.indexOf(word); at >= 0; at = body.indexOf(word, end)) {
    const feed = body.indexOf('\n', at);
    if (feed < 0 && isCut) return;
    end = feed < 0 ? body.length : feed;
    yield body.slice(body.lastIndexOf('\n', at) + 1, end);
  }
}
