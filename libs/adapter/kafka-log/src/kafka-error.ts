import { type ErrorCode, type ErrorDetail, isTidemarkError, TidemarkError } from '@tidemark/ports';

/** What an error means for further attempts of the operation. */
interface Outlook {
  /** True when the next attempt may succeed. */
  readonly isPassing: boolean;
  /** True when the leaders of partitions may have changed. */
  readonly isStale: boolean;
  /** For an append, true when the attempt was refused: nothing of it is or will be stored. */
  readonly isNotStored: boolean;
}

/** The error for the caller, made from an error of the client or a broker, and its outlook. */
export interface Failure extends Outlook {
  readonly error: TidemarkError;
}

const HOPELESS: Outlook = { isPassing: false, isStale: false, isNotStored: false };
/** Outlooks of the errors that this package makes. */
const OUTLOOKS = new WeakMap<TidemarkError, Outlook>();

/** Records the outlook of an error that this package makes; without one the error is final. */
export function withOutlook(error: TidemarkError, outlook: Partial<Outlook>): TidemarkError {
  OUTLOOKS.set(error, { ...HOPELESS, ...outlook });
  return error;
}

interface Meaning extends Partial<Outlook> {
  readonly code: ErrorCode;
  readonly text: string;
}

/**
 * Meaning of errors of a leader that was replaced. It sends them also while an append waits for its replicas: the
 * record may be stored.
 */
const MOVED = { code: 'unavailable', isPassing: true, isStale: true } as const;
const DEAD = { code: 'failed_precondition' } as const;
const DENIED = { code: 'permission_denied', isNotStored: true } as const;
const COORDINATOR = { code: 'unavailable', isPassing: true, isNotStored: true } as const;

const MEANINGS: Readonly<Record<string, Meaning>> = {
  NOT_LEADER_OR_FOLLOWER: { ...MOVED, text: 'the partition has another leader' },
  LEADER_NOT_AVAILABLE: { ...MOVED, text: 'the partition has no leader at the moment' },
  REPLICA_NOT_AVAILABLE: { ...MOVED, text: 'the broker does not serve the partition yet' },
  FENCED_LEADER_EPOCH: { ...MOVED, text: 'the partition has a newer leader' },
  UNKNOWN_LEADER_EPOCH: { ...MOVED, text: 'the broker has not yet learned that it leads the partition' },
  OFFSET_NOT_AVAILABLE: { ...MOVED, text: 'the new leader has not yet learned the offsets of its replicas' },
  UNKNOWN_TOPIC_OR_PARTITION: {
    ...MOVED,
    code: 'not_found',
    text: 'the topic or partition does not exist, or this user may not see it',
  },
  UNKNOWN_TOPIC_ID: {
    ...MOVED,
    code: 'not_found',
    text: 'the topic was deleted, or the broker has not yet learned of it',
  },
  INCONSISTENT_TOPIC_ID: { ...MOVED, code: 'not_found', text: 'the topic was deleted and recreated' },
  NOT_ENOUGH_REPLICAS: {
    ...MOVED,
    isNotStored: true,
    text: 'fewer replicas are in sync than min.insync.replicas requires: bring the missing brokers back',
  },
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: {
    ...MOVED,
    text: 'fewer replicas are in sync than min.insync.replicas requires: bring the missing brokers back',
  },
  REQUEST_TIMED_OUT: { ...MOVED, code: 'deadline_exceeded', text: 'the replicas did not confirm in time' },
  KAFKA_STORAGE_ERROR: { ...MOVED, text: "the broker's disk failed or is full: check its log and its disk" },
  NETWORK_EXCEPTION: { ...MOVED, text: 'the broker lost a connection' },
  BROKER_NOT_AVAILABLE: { ...MOVED, text: 'the broker is not available' },
  UNKNOWN_SERVER_ERROR: {
    code: 'unavailable',
    isPassing: true,
    text: 'the broker had an internal error: check its log',
  },
  CORRUPT_MESSAGE: { code: 'unavailable', isPassing: true, text: 'the request arrived damaged' },
  COORDINATOR_LOAD_IN_PROGRESS: { ...COORDINATOR, text: 'the broker is still loading' },
  COORDINATOR_NOT_AVAILABLE: { ...COORDINATOR, text: 'the broker is still starting' },
  NOT_COORDINATOR: { ...COORDINATOR, text: 'the broker is still starting' },
  NOT_CONTROLLER: { ...COORDINATOR, text: 'the controller moved' },
  THROTTLING_QUOTA_EXCEEDED: {
    code: 'unavailable',
    isPassing: true,
    isNotStored: true,
    text: 'a quota of the cluster is exhausted',
  },
  POLICY_VIOLATION: {
    code: 'failed_precondition',
    isNotStored: true,
    text: "the request violates the cluster's policy",
  },
  MESSAGE_TOO_LARGE: {
    code: 'invalid_argument',
    isNotStored: true,
    text: "the record is larger than the topic's max.message.bytes",
  },
  RECORD_LIST_TOO_LARGE: {
    code: 'invalid_argument',
    isNotStored: true,
    text: "the record is larger than the topic's segment.bytes",
  },
  INVALID_RECORD: { ...DEAD, text: 'the broker rejects the record: check that the topic is not compacted' },
  INVALID_TIMESTAMP: { ...DEAD, text: 'message.timestamp.type of the topic must be LogAppendTime' },
  OUT_OF_ORDER_SEQUENCE_NUMBER: {
    ...DEAD,
    text: 'the sequence does not follow the last one that the broker has of this producer',
  },
  DUPLICATE_SEQUENCE_NUMBER: {
    ...DEAD,
    text: 'the sequence was stored earlier, and the broker no longer has its offset',
  },
  INVALID_PRODUCER_EPOCH: { ...DEAD, text: 'the producer was replaced' },
  PRODUCER_FENCED: { ...DEAD, text: 'the producer was replaced' },
  UNKNOWN_PRODUCER_ID: { ...DEAD, text: 'the broker has forgotten the producer' },
  INVALID_PRODUCER_ID_MAPPING: { ...DEAD, text: 'the broker has forgotten the producer' },
  TOPIC_AUTHORIZATION_FAILED: {
    ...DENIED,
    text: 'this user has no right to the topic: grant it Read, Write and Describe',
  },
  CLUSTER_AUTHORIZATION_FAILED: { ...DENIED, text: 'this user has no right to the cluster' },
  SASL_AUTHENTICATION_FAILED: { code: 'unauthenticated', text: 'user or password is wrong', isNotStored: true },
  UNSUPPORTED_SASL_MECHANISM: {
    code: 'unauthenticated',
    isNotStored: true,
    text: 'the broker does not offer this SASL mechanism',
  },
  UNSUPPORTED_VERSION: { ...DEAD, isNotStored: true, text: 'the broker is too old: Kafka 3.9 or later is needed' },
  TOPIC_ALREADY_EXISTS: { code: 'already_exists', text: 'a topic of that name exists' },
  INVALID_REPLICATION_FACTOR: { ...DEAD, text: 'the cluster has fewer brokers than the requested number of replicas' },
  INVALID_PARTITIONS: { ...DEAD, text: 'the cluster rejects the number of partitions' },
  INVALID_CONFIG: { ...DEAD, text: 'the cluster rejects a setting' },
  INVALID_TOPIC_EXCEPTION: { ...DEAD, text: 'the cluster rejects the name of the topic' },
  INVALID_REQUEST: { ...DEAD, text: 'the broker rejects the request' },
  OFFSET_OUT_OF_RANGE: { code: 'out_of_range', text: 'the log does not have this offset', isStale: true },
};

/**
 * Turns anything that a call threw into one error with its cause. `doing` names the operation, its subject and the
 * broker: `append to tidemark-points/3 at broker 2 (10.0.0.7:9092)`.
 */
export function failureOf(thrown: unknown, doing: string, detail: ErrorDetail = {}): Failure {
  if (isTidemarkError(thrown)) return own(thrown, doing, detail);
  const kafkaError = kafkaErrorOf(thrown);
  if (kafkaError !== undefined) {
    const meaning = MEANINGS[kafkaError] ?? {
      code: 'unavailable',
      text: 'the broker refused the request',
      isPassing: true,
    };
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

/** The failure of an error that this package made: it gets its context, unless it names a partition already. */
function own(error: TidemarkError, doing: string, detail: ErrorDetail): Failure {
  const outlook = OUTLOOKS.get(error) ?? HOPELESS;
  if ('topic' in error.detail || !('topic' in detail)) return { ...outlook, error };
  const text = `${doing}: ${error.message}`;
  const placed = new TidemarkError(error.code, text, { ...error.detail, ...detail }, { cause: error });
  return { ...outlook, error: withOutlook(placed, outlook) };
}

/**
 * The meaning of an error without a broker's answer: connection, TLS, authentication, or a peer that does not speak
 * Kafka.
 */
function connectionMeaning(thrown: unknown): Meaning {
  const text = messages(thrown);
  if (text.includes('Broker requires TLS')) {
    return { ...DEAD, isNotStored: true, text: 'the broker requires TLS, and no TLS is set' };
  }
  if (/TLS handshake failed|wrong version number|packet length too long|EPROTO/.test(text)) {
    return { ...DEAD, isNotStored: true, text: `TLS is set, and the port does not speak TLS: ${text}` };
  }
  if (/certificate|altname|self.signed|CERT_|unable to verify/i.test(text)) {
    return { ...DEAD, isNotStored: true, text: `the broker's certificate is not accepted: ${text}` };
  }
  if (/SASL|authenticat/i.test(text)) return { code: 'unauthenticated', isNotStored: true, text };
  if (/timed out/i.test(text)) return { ...MOVED, code: 'deadline_exceeded', text: `no answer in time: ${text}` };
  return { ...MOVED, text };
}

/**
 * The shape of an error. A class check would fail: errors of Node itself are of another realm in some test
 * environments.
 */
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

/** The broker's name of an error, found at any depth of the thrown value. */
export function kafkaErrorOf(thrown: unknown): string | undefined {
  return find(thrown, ({ apiId }) => (typeof apiId === 'string' ? apiId : undefined));
}

function brokerSaid(thrown: unknown): string | undefined {
  return find(thrown, ({ serverErrorMessage: said }) => (typeof said === 'string' ? said : undefined));
}

/** The answer, of any shape, that came with an error: the client throws when any part of an answer has an error. */
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
