import type { CreateSnapshotsReply, CreateSnapshotsRequest, SnapshotsServer } from '@tidemark/contract';
import { checkCaller, type ProcessAccess } from '@tidemark/health';
import { asTidemarkError, type Clock, limitError, TidemarkError } from '@tidemark/ports';
import { type SendMessage, serveStream } from '@tidemark/rpc';
import { SNAPSHOT_KINDS, type SnapshotPlace } from '@tidemark/snapshot';
import type { LastSnapshot, SnapshotSchedule } from './snapshot-schedule.ts';

/** A snapshot may take hours: callers that wait for the one of another would only gather, each with its stream. */
const CALLS_AT_ONCE = 1;
/** An unknown kind is shown up to this length. */
const SHOWN_CHARACTERS = 40;

/** What callers may ask of a schedule. */
export type AskedSchedule = Pick<SnapshotSchedule, 'places' | 'make'>;

/**
 * Serves snapshots on request. `schedule` returns undefined in a process without an object store, and throws `unavailable` while
 * the stores start.
 */
export function snapshotsService(
  schedule: () => AskedSchedule | undefined,
  checkAccess: ProcessAccess,
  clock: Pick<Clock, 'setTimer'>,
): SnapshotsServer {
  let running = 0;
  return {
    create: (call) =>
      void serveStream(
        call,
        async (request, send, signal) => {
          checkCaller(call, checkAccess);
          const asked = schedule();
          if (asked === undefined) throw noObjectStore();
          const places = placesOf(asked.places, request);
          if (running >= CALLS_AT_ONCE) throw busy();
          running++;
          try {
            for (const place of places) await createOne(asked, place, send, signal);
          } finally {
            running--;
          }
        },
        clock,
      ),
  };
}

function busy(): TidemarkError {
  const text = `this process makes snapshots for another caller (limit: ${CALLS_AT_ONCE} at a time); retry when that one has ended`;
  return new TidemarkError('resource_exhausted', text, { limit: CALLS_AT_ONCE });
}

function noObjectStore(): TidemarkError {
  const text =
    'objects.store: none (limit: folder or s3): this process makes no snapshots; set it, and start the process again';
  return new TidemarkError('failed_precondition', text, { field: 'objects.store' });
}

function placesOf(places: readonly SnapshotPlace[], { kind, partitions }: CreateSnapshotsRequest): SnapshotPlace[] {
  if (kind !== '' && !SNAPSHOT_KINDS.some((one) => one === kind)) {
    throw limitError('kind', kind.slice(0, SHOWN_CHARACTERS), SNAPSHOT_KINDS.join(', '));
  }
  const asked = new Set(partitions);
  const found = places.filter(
    (place) => (kind === '' || place.kind === kind) && (asked.size === 0 || asked.has(place.partition)),
  );
  if (found.length > 0) return found;
  throw new TidemarkError('not_found', 'this process has no store of that kind and partition');
}

/** Sends the progress of one store, and then what has come of it. Error: the reason of `signal`. */
async function createOne(
  schedule: AskedSchedule,
  place: SnapshotPlace,
  send: SendMessage<CreateSnapshotsReply>,
  signal: AbortSignal,
): Promise<void> {
  let isSending = false;
  // A caller that reads slowly misses progress, so that none of it waits here.
  const onProgress = (doneBytes: number, totalBytes: number): void => {
    if (isSending) return;
    isSending = true;
    const value = { doneBytes, totalBytes };
    void send({ ...place, state: { $case: 'progress', value } }).then(() => {
      isSending = false;
    });
  };
  onProgress(0, 0);
  const state = await schedule.make(place, { signal, onProgress }).then(madeState, (error: unknown) => {
    signal.throwIfAborted();
    return failedState(asTidemarkError(error));
  });
  await send({ ...place, state });
}

function madeState({ id, offset, createdMs, uploadedBytes, reusedBytes }: LastSnapshot): CreateSnapshotsReply['state'] {
  return { $case: 'made', value: { id, offset, createdMs, uploadedBytes, reusedBytes } };
}

function failedState({ code, message }: TidemarkError): CreateSnapshotsReply['state'] {
  return { $case: 'failed', value: { code, reason: message } };
}
