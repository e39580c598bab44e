export { MAX_DAY, MAX_TAGS_RECORD_BYTES, TAGS_VERSION } from './layout.ts';
export type { TagFactsVisitor } from './read-tag-facts.ts';
export { readTagFacts } from './read-tag-facts.ts';
export { TagFactsWriter } from './tag-facts-writer.ts';
