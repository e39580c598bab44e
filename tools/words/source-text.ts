/** A run of text of one kind within a file, with the offset of its first character. */
export interface Piece {
  readonly kind: 'comment' | 'string' | 'code';
  readonly start: number;
  readonly text: string;
}

/** What may come before a slash that begins a regular expression. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{;+\n]|\breturn|\bcase)\s*$/;
/** Stands in a template for a value, and in a page for code: no pattern matches it. */
const VALUE = '0';

/** Splits TypeScript, JavaScript or proto text; neighbouring line comments are one piece. Code comes as one piece. */
export function piecesOf(source: string): Piece[] {
  const pieces: Piece[] = [];
  const code = [...source];
  let i = 0;
  scanCode(false);
  return [...joinComments(pieces, source), { kind: 'code', start: 0, text: code.join('') }];

  /** Up to the end, or to the brace that closes a template's value. */
  function scanCode(isInTemplate: boolean): void {
    let depth = 0;
    while (i < source.length) {
      const two = source.slice(i, i + 2);
      const one = source[i] ?? '';
      if (two === '//') put('comment', endOf('\n'));
      else if (two === '/*') put('comment', Math.min(source.length, endOf('*/') + 2));
      else if (one === "'" || one === '"') scanQuoted(one);
      else if (one === '`') scanTemplate();
      else if (one === '/' && BEFORE_REGEX.test(source.slice(Math.max(0, i - 40), i))) scanRegex();
      else {
        if (one === '{') depth++;
        if (one === '}' && isInTemplate && depth === 0) return;
        if (one === '}') depth--;
        i++;
      }
    }
  }

  function endOf(mark: string): number {
    const at = source.indexOf(mark, i);
    return at < 0 ? source.length : at;
  }

  function put(kind: Piece['kind'], end: number): void {
    pieces.push({ kind, start: i, text: source.slice(i, end) });
    blank(i, end);
    i = end;
  }

  function blank(from: number, to: number): void {
    for (let at = from; at < to; at++) if (code[at] !== '\n') code[at] = ' ';
  }

  /** A quote that its line does not close, such as an apostrophe in a page's text, is an ordinary character. */
  function scanQuoted(quote: string): void {
    let end = i + 1;
    while (end < source.length && source[end] !== quote && source[end] !== '\n') end += source[end] === '\\' ? 2 : 1;
    if (source[end] !== quote) {
      i++;
      return;
    }
    pieces.push({ kind: 'string', start: i + 1, text: source.slice(i + 1, end) });
    blank(i, end + 1);
    i = end + 1;
  }

  function scanTemplate(): void {
    const start = ++i;
    let text = '';
    while (i < source.length && source[i] !== '`') {
      if (source.startsWith('${', i)) {
        const from = i;
        i += 2;
        scanCode(true);
        i++;
        text += VALUE.repeat(i - from);
      } else {
        const size = source[i] === '\\' ? 2 : 1;
        text += source.slice(i, i + size);
        code.fill(' ', i, i + size);
        i += size;
      }
    }
    i++;
    pieces.push({ kind: 'string', start, text });
  }

  function scanRegex(): void {
    let end = i + 1;
    let isInClass = false;
    while (end < source.length && source[end] !== '\n' && (isInClass || source[end] !== '/')) {
      if (source[end] === '[') isInClass = true;
      if (source[end] === ']') isInClass = false;
      end += source[end] === '\\' ? 2 : 1;
    }
    blank(i, end);
    i = end + 1;
  }
}

function joinComments(pieces: readonly Piece[], source: string): Piece[] {
  const joined: Piece[] = [];
  for (const piece of pieces.toSorted((a, b) => a.start - b.start)) {
    const last = joined.at(-1);
    const isLine = piece.kind === 'comment' && piece.text.startsWith('//');
    const gap = last === undefined ? '' : source.slice(last.start + last.text.length, piece.start);
    if (last?.text.startsWith('//') && last.kind === 'comment' && isLine && /^\n[ \t]*$/.test(gap)) {
      joined[joined.length - 1] = { ...last, text: last.text + gap + piece.text };
    } else joined.push(piece);
  }
  return joined;
}

/** Text between tags of a page's source. */
export function pageText(source: string): Piece[] {
  return [...source.matchAll(/(?<=[>}])([^<>{}=;()]*[A-Za-z][^<>{}=;()]*)(?=[<{])/g)]
    .filter(([text]) => text.trim().includes(' '))
    .map((match) => ({ kind: 'string', start: match.index, text: match[0] }));
}

/** Prose of a page of documentation: fenced blocks, code spans, comments and addresses are blanked. */
export function proseOf(markdown: string): string {
  return markdown
    .replace(/^( *)(`{3,}|~{3,})[^\n]*\n[\s\S]*?^ *\2[^\n]*$/gm, hide)
    .replace(/``[^\n]+?``|`[^`\n]+`|`[^`\n]+\n[^`\n]+`/g, hide)
    .replace(/<!--[\s\S]*?-->/g, hide)
    .replace(/(?<=\])\([^)\s]+\)/g, hide)
    .replace(/^( {4}|\t).*$/gm, (line) => (/^\s+([-*\d]|\w)/.test(line) ? line : hide(line)));
}

/** Without the marks of a comment and without code in backticks. */
export function commentText(comment: string): string {
  return comment.replace(/^(\s*)(\/\/+|\/?\*+\/?)/gm, (marks) => ' '.repeat(marks.length)).replace(/`[^`]*`/g, hide);
}

function hide(text: string): string {
  return text.replace(/[^\n]/g, VALUE);
}
