/** A promise that is broken on purpose in the real processes. The run must detect it. */
export interface ProcessSabotage {
  readonly name: string;
  readonly promise: string;
  /** Prefix of the names of the changed processes. */
  readonly processes: string;
  /** End of the path of the source file that is changed when it is loaded, and the change. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Prefix of the problem that the run must report. */
  readonly caughtBy: string;
}

/** The product has no switches for these: `sabotage-hooks.ts` changes its source when Node loads it. */
export const PROCESS_SABOTAGES: readonly ProcessSabotage[] = [
  {
    name: 'ack-before-append',
    promise: 'an ack means durable in the log',
    processes: 'intake-',
    file: 'libs/ingest/intake/src/lane.ts',
    find: 'this.#queue.push(share, clock.monotonicMs(), timing.lingerMs);',
    replace:
      'this.#queue.push({ ...share, settle: () => undefined }, clock.monotonicMs(), timing.lingerMs); share.settle(true);',
    caughtBy: 'lost: ',
  },
  {
    name: 'skip-de-duplication',
    promise: 'a batch that is sent twice counts once',
    processes: 'point-store-',
    file: 'libs/log/point-log/src/lane-tracker.ts',
    find: 'client.duplicatePoints += points;\n      return false;',
    replace: 'client.duplicatePoints += points;\n      return true;',
    caughtBy: 'doubled: ',
  },
  {
    name: 'max-mark',
    promise: 'the watermark is the lowest mark of all open lanes',
    processes: 'point-store-',
    file: 'libs/log/point-log/src/lane-tracker.ts',
    find: 'if (lane.open && (slowest === undefined || lane.markMs < slowest.markMs)) slowest = lane;',
    replace: 'if (lane.open && (slowest === undefined || lane.markMs > slowest.markMs)) slowest = lane;',
    caughtBy: 'wrong complete: ',
  },
  {
    name: 'one-replica-differs',
    promise: 'replicas that have read the same log have the same state',
    processes: 'point-store-2',
    file: 'libs/log/point-log/src/lane-tracker.ts',
    find: 'if (client.window.has(span.sequence)) {',
    replace: 'if (client.window.has(span.sequence) || span.sequence % 100 === 99) {',
    caughtBy: 'state: ',
  },
];

export function sabotageOf(name: string): ProcessSabotage | undefined {
  return PROCESS_SABOTAGES.find((one) => one.name === name);
}
