import { InvalidArgumentError } from 'commander';

/** Parses a whole number of a command line. Throws commander's `InvalidArgumentError`. */
export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number.');
}
