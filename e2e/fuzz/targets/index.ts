import { assert } from '@tidemark/ports';
import type { FuzzTarget } from '../target.ts';
import { BODIES } from './bodies.ts';
import { SPOOL } from './client-files.ts';
import { DATA_FORMATS } from './data-formats.ts';
import { INTAKE_STREAM } from './intake-stream.ts';
import { LISTENERS } from './listeners.ts';
import { LOG_FOLDER } from './log-folder.ts';
import { LOG_FORMATS } from './log-formats.ts';
import { MESSAGES } from './messages.ts';
import { SEGMENT } from './segment.ts';
import { SMALL_FORMATS } from './small-formats.ts';
import { SNAPSHOTS } from './snapshots.ts';
import { STATSD } from './statsd.ts';
import { STORES } from './stores.ts';
import { TEXT_FORMATS } from './text-formats.ts';

/** Every target, by what it parses. */
export const TARGETS: readonly FuzzTarget[] = [
  ...BODIES,
  ...STATSD,
  ...TEXT_FORMATS,
  ...MESSAGES,
  ...DATA_FORMATS,
  SEGMENT,
  ...LOG_FORMATS,
  ...STORES,
  ...SNAPSHOTS,
  SPOOL,
  LOG_FOLDER,
  ...SMALL_FORMATS,
  INTAKE_STREAM,
  ...LISTENERS,
];

/** Returns the target of a name, which must exist. */
export function targetNamed(name: string): FuzzTarget {
  const target = TARGETS.find((one) => one.name === name);
  assert(target !== undefined, `no target is named ${name}`);
  return target;
}
