import { Option } from 'commander';
import type { RemoteOptions } from './endpoints.ts';

/** Options of a command that prints a table or JSON. */
export interface FormatOptions extends RemoteOptions {
  readonly format: 'table' | 'json';
}

/** Options of a command that prints a list, for people or for programs. */
export interface ListFormatOptions extends RemoteOptions {
  readonly format: 'table' | 'json' | 'csv';
}

/** Creates the option `--format` of a command that prints a table or JSON; tests: `tidemark.test.ts`. */
export function tableOrJson(): Option {
  return new Option('--format <format>', 'output format').choices(['table', 'json']).default('table');
}

/** Creates the option `--format` of a command that prints a list; tests: `tidemark.test.ts`. */
export function tableJsonOrCsv(): Option {
  return new Option('--format <format>', 'output format').choices(['table', 'json', 'csv']).default('table');
}
