import { Admin, alterPartitionReassignmentsV1, Base } from '@platformatic/kafka';

/** Administration of a cluster by tests, without the log. */
export class ClusterAdmin {
  readonly admin: Admin;
  readonly #base: Base;

  constructor(bootstrapBrokers: readonly string[]) {
    const options = { clientId: 'test-admin', bootstrapBrokers: [...bootstrapBrokers], retries: 20, retryDelay: 200 };
    this.admin = new Admin(options);
    this.#base = new Base(options);
  }

  /** Leader, replicas and in-sync replicas of each partition. */
  async partitions(topic: string): Promise<{ leader: number; replicas: number[]; inSync: number[] }[]> {
    const metadata = await this.#base.metadata({ topics: [topic], forceUpdate: true });
    const found = metadata.topics.get(topic)?.partitions ?? [];
    return found.map(({ leader, replicas, isr }) => ({ leader, replicas, inSync: isr ?? [] }));
  }

  /** Moves a partition to these brokers; the first one will be its preferred leader. */
  async reassign(topic: string, partition: number, replicas: number[]): Promise<void> {
    const metadata = await this.#base.metadata({ topics: [topic], forceUpdate: true });
    const [broker] = metadata.brokers.keys();
    const connection = (await this.#base.connectToBrokers([broker])).get(broker);
    if (connection === undefined) throw new Error('no connection');
    const partitions = [{ partitionIndex: partition, replicas }];
    await alterPartitionReassignmentsV1.api.async(connection, 30_000, true, [{ name: topic, partitions }]);
  }

  async close(): Promise<void> {
    await this.admin.close();
    await this.#base.close();
  }
}
