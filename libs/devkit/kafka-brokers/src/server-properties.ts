/** Input for the settings of a broker. */
export interface ServerPlan {
  readonly id: number;
  readonly brokers: number;
  /** Port of each broker's controller, by id; the port of the link where there is one. */
  readonly voters: ReadonlyMap<number, number>;
  /** Ports on which the broker listens. */
  readonly ports: BrokerPorts;
  /** Ports that it advertises to clients and brokers: its own, or those of links to it. */
  readonly advertised: Pick<BrokerPorts, 'client' | 'broker'>;
  /** Further listeners for clients; each advertises only its own address. */
  readonly routes?: readonly { readonly port: number; readonly advertised: number }[];
  readonly dataFolder: string;
  readonly security: ListenerSecurity;
  /** Settings that differ from the defaults, by their name in Kafka. */
  readonly properties: Readonly<Record<string, string>>;
}

/** One listener for clients, one between the brokers, and one for the quorum of controllers. */
export interface BrokerPorts {
  readonly client: number;
  readonly broker: number;
  readonly controller: number;
}

/** Security of the listener for clients. */
export interface ListenerSecurity {
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  readonly keyStore?: { readonly path: string; readonly password: string };
  /** Passwords by name, for SASL; the mechanisms PLAIN and SCRAM-SHA-512 both accept them. */
  readonly users?: Readonly<Record<string, string>>;
}

const HOST = '127.0.0.1';

/** Returns the text of `server.properties`. */
export function serverProperties(plan: ServerPlan): string {
  const { id, brokers, ports, advertised, voters, routes = [] } = plan;
  const copies = String(Math.min(brokers, 3));
  const minInSync = brokers < 3 ? '1' : '2';
  const all: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': String(id),
    'controller.quorum.voters': [...voters].map(([voter, port]) => `${voter}@${HOST}:${port}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    listeners: [
      `CLIENT://${HOST}:${ports.client},BROKER://${HOST}:${ports.broker},CONTROLLER://${HOST}:${ports.controller}`,
      ...routes.map(({ port }, i) => `ROUTE${i}://${HOST}:${port}`),
    ].join(','),
    'advertised.listeners': [
      `CLIENT://${HOST}:${advertised.client},BROKER://${HOST}:${advertised.broker}`,
      ...routes.map((route, i) => `ROUTE${i}://${HOST}:${route.advertised}`),
    ].join(','),
    'listener.security.protocol.map': [
      `CLIENT:${plan.security.protocol},BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT`,
      ...routes.map((_, i) => `ROUTE${i}:PLAINTEXT`),
    ].join(','),
    'inter.broker.listener.name': 'BROKER',
    'log.dirs': plan.dataFolder,
    'auto.create.topics.enable': 'false',
    'default.replication.factor': copies,
    'min.insync.replicas': minInSync,
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': minInSync,
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': minInSync,
    'group.initial.rebalance.delay.ms': '0',
    ...FOOTPRINT,
    ...FAIL_OVER,
    ...securityProperties(plan.security),
    ...Object.fromEntries(routes.map((_, i) => [`listener.name.route${i}.num.network.threads`, '1'])),
    ...plan.properties,
  };
  return `${Object.entries(all)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n')}\n`;
}

/** Settings that let a small machine run several brokers. */
const FOOTPRINT = {
  'log.cleaner.dedupe.buffer.size': '4194304',
  'log.cleaner.threads': '1',
  'num.network.threads': '2',
  'num.io.threads': '4',
  'log.segment.delete.delay.ms': '1000',
};

/** Settings that replace a killed broker within about 3 s instead of about 9 s by Kafka's defaults. */
const FAIL_OVER = {
  'broker.heartbeat.interval.ms': '500',
  'broker.session.timeout.ms': '3000',
  'controller.quorum.election.timeout.ms': '500',
  'controller.quorum.fetch.timeout.ms': '1000',
  'controller.quorum.election.backoff.max.ms': '500',
  'replica.lag.time.max.ms': '5000',
};

function securityProperties({ protocol, keyStore, users }: ListenerSecurity): Record<string, string> {
  const properties: Record<string, string> = {};
  if (keyStore !== undefined) {
    properties['listener.name.client.ssl.keystore.type'] = 'PKCS12';
    properties['listener.name.client.ssl.keystore.location'] = keyStore.path;
    properties['listener.name.client.ssl.keystore.password'] = keyStore.password;
    properties['listener.name.client.ssl.key.password'] = keyStore.password;
  }
  if (protocol.startsWith('SASL')) {
    const known = Object.entries(users ?? {}).map(([name, password]) => ` user_${name}="${password}"`);
    const module = 'org.apache.kafka.common.security';
    properties['listener.name.client.sasl.enabled.mechanisms'] = 'PLAIN,SCRAM-SHA-512';
    properties['listener.name.client.plain.sasl.jaas.config'] =
      `${module}.plain.PlainLoginModule required${known.join('')};`;
    properties['listener.name.client.scram-sha-512.sasl.jaas.config'] = `${module}.scram.ScramLoginModule required;`;
  }
  return properties;
}
