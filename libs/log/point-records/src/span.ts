import type { ByteReader, ByteWriter } from '@tidemark/bytes';
import { ID_BYTES } from '@tidemark/model';
import { MAX_RECORD_BYTES } from './record-limits.ts';

/** One batch's share of the partition, with the stamp that its client gave the batch. */
export interface Span {
  /** 16 bytes: one run of one client. */
  readonly clientSession: Uint8Array;
  readonly sequence: number;
  readonly mapEpoch: number;
  /** Every batch of the client with a lower sequence is settled. */
  readonly floor: number;
  /** Lower bound of the timestamps of all later points of this client, ms; absent when the client promises none. */
  readonly frontierMs: number | undefined;
  readonly tenant: string;
  /** The dictionary that resolves the refs of the share. */
  readonly dictionary: number;
  /** Points in the share format (docs/formats/share.md). */
  readonly share: Uint8Array;
}

const TENANT_BYTES = 255;
/** Bytes of a span without its tenant and share, at most: an id, numbers and lengths, and the flag. */
const FIXED_BYTES = ID_BYTES + 9 * 8 + 1;

/** Max bytes of a span of any tenant, in addition to its share. */
export const SPAN_BYTES = FIXED_BYTES + TENANT_BYTES;

/** Returns the bytes of a span, at most. */
export function spanBytes({ tenant, share }: Pick<Span, 'tenant' | 'share'>): number {
  return FIXED_BYTES + Buffer.byteLength(tenant) + share.length;
}

export function writeSpan(span: Span, out: ByteWriter): void {
  out.bytes(span.clientSession);
  out.varint(span.sequence);
  out.varint(span.mapEpoch);
  out.varint(span.floor);
  out.u8(span.frontierMs === undefined ? 0 : 1);
  if (span.frontierMs !== undefined) out.signedVarint(span.frontierMs);
  out.text(span.tenant);
  out.varint(span.dictionary);
  out.sizedBytes(span.share);
}

export function readSpan(reader: ByteReader): Span {
  const clientSession = reader.bytes(ID_BYTES);
  const sequence = reader.varint();
  const mapEpoch = reader.varint();
  const floor = reader.varint();
  const hasFrontier = reader.u8();
  if (hasFrontier > 1) reader.fail(`unknown frontier flag ${hasFrontier}`);
  return {
    clientSession,
    sequence,
    mapEpoch,
    floor,
    frontierMs: hasFrontier === 1 ? reader.signedVarint() : undefined,
    tenant: reader.text(TENANT_BYTES),
    dictionary: reader.varint(),
    share: reader.sizedBytes(MAX_RECORD_BYTES),
  };
}
