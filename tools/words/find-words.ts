import { BANNED_NAME_PARTS, BANNED_WORDS } from './banned-words.ts';
import { commentText, pageText, piecesOf, proseOf } from './source-text.ts';

/** The kind of text that a finding is in. */
export type Kind = 'message' | 'docs' | 'proto' | 'comment' | 'test' | 'name';

export interface Finding {
  readonly line: number;
  readonly kind: Kind;
  readonly word: string;
  readonly use: string;
}

const TEST_FILE = /\.(test|fixture)\.tsx?$|\/testing\/|^(e2e|bench)\/|^libs\/devkit\//;
/** Files that quote banned words. */
const QUOTES = /^tools\/words\/|^docs\/contributing\/writing\.md$/;
/** On a line or the one before it: `words: allow told` keeps a quotation or a name of others. */
const ALLOWED = /words: allow ([^*\n>]+?)(?:-->|\*\/|$)/;
const DECLARED =
  /(?:\b(?:const|let|function|class|interface|type|get|set|static|async|readonly)\s+#?([A-Za-z_]\w*))|^\s*#?([A-Za-z_]\w*)\??(?=:\s|\([^;]*\{$)/gm;

/** Banned words of one file; `path` is relative to the repository's root and decides what kind each text is. */
export function findWords(path: string, source: string): Finding[] {
  if (QUOTES.test(path)) return [];
  const found = new Map<string, Finding>();
  const lines = source.split('\n');
  const starts = lineStarts(source);
  if (path.endsWith('.md')) inText(proseOf(source), 0, 'docs');
  else if (path.endsWith('.html')) inText(source, 0, 'message');
  else inSource();
  return [...found.values()].sort((a, b) => a.line - b.line);

  function inSource(): void {
    const isTest = TEST_FILE.test(path);
    const pieces = piecesOf(source);
    for (const { kind, start, text } of pieces) {
      if (kind === 'comment')
        inText(commentText(text), start, path.endsWith('.proto') ? 'proto' : testOr(isTest, 'comment'));
      // A string without a space is a key or a name.
      else if (kind === 'string' && /\s/.test(text.trim())) inText(text, start, testOr(isTest, 'message'));
      else if (kind === 'code' && !path.endsWith('.proto')) inNames(text);
    }
    if (path.endsWith('.tsx'))
      for (const { start, text } of pageText(source)) inText(text, start, testOr(isTest, 'message'));
  }

  function inText(text: string, start: number, kind: Kind): void {
    for (const { pattern, word, use, isForMessages } of BANNED_WORDS) {
      if (isForMessages && kind !== 'message') continue;
      for (const match of text.matchAll(pattern)) add(start + match.index, kind, word, use);
    }
  }

  /** Each name once a file, where it is declared. */
  function inNames(code: string): void {
    const seen = new Set<string>();
    for (const match of code.matchAll(DECLARED)) {
      const name = match[1] ?? match[2] ?? '';
      if (seen.has(name)) continue;
      seen.add(name);
      for (const part of name.split(/(?<=[a-z0-9])(?=[A-Z])|_/)) {
        const use = BANNED_NAME_PARTS.get(part.toLowerCase());
        if (use !== undefined) add(match.index + match[0].indexOf(name), 'name', name, use);
      }
    }
  }

  function add(offset: number, kind: Kind, word: string, use: string): void {
    const line = lineOf(starts, offset);
    const allowed = [lines[line - 1], lines[line - 2]].some((text) => {
      const names = ALLOWED.exec(text ?? '')?.[1]?.split(',') ?? [];
      return names.some((name) => name.trim() === word);
    });
    if (!allowed) found.set(`${offset} ${word}`, { line, kind, word, use });
  }
}

function testOr(isTest: boolean, kind: Kind): Kind {
  return isTest ? 'test' : kind;
}

function lineStarts(source: string): number[] {
  const starts = [0];
  for (const { index } of source.matchAll(/\n/g)) starts.push(index + 1);
  return starts;
}

/** Number of the line, from 1, that holds an offset. */
function lineOf(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low + 1;
}
