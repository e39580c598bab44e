import { type ErrorCode, type ErrorDetail, isTidemarkError, TidemarkError } from '@tidemark/ports';

/** What follows from an error for whoever tries something. */
interface Outlook {
  /** It may work at the next attempt. */
  readonly isPassing: boolean;
  /** Who leads which partition may have changed. */
  readonly isStale: boolean;
  /** Of an append: the attempt was refused, nothing of it is or will be stored. */
  readonly isNotStored: boolean;
}

/** What an error of the client or a broker means for the caller. */
export interface Failure extends Outlook {
  readonly error: TidemarkError;
}

const HOPELESS: Outlook = { isPassing: false, isStale: false, isNotStored: false };
/** Of errors that are made here. */
const OUTLOOKS = new WeakMap<TidemarkError, Outlook>();

/** Notes what follows from an error that is made here; without it the error is final. */
export function withOutlook(error: TidemarkError, outlook: Partial<Outlook>): TidemarkError {
  OUTLOOKS.set(error, { ...HOPELESS, ...outlook });
  return error;
}

interface Meaning extends Partial<Outlook> {
  readonly code: ErrorCode;
  readonly text: string;
}

/** A leader that is replaced while an append waits for its replicas says so, too: the record may well be stored. */
const MOVED = { code: 'unavailable', isPassing: true, isStale: true } as const;
const DEAD = { code: 'failed_precondition' } as const;
const DENIED = { code: 'permission_denied', isNotStored: true } as const;
const COORDINATOR = { code: 'unavailable', isPassing: true, isNotStored: true } as const;

const MEANINGS: Readonly<Record<string, Meaning>> = {
  NOT_LEADER_OR_FOLLOWER: { ...MOVED, text: 'the partition has another leader' },
  LEADER_NOT_AVAILABLE: { ...MOVED, text: 'the partition has no leader at the moment' },
  REPLICA_NOT_AVAILABLE: { ...MOVED, text: 'the broker does not serve the partition yet' },
  FENCED_LEADER_EPOCH: { ...MOVED, text: 'the partition has a newer leader' },
  UNKNOWN_LEADER_EPOCH: { ...MOVED, text: 'the broker does not know yet that it leads the partition' },
  OFFSET_NOT_AVAILABLE: { ...MOVED, text: 'the new leader does not know yet how far its replicas are' },
  UNKNOWN_TOPIC_OR_PARTITION: {
    ...MOVED,
    code: 'not_found',
    text: 'there is no such topic or partition, or this client may not see it',
  },
  UNKNOWN_TOPIC_ID: { ...MOVED, code: 'not_found', text: 'the topic was deleted, or the broker does not know it yet' },
  INCONSISTENT_TOPIC_ID: { ...MOVED, code: 'not_found', text: 'the topic was deleted and made anew' },
  NOT_ENOUGH_REPLICAS: {
    ...MOVED,
    isNotStored: true,
    text: 'fewer replicas are in sync than min.insync.replicas asks for: bring brokers back',
  },
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: {
    ...MOVED,
    text: 'fewer replicas are in sync than min.insync.replicas asks for: bring brokers back',
  },
  REQUEST_TIMED_OUT: { ...MOVED, code: 'deadline_exceeded', text: 'the replicas did not follow in time' },
  KAFKA_STORAGE_ERROR: { ...MOVED, text: "the broker's disk failed or is full: look at its log and its disk" },
  NETWORK_EXCEPTION: { ...MOVED, text: 'the broker lost a connection' },
  BROKER_NOT_AVAILABLE: { ...MOVED, text: 'the broker is not available' },
  UNKNOWN_SERVER_ERROR: { code: 'unavailable', isPassing: true, text: 'the broker met an error: look at its log' },
  CORRUPT_MESSAGE: { code: 'unavailable', isPassing: true, text: 'the request arrived damaged' },
  COORDINATOR_LOAD_IN_PROGRESS: { ...COORDINATOR, text: 'the broker is still loading' },
  COORDINATOR_NOT_AVAILABLE: { ...COORDINATOR, text: 'the broker is still starting' },
  NOT_COORDINATOR: { ...COORDINATOR, text: 'the broker is still starting' },
  NOT_CONTROLLER: { ...COORDINATOR, text: 'the controller moved' },
  THROTTLING_QUOTA_EXCEEDED: { code: 'unavailable', isPassing: true, isNotStored: true, text: 'a quota is used up' },
  POLICY_VIOLATION: { code: 'failed_precondition', isNotStored: true, text: "it breaks the cluster's policy" },
  MESSAGE_TOO_LARGE: {
    code: 'invalid_argument',
    isNotStored: true,
    text: "the record is larger than the topic's max.message.bytes",
  },
  RECORD_LIST_TOO_LARGE: { code: 'invalid_argument', isNotStored: true, text: 'the record is too large for a segment' },
  INVALID_RECORD: { ...DEAD, text: 'the broker takes no such record: is the topic compacted?' },
  INVALID_TIMESTAMP: { ...DEAD, text: 'message.timestamp.type of the topic must be LogAppendTime' },
  OUT_OF_ORDER_SEQUENCE_NUMBER: { ...DEAD, text: "the broker misses a sequence of this producer's" },
  DUPLICATE_SEQUENCE_NUMBER: { ...DEAD, text: 'the sequence was stored long ago' },
  INVALID_PRODUCER_EPOCH: { ...DEAD, text: 'the producer was replaced' },
  PRODUCER_FENCED: { ...DEAD, text: 'the producer was replaced' },
  UNKNOWN_PRODUCER_ID: { ...DEAD, text: 'the broker does not know the producer any more' },
  INVALID_PRODUCER_ID_MAPPING: { ...DEAD, text: 'the broker does not know the producer any more' },
  TOPIC_AUTHORIZATION_FAILED: {
    ...DENIED,
    text: 'this user has no right to the topic: it needs Read, Write, Describe',
  },
  CLUSTER_AUTHORIZATION_FAILED: { ...DENIED, text: 'this user lacks a right to the cluster' },
  SASL_AUTHENTICATION_FAILED: { code: 'unauthenticated', text: 'user or password is wrong', isNotStored: true },
  UNSUPPORTED_SASL_MECHANISM: {
    code: 'unauthenticated',
    isNotStored: true,
    text: 'the broker does not offer this SASL mechanism',
  },
  UNSUPPORTED_VERSION: { ...DEAD, isNotStored: true, text: 'the broker is too old: Kafka 3.9 or later is needed' },
  TOPIC_ALREADY_EXISTS: { code: 'already_exists', text: 'there is a topic of that name' },
  INVALID_REPLICATION_FACTOR: { ...DEAD, text: 'the cluster has fewer brokers than copies are asked for' },
  INVALID_PARTITIONS: { ...DEAD, text: 'the cluster does not take this number of partitions' },
  INVALID_CONFIG: { ...DEAD, text: 'the cluster does not take a setting' },
  INVALID_TOPIC_EXCEPTION: { ...DEAD, text: 'the cluster does not take this name of a topic' },
  INVALID_REQUEST: { ...DEAD, text: 'the broker does not take the request' },
  OFFSET_OUT_OF_RANGE: { code: 'out_of_range', text: 'the log does not have this offset', isStale: true },
};

/**
 * Turns whatever a call threw into one error with its cause. `doing` says what was tried, of what and at which broker:
 * `append to tidemark-points/3 at broker 2 (10.0.0.7:9092)`.
 */
export function failureOf(thrown: unknown, doing: string, detail: ErrorDetail = {}): Failure {
  if (isTidemarkError(thrown)) return own(thrown, doing, detail);
  const kafkaError = kafkaErrorOf(thrown);
  if (kafkaError !== undefined) {
    const meaning = MEANINGS[kafkaError] ?? { code: 'unavailable', text: 'the broker refused', isPassing: true };
    const said = brokerSaid(thrown);
    const text = `${doing}: ${meaning.text} (${kafkaError}${said === undefined ? '' : `: ${said}`})`;
    return failure(meaning, new TidemarkError(meaning.code, text, { ...detail, kafkaError }, { cause: thrown }));
  }
  const meaning = connectionMeaning(thrown);
  return failure(meaning, new TidemarkError(meaning.code, `${doing}: ${meaning.text}`, detail, { cause: thrown }));
}

function failure({ isPassing = false, isStale = false, isNotStored = false }: Meaning, error: TidemarkError): Failure {
  return { error, isPassing, isStale, isNotStored };
}

/** An error that was made here: it gets its context, when it was not about a partition from the beginning. */
function own(error: TidemarkError, doing: string, detail: ErrorDetail): Failure {
  const outlook = OUTLOOKS.get(error) ?? HOPELESS;
  if ('topic' in error.detail || !('topic' in detail)) return { ...outlook, error };
  const text = `${doing}: ${error.message}`;
  const told = new TidemarkError(error.code, text, { ...error.detail, ...detail }, { cause: error });
  return { ...outlook, error: withOutlook(told, outlook) };
}

/** No broker answered: connection, TLS, authentication, or something that does not speak Kafka. */
function connectionMeaning(thrown: unknown): Meaning {
  const text = messages(thrown);
  if (text.includes('Broker requires TLS')) {
    return { ...DEAD, isNotStored: true, text: 'the broker speaks TLS, and no TLS is set' };
  }
  if (/TLS handshake failed|wrong version number|packet length too long|EPROTO/.test(text)) {
    return { ...DEAD, isNotStored: true, text: `the port does not speak TLS, and TLS is set: ${text}` };
  }
  if (/certificate|altname|self.signed|CERT_|unable to verify/i.test(text)) {
    return { ...DEAD, isNotStored: true, text: `the broker's certificate is not accepted: ${text}` };
  }
  if (/SASL|authenticat/i.test(text)) return { code: 'unauthenticated', isNotStored: true, text };
  if (/timed out/i.test(text)) return { ...MOVED, code: 'deadline_exceeded', text: `no answer in time: ${text}` };
  return { ...MOVED, text };
}

/** An error by its looks: those of Node itself are of another realm in some test environments. */
interface Thrown {
  readonly message: string;
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
  readonly [key: string]: unknown;
}

const CAUSES = 6;

function isThrown(thrown: unknown): thrown is Thrown {
  return typeof thrown === 'object' && thrown !== null && 'message' in thrown && typeof thrown.message === 'string';
}

/** All messages of an error and its causes, the outermost first. */
function messages(thrown: unknown): string {
  const found: string[] = [];
  for (let error = thrown; isThrown(error) && found.length < CAUSES; error = error.cause) {
    const code = typeof error.code === 'string' && !error.code.startsWith('PLT_') ? error.code : '';
    found.push(code === '' || error.message.includes(code) ? error.message : `${error.message} (${code})`.trim());
    if (Array.isArray(error.errors)) found.push(...error.errors.slice(0, 2).map(messages));
  }
  return found.filter(Boolean).join(' ') || String(thrown);
}

/** The broker's name of an error, wherever it stands in what was thrown. */
export function kafkaErrorOf(thrown: unknown): string | undefined {
  return find(thrown, ({ apiId }) => (typeof apiId === 'string' ? apiId : undefined));
}

function brokerSaid(thrown: unknown): string | undefined {
  return find(thrown, ({ serverErrorMessage: said }) => (typeof said === 'string' ? said : undefined));
}

/** The answer that came with an error, of whatever shape: the client throws when any part of an answer has an error. */
export function answerOf(thrown: unknown): unknown {
  return find(thrown, ({ response }) => response ?? undefined);
}

function find<T>(thrown: unknown, pick: (error: Thrown) => T | undefined): T | undefined {
  if (!isThrown(thrown)) return undefined;
  const own = pick(thrown);
  if (own !== undefined) return own;
  const inside: readonly unknown[] = Array.isArray(thrown.errors) ? thrown.errors : [];
  for (const error of [...inside, thrown.cause]) {
    const found = find(error, pick);
    if (found !== undefined) return found;
  }
  return undefined;
}
