import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, type ConnectOptions, connect } from '@tidemark/client';
import { KafkaCluster } from '@tidemark/kafka-brokers';
import { LocalCluster, type LocalClusterOptions } from '@tidemark/local-cluster';

export interface ClusterHarnessOptions extends Omit<LocalClusterOptions, 'folder' | 'brokers'> {
  /** Options of the client, which knows every intake. */
  readonly client: Omit<ConnectOptions, 'address'>;
}

/** Three brokers, the processes of a cluster over them, and a client of its intakes, all in one temporary folder. */
export class ClusterHarness {
  readonly folder: string;
  readonly kafka: KafkaCluster;
  readonly cluster: LocalCluster;
  readonly client: Client;

  private constructor(folder: string, kafka: KafkaCluster, cluster: LocalCluster, client: Client) {
    this.folder = folder;
    this.kafka = kafka;
    this.cluster = cluster;
    this.client = client;
  }

  /** `optionsOf` gets the folder, where it may write files for the processes. */
  static async start(optionsOf: (folder: string) => Promise<ClusterHarnessOptions>): Promise<ClusterHarness> {
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-cluster-'));
    let kafka: KafkaCluster | undefined;
    let cluster: LocalCluster | undefined;
    try {
      const { client: clientOptions, ...options } = await optionsOf(folder);
      kafka = await KafkaCluster.start({ brokers: 3 });
      cluster = await LocalCluster.start({ ...options, folder, brokers: kafka.bootstrap });
      const address: string[] = [];
      for (const intake of cluster.of('intake')) address.push(cluster.address(intake, 'grpc'));
      const client = await connect({ ...clientOptions, address });
      return new ClusterHarness(folder, kafka, cluster, client);
    } catch (error) {
      await cluster?.kill();
      await kafka?.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.client.close();
    await this.cluster.kill();
    await this.kafka.close();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
