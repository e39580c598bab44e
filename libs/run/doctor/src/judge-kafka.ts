import type { Finding } from './finding.ts';
import type { Observations } from './observations.ts';
import { counted, listed } from './words.ts';

/** Brokers that don't answer, and topics that are not as they must be. */
export function judgeKafka({ kafka }: Observations): Finding[] {
  if (kafka === undefined) return [];
  return [...brokers(kafka), ...topics(kafka)];
}

type Kafka = NonNullable<Observations['kafka']>;

function brokers({ brokers: all, unreachable, problem }: Kafka): Finding[] {
  if (problem === '' && unreachable.length === 0) return [];
  const isAll = problem !== '' || unreachable.length >= all.length;
  const names = unreachable.map(({ broker }) => broker);
  const reason = unreachable[0]?.reason ?? problem;
  const what = isAll
    ? `no broker of ${listed(all)} answers: ${problem === '' ? reason : problem}`
    : `${counted(names.length, 'broker')} of ${all.length} ${names.length === 1 ? 'does' : 'do'} not answer (${listed(names)}): ${reason}`;
  return [
    {
      kind: 'kafka',
      severity: isAll ? 'broken' : 'degraded',
      what,
      sinceMs: undefined,
      means: isAll
        ? 'no point is taken; clients keep theirs; queries answer as far as the stores have read'
        : 'as long as two replicas of each partition are in sync all goes on; the next broker that fails stops it',
      next: "are the brokers running, and is kafka.brokers right? the broker's own log says why it ended",
    },
  ];
}

function topics({ topics: wrong }: Kafka): Finding[] {
  if (wrong.length === 0) return [];
  return [
    {
      kind: 'topics',
      severity: 'broken',
      what: wrong.join('; '),
      sinceMs: undefined,
      means: 'an acknowledged point may not be safe, or has no place: processes refuse to work on such topics',
      next: 'set the topic as the message says (kafka-configs.sh --alter, kafka-topics.sh), then restart what refused',
    },
  ];
}
