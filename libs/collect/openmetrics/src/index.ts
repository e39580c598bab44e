export type { ScrapePorts } from './scrape-check.ts';
export { scrapeChecks } from './scrape-check.ts';
export type { ScrapeTarget } from './scrape-target.ts';
export { DEFAULT_SCRAPE_TARGET } from './scrape-target.ts';
