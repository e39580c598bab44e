import type { Finding } from './finding.ts';
import { counted, listed } from './format-values.ts';
import type { Observations } from './observations.ts';

/** Finds brokers that don't answer, and topics with wrong settings. */
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
        ? 'no point is accepted; clients keep their points; queries answer up to the last record that the stores have read'
        : 'writes continue while two replicas of each partition are in sync; one more broker failure stops them',
      next: "check that the brokers run and that kafka.brokers is right; a broker's own log has the reason why it ended",
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
      means: 'the topic may lose acknowledged points, or lacks partitions; processes refuse to use it',
      next: 'correct the topic as the message says (kafka-configs.sh --alter, kafka-topics.sh), then restart the processes that refused it',
    },
  ];
}
