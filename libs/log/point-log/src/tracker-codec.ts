import { ByteReader, ByteWriter, ownCopy } from '@tidemark/bytes';
import { ID_BYTES } from '@tidemark/model';
import { DedupWindow, WINDOW } from './dedup-window.ts';
import { type ClientState, clientKey, type LaneState, LaneTracker, laneKey } from './lane-tracker.ts';

const TENANT_BYTES = 255;

/** Encodes one lane (docs/formats/point-store.md). */
export function packLane(lane: LaneState): Buffer {
  const out = new ByteWriter(96);
  out.bytes(lane.session);
  out.u32(lane.lane);
  out.u8((lane.open ? 1 : 0) | (lane.ended ? 2 : 0) | (lane.fenced ? 4 : 0));
  const { sequence, markMs, epoch, keyframeOffset, endedAtMs, skips, gapEpoch } = lane;
  for (const value of [sequence, markMs, epoch, keyframeOffset, endedAtMs, skips, gapEpoch]) out.f64(value);
  return out.take();
}

export function unpackLane(bytes: Uint8Array): LaneState {
  const reader = new ByteReader(bytes, 'lane state');
  const session = ownCopy(reader.bytes(ID_BYTES));
  const lane = reader.u32();
  const flags = reader.u8();
  const [sequence, markMs, epoch, keyframeOffset, endedAtMs, skips, gapEpoch] = Array.from({ length: 7 }, () =>
    reader.f64(),
  );
  return {
    key: laneKey(session, lane),
    session,
    lane,
    sequence,
    open: (flags & 1) !== 0,
    ended: (flags & 2) !== 0,
    fenced: (flags & 4) !== 0,
    markMs,
    epoch,
    keyframeOffset,
    endedAtMs,
    skips,
    gapEpoch,
  };
}

/** Encodes one client session. Its window is the only part that is larger than a few words. */
export function packClient(client: ClientState): Buffer {
  const out = new ByteWriter(256);
  out.bytes(client.clientSession);
  out.text(client.tenant);
  out.f64(client.frontierMs ?? Number.NEGATIVE_INFINITY);
  out.varint(client.latePoints);
  out.varint(client.duplicatePoints);
  out.f64(client.seenAtMs);
  out.varint(client.window.floor);
  out.varint(client.window.next);
  for (const word of client.window.words()) out.u32(word);
  return out.take();
}

export function unpackClient(bytes: Uint8Array): ClientState {
  const reader = new ByteReader(bytes, 'client state');
  const clientSession = ownCopy(reader.bytes(ID_BYTES));
  const tenant = reader.text(TENANT_BYTES);
  const frontierMs = reader.f64();
  const latePoints = reader.varint();
  const duplicatePoints = reader.varint();
  const seenAtMs = reader.f64();
  const floor = reader.varint();
  const next = reader.varint();
  if (next < floor || next > floor + WINDOW) reader.fail(`sequences ${floor} to ${next}`);
  const window = DedupWindow.restored(floor, next, () => reader.u32());
  return {
    key: clientKey(tenant, clientSession),
    clientSession,
    tenant,
    window,
    frontierMs: frontierMs === Number.NEGATIVE_INFINITY ? undefined : frontierMs,
    latePoints,
    duplicatePoints,
    seenAtMs,
  };
}

/** Encodes the part of a tracker that is neither lane nor client. */
export function packTrackerHead(tracker: LaneTracker): Buffer {
  const out = new ByteWriter(48);
  out.f64(tracker.watermarkMs);
  out.f64(tracker.era);
  out.f64(tracker.ageMs);
  out.f64(tracker.expiredAtMs);
  out.varint(tracker.skips);
  return out.take();
}

/** Decodes a tracker from its stored parts. */
export function unpackTracker(
  head: Uint8Array | undefined,
  lanes: Iterable<Uint8Array>,
  clients: Iterable<Uint8Array>,
  clientSessions?: number,
): LaneTracker {
  const tracker = new LaneTracker(clientSessions);
  if (head !== undefined) {
    const reader = new ByteReader(head, 'tracker state');
    tracker.restoreHead({
      watermarkMs: reader.f64(),
      era: reader.f64(),
      ageMs: reader.f64(),
      expiredAtMs: reader.f64(),
      skips: reader.varint(),
    });
  }
  for (const bytes of lanes) {
    const lane = unpackLane(bytes);
    tracker.lanes.set(lane.key, lane);
  }
  for (const bytes of clients) {
    tracker.restoreClient(unpackClient(bytes));
  }
  return tracker;
}

/** Returns the logical state, part by part, for a state hash. It is equal after equal prefixes of the log. */
export function trackerFingerprint(tracker: LaneTracker): Buffer[] {
  const parts = [packTrackerHead(tracker)];
  for (const lane of tracker.lanes.values()) parts.push(packLane(lane));
  for (const client of tracker.clients.values()) parts.push(packClient(client));
  return parts;
}
