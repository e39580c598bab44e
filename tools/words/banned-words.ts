/** A word or phrase that the project does not use, and what to write instead. */
export interface BannedWord {
  /** As messages name it. */
  readonly word: string;
  readonly pattern: RegExp;
  readonly use: string;
  /** Rule of docs/contributing/writing.md. */
  readonly rule: 2 | 3 | 4 | 6 | 7;
  /** Only in strings that a user reads. */
  readonly isForMessages?: boolean;
}

/** Where a clause ends: a comma, a stop, a bracket, or the end of the text. */
const CLAUSE_END = '(?=\\s*(?:[.,;:)]|$))';

/** Phrases that no sentence of the project needs. A space in a phrase also matches a line break. */
export const BANNED_WORDS: readonly BannedWord[] = [
  rule(2, 'nobody', 'nobody|no one', 'the noun: no caller, no reader, no process'),
  rule(2, 'somebody', '(?:some|any|every)body|(?:some|any|every)one', 'the noun: a caller, an operator, each client'),
  rule(2, 'whoever', 'who(?:m|so)?ever', 'the noun: the caller, an operator, a reader'),
  rule(2, 'whatever', 'what(?:so)?ever', 'the noun, or "any" and the noun'),
  rule(3, 'told', 'told', 'reported, informed; "told apart": distinguished'),
  rule(3, 'tell', 'tell(?:s|ing)?', 'report, inform; "tell apart": distinguish'),
  rule(3, 'hear', 'hear(?:s|d|ing)?', 'receive, learn'),
  rule(3, 'let go', 'let(?:s|ting)? go', 'trim, evict, release or delete'),
  rule(3, 'come again', '(?:come|comes|came|coming) again', 'retry'),
  rule(
    3,
    'go on',
    '(?:go|goes|going|gone|went) on(?! (?:the|a|an|this|that|its|disk|top|line|port|each|one)\\b)',
    'continue, resume; "what goes on": what happens',
  ),
  rule(3, 'look at', 'look(?:s|ed|ing)? (?:at|after)', 'check, poll, inspect, read'),
  rule(3, 'beside', 'beside', 'next to, in addition to'),
  rule(3, 'besides', 'besides', 'also, in addition'),
  rule(3, 'anew', 'anew', 'again, or a verb with re-: recreate, reopen'),
  rule(3, 'keep book', '(?:keep|keeps|kept|keeping) book', 'track, record'),
  rule(3, 'give way', '(?:give|gives|gave|giving) way', 'yield'),
  rule(3, 'but for', '(?<!\\bnot\\b[^.;:]*)but for', 'except, except for'),
  rule(3, 'stands there', '(?:stand|stands|stood) (?:there|still|where|behind|before|in the)', 'is, is listed, stops'),
  rule(3, 'stood', 'stood', 'was, was listed, stopped'),
  rule(3, 'is over', `(?:is|are|was|were) over${CLAUSE_END}`, 'ended, recovered, resolved'),
  rule(3, 'is away', '(?:is|are|was|were|be) away', 'is unreachable, is down'),
  rule(
    3,
    'is no',
    '(?<!\\b(?:there|where) )(?:is|are|was|were) no (?!longer\\b|more\\b|less\\b|such\\b|different\\b|better\\b|worse\\b|\\()',
    'is not a; "there is no"',
  ),
  rule(3, 'held against', '(?:hold|holds|held) (?:\\w+ ){0,2}against', 'compared with, checked against'),
  rule(3, 'sees to', '(?:sees|saw) to', 'handles, manages, makes sure'),
  rule(3, 'in good order', 'in good order', 'cleanly'),
  rule(3, 'of no use', 'of no use', 'cannot be used'),
  rule(3, 'for good', `for good${CLAUSE_END}`, 'permanently'),
  rule(3, 'for ever', 'for ever', 'forever, without end'),
  rule(
    4,
    'is to',
    '(?<!\\b(?:aim|goal|point|way|purpose|job|task|idea|cure|fix|remedy|alternative|answer|choice|option|step|work|reason|what|next) )(?:is|are|was|were) to (?!the\\b|a\\b|an\\b|its\\b|their\\b|this\\b|that\\b|each\\b|blame\\b)[a-z]+',
    'must, will, or the imperative',
  ),
  rule(6, '… at the start', '^…\\s?[a-z]', 'a sentence that stands alone: a table shows each row by itself', true),
  rule(
    7,
    'least',
    '(?<!\\bat )least(?! (?:recently|frequently|significant|privilege|squares))',
    'min, minimum, lowest',
  ),
  rule(7, 'greatest', 'greatest(?! common)', 'max, maximum, highest'),
  rule(7, 'dear', 'dear(?:ly|er|est)?', 'expensive'),
  rule(7, 'door', 'doors?', 'entry point, API, endpoint'),
  rule(7, 'bed', 'beds?', 'harness'),
  rule(7, 'patient', 'patients?', 'the process under test, the noun'),
  { rule: 7, word: 'angle quotation marks', pattern: /«[^«»]*»?|»/g, use: 'no marks, `code`, or "plain ones"' },
];

/** Parts of names in code, split at capitals and underscores. */
export const BANNED_NAME_PARTS: ReadonlyMap<string, string> = new Map([
  ['nobody', 'the noun: noCaller, NO_ACCESS'],
  ['whoever', 'the noun'],
  ['whatever', 'the noun'],
  ['anew', 'a verb with re'],
  ['told', 'reported'],
  ['tell', 'report'],
  ['tells', 'reports'],
  ['heard', 'received'],
  ['least', 'min'],
  ['greatest', 'max'],
  ['dear', 'expensive'],
  ['beside', 'the relation: other, extra, parallel'],
  ['look', 'check or poll'],
  ['looks', 'checks or polls'],
  ['bed', 'harness'],
  ['patient', 'the thing'],
]);

function rule(
  number: BannedWord['rule'],
  word: string,
  pattern: string,
  use: string,
  isForMessages = false,
): BannedWord {
  const spaced = pattern.replaceAll(' ', '\\s+');
  const bounded = pattern.startsWith('^') ? spaced : `(?:\\b(?:${spaced})\\b|\\b(?:${spaced})(?<=\\s))`;
  return { rule: number, word, pattern: new RegExp(bounded, 'gi'), use, isForMessages };
}
