export type { BadLines } from './bad-lines.ts';
export { ACCEPT, type ExpositionFormat, formatOf } from './exposition-format.ts';
export type { ExpositionLimits, ExpositionParserOptions, ExpositionReport, TakeSample } from './exposition-parser.ts';
export { DEFAULT_EXPOSITION_LIMITS, ExpositionParser } from './exposition-parser.ts';
export type { ScrapePorts } from './scrape-check.ts';
export { ScrapeCheck, scrapeChecks } from './scrape-check.ts';
export type { ScrapeTarget } from './scrape-target.ts';
export { DEFAULT_SCRAPE_TARGET } from './scrape-target.ts';
export type { ParsedSeries, TypedSeries } from './series-text.ts';
