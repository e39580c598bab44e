import { ByteReader, frameMessage, readFramed, toHex } from '@tidemark/bytes';
import { type Checkpoint, ControlCopy, type LogPartition } from '@tidemark/contract';
import type { ControlState } from '@tidemark/control-log';
import { type MadePartition, MOST_REMADE } from '@tidemark/embedded-log';
import { assert, messageOf, type Topic } from '@tidemark/ports';

const MAGIC = 0x43434454; // "TDCC", little-endian
const VERSION = 1;
const FRAME = { magic: MAGIC, version: VERSION };

/** A copy as it is stored. */
export interface EncodedCopy {
  /** Id of the log's partition `control/0`: 32 hexadecimal digits. */
  readonly logId: string;
  /** The copy has the records of `control` below it. It is higher in each copy with further decisions, independently of clocks. */
  readonly offset: number;
  /** When it was made, whole ms since the Unix epoch. */
  readonly createdMs: number;
  readonly bytes: Uint8Array;
}

/**
 * Copies what `control` has decided, and the list of the log's partitions, to be kept outside of the log: magic, version, CRC-32C,
 * then the message (docs/formats/control-copy.md).
 */
export function encodeControlCopy(
  state: Pick<ControlState, 'checkpoint'>,
  partitions: readonly LogPartition[],
  { createdMs, createdBy }: Pick<ControlCopy, 'createdMs' | 'createdBy'>,
): EncodedCopy {
  const control = partitions.find(({ topic }) => topic === 'control');
  assert(control !== undefined, 'a log has control');
  const checkpoint = state.checkpoint();
  const copy = { createdMs, createdBy, partitions: [...partitions], checkpoint };
  const body = ControlCopy.encode(copy).finish();
  return { logId: toHex(control.id), offset: checkpoint.offset + 1, createdMs, bytes: frameMessage(FRAME, body) };
}

/** A copy that was checked. */
export type WholeCopy = Omit<ControlCopy, 'partitions'> & {
  readonly checkpoint: Checkpoint;
  readonly partitions: readonly MadePartition[];
};

const TOPICS: ReadonlySet<string> = new Set<Topic>(['points', 'tags', 'control', 'windows']);
const ID_BYTES = 16;

/** Decodes a copy; `what` names it in errors. Throws `data_loss` when it is damaged or of a newer program. */
export function decodeControlCopy(bytes: Uint8Array, what: string): WholeCopy {
  const reader = new ByteReader(bytes, what);
  const body = readFramed(reader, FRAME, 'a copy of control');
  const copy = readMessage(body, reader);
  const { checkpoint } = copy;
  if (checkpoint === undefined) return reader.fail('the checkpoint is missing');
  return { ...copy, checkpoint, partitions: copy.partitions.map((one) => checkedPartition(one, reader)) };
}

function readMessage(body: Buffer, reader: ByteReader): ControlCopy {
  try {
    return ControlCopy.decode(body);
  } catch (error) {
    return reader.fail(`not a message: ${messageOf(error)}`);
  }
}

function checkedPartition({ topic, partition, id, remade }: LogPartition, reader: ByteReader): MadePartition {
  if (!TOPICS.has(topic)) reader.fail(`a partition of the topic ${topic.slice(0, 100)}`);
  if (id.length !== ID_BYTES) reader.fail(`an id of ${id.length} bytes (limit: ${ID_BYTES})`);
  if (remade > MOST_REMADE) reader.fail(`a partition that was made again ${remade} times (limit: ${MOST_REMADE})`);
  return { topic: topic as Topic, partition, id, remade };
}
