import { createAPI, protocolErrorsCodesById, type Reader, ResponseError, Writer } from '@platformatic/kafka';

/** The `acks` value: all in-sync replicas must have a record before it is acknowledged. */
const ALL_IN_SYNC = -1;
const PRODUCE = 0;
const UNKNOWN_SERVER_ERROR = -1;
/**
 * The first version that names a topic by its id, so that a new topic of the same name is not mistaken for the old one.
 */
export const PRODUCE_BY_ID = 13;
export const PRODUCE_BY_NAME = 11;

export interface ProduceTarget {
  readonly topicId: string;
  readonly topicName: string;
  readonly partition: number;
}

export interface Produced {
  readonly baseOffset: bigint;
  /** Append time, ms; −1 when the topic keeps the producers' timestamps. */
  readonly logAppendTimeMs: bigint;
}

/** The Produce request of one batch to one partition. The client's own call of these versions has no topic ids. */
function produceCall(version: typeof PRODUCE_BY_ID | typeof PRODUCE_BY_NAME) {
  const isById = version === PRODUCE_BY_ID;
  return createAPI<[target: ProduceTarget, batch: Buffer, timeoutMs: number], Produced>(
    PRODUCE,
    version,
    (target: ProduceTarget, batch: Buffer, timeoutMs: number) => {
      const writer = Writer.create().appendString(null).appendInt16(ALL_IN_SYNC).appendInt32(timeoutMs);
      return writer
        .appendArray([target], (w, { topicId, topicName, partition }) => {
          if (isById) w.appendUUID(topicId);
          else w.appendString(topicName);
          w.appendArray([partition], (each, index) => {
            each.appendInt32(index).appendBytes(batch);
          });
        })
        .appendTaggedFields();
    },
    (_correlationId, _key, _version, reader) => parse(reader, version),
  );
}

export const produceById = produceCall(PRODUCE_BY_ID);
export const produceByName = produceCall(PRODUCE_BY_NAME);

function parse(reader: Reader, version: number): Produced {
  const [produced] = reader.readArray((topic) => {
    if (version === PRODUCE_BY_ID) topic.readUUID();
    else topic.readString();
    return topic.readArray((r) => {
      r.readInt32();
      const errorCode = r.readInt16();
      const baseOffset = r.readInt64();
      const logAppendTimeMs = r.readInt64();
      r.readInt64();
      const reasons = r.readArray((each) => {
        each.readInt32();
        return each.readNullableString();
      });
      const message = r.readNullableString() ?? reasons.find((reason) => reason !== null) ?? null;
      return { errorCode, baseOffset, logAppendTimeMs, message };
    })[0];
  });
  reader.readInt32();
  reader.readTaggedFields();
  const { errorCode, message } = produced ?? {
    errorCode: UNKNOWN_SERVER_ERROR,
    message: 'the answer has no partition',
  };
  if (errorCode === 0) return produced;
  // The client has names only for the error codes that existed at its release.
  const known = protocolErrorsCodesById[errorCode] === undefined ? UNKNOWN_SERVER_ERROR : errorCode;
  throw new ResponseError(PRODUCE, version, { '/': [known, message ?? `error code ${errorCode}`] }, produced);
}
