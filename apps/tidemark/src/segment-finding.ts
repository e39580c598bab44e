import type { DayFinding } from '@tidemark/archive';
import { printError } from './printable.ts';

/** Says on stderr what can't be used, so that stdout stays data; the exit code becomes 1. */
export function reportFinding({ key, error }: DayFinding): void {
  printError(error.message.includes(key) ? error.message : `object ${key}: ${error.message}`);
  process.exitCode = 1;
}
