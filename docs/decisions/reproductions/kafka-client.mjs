// biome-ignore-all lint/suspicious/noConsole: a script that is read at the terminal.
// biome-ignore-all lint/correctness/noUndeclaredDependencies: both clients are installed into a folder of their own.
/**
 * Shows what decision 0001 rests on, against a real Kafka 4.4.0:
 *
 * 1. The high-level producer of `@platformatic/kafka` 2.12.1 stores a record for a partition that does not exist in
 *    another partition, without an error; its wire call is refused by the broker.
 * 2. The idempotent producer of `kafkajs` 2.2.4 gives a sequence number a second time, to another message, after the
 *    replies to the first were lost: the second is acknowledged and stored nowhere.
 *
 *   npx node docs/decisions/reproductions/kafka-client.mjs
 *
 * Needs `java` (17 or later) and `mvn`, which fetches the broker from Maven Central; both clients come from npm. All
 * goes into a temporary folder, except for Maven's own cache. Exits with 0 when both are as the decision says, with 1 when
 * not, and with 77 when java or mvn is not there.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const KAFKA = '4.4.0';
const PRODUCE = 0;
const START_MS = 90_000;
const PARTITIONS = 2;

for (const program of ['java', 'mvn']) {
  if (spawnSync(program, ['-version'], { stdio: 'ignore' }).status !== 0) {
    console.log(`skipped: ${program} is not there`);
    process.exit(77);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'kafka-client-'));
const require = createRequire(join(folder, 'package.json'));
let broker;
let proxy;
try {
  console.log(`node ${process.version}, Kafka ${KAFKA}`);
  installClients();
  fetchBroker();
  proxy = await lossyProxy();
  await startBroker();
  const first = await remapsPartitions();
  const second = await reusesSequence();
  const asDecided = first && second;
  console.log(asDecided ? 'as decision 0001 says' : 'NOT as decision 0001 says: check the decision again');
  process.exitCode = asDecided ? 0 : 1;
} finally {
  proxy?.server.close();
  if (broker !== undefined) {
    const ended = new Promise((resolve) => broker.once('exit', resolve));
    broker.kill('SIGKILL');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
}
// Clients that lost their broker keep timers.
process.exit();

/** Claim 1. */
async function remapsPartitions() {
  const K = await import(pathToFileURL(require.resolve('@platformatic/kafka')).href);
  const options = { clientId: 'reproduction', bootstrapBrokers: [`127.0.0.1:${proxy.port}`] };
  const admin = new K.Admin(options);
  await admin.createTopics({ topics: ['high', 'wire', 'sequence'], partitions: PARTITIONS, replicas: 1 });
  await leaders(admin, ['high', 'wire', 'sequence']);

  const producer = new K.Producer(options);
  const value = Buffer.from('for partition 7');
  const sent = await producer.send({ messages: [{ topic: 'high', partition: 7, key: value, value }], acks: -1 });
  const landed = sent.offsets[0].partition;
  console.log(`high-level send to partition 7 of ${PARTITIONS}: no error, stored in partition ${landed}`);

  const base = new K.Base(options);
  const connection = (await base.connectToBrokers([1])).get(1);
  let refusal = 'no error';
  try {
    const message = { topic: 'wire', partition: 7, key: value, value, timestamp: BigInt(Date.now()) };
    await K.produceV11.api.async(connection, -1, 5000, [message], {});
  } catch (error) {
    refusal = K.findErrorBy?.(error, 'apiId', 'UNKNOWN_TOPIC_OR_PARTITION')?.apiId ?? String(error);
  }
  console.log(`wire-level produce to partition 7 of ${PARTITIONS}: ${refusal}`);
  await Promise.all([producer.close(), base.close(), admin.close()]);
  return landed === 7 % PARTITIONS && refusal === 'UNKNOWN_TOPIC_OR_PARTITION';
}

/** Claim 2. */
async function reusesSequence() {
  const { Kafka, logLevel } = require('kafkajs');
  const retry = { retries: 1, initialRetryTime: 50 };
  const kafka = new Kafka({
    brokers: [`127.0.0.1:${proxy.port}`],
    logLevel: logLevel.NOTHING,
    requestTimeout: 5000,
    retry,
  });
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, retry });
  await producer.connect();
  const send = (value) => producer.send({ topic: 'sequence', acks: -1, messages: [{ partition: 0, value }] });
  await send('0');

  proxy.dropProduceReplies = true;
  const failure = await send('A').then(
    () => undefined,
    (error) => error,
  );
  proxy.dropProduceReplies = false;
  console.log(`message A, replies dropped: ${failure?.name ?? 'acknowledged'}`);
  const [ack] = await send('B');
  console.log(`message B: acknowledged at offset ${ack.baseOffset}`);
  await producer.disconnect();

  const stored = await readAll(kafka);
  console.log(`stored: ${stored.join(', ')}`);
  return failure !== undefined && ack.errorCode === 0 && stored.includes('A') && !stored.includes('B');
}

/** All values of the topic's first partition. A last message, by another producer, says where the end is. */
async function readAll(kafka) {
  const other = kafka.producer();
  await other.connect();
  await other.send({ topic: 'sequence', messages: [{ partition: 0, value: 'end' }] });
  await other.disconnect();
  const consumer = kafka.consumer({ groupId: 'reproduction' });
  await consumer.connect();
  await consumer.subscribe({ topic: 'sequence', fromBeginning: true });
  const values = [];
  await new Promise((resolve, reject) => {
    const eachMessage = async ({ message }) => {
      values.push(message.value.toString());
      if (values.at(-1) === 'end') resolve();
    };
    consumer.run({ eachMessage }).catch(reject);
  });
  await consumer.disconnect();
  return values;
}

async function leaders(admin, topics) {
  const deadline = Date.now() + START_MS;
  for (;;) {
    const metadata = await admin.metadata({ topics, forceUpdate: true }).catch(() => undefined);
    const all = topics.every((topic) => {
      const partitions = metadata?.topics.get(topic)?.partitions;
      return partitions?.length === PARTITIONS && partitions.every(({ leader }) => leader >= 0);
    });
    if (all) return;
    if (Date.now() > deadline) throw new Error('the topics have no leaders');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function installClients() {
  const specifiers = ['@platformatic/kafka@2.12.1', 'kafkajs@2.2.4'];
  console.log(`installing ${specifiers.join(' and ')} …`);
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...specifiers], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function fetchBroker() {
  console.log('fetching the broker from Maven Central …');
  const dependency = (groupId, artifactId, version) =>
    `<dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>`;
  // Without a binding of slf4j the broker logs nothing at all.
  const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>reproduction</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${dependency('org.apache.kafka', 'kafka_2.13', KAFKA)}
${dependency('org.apache.logging.log4j', 'log4j-slf4j-impl', '2.25.5')}</dependencies></project>`;
  writeFileSync(join(folder, 'pom.xml'), pom);
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
  execFileSync('mvn', ['-q', '-B', goal, '-DoutputDirectory=libs', '-DincludeScope=runtime'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** One broker, which is its own controller, that makes clients connect through the proxy. */
async function startBroker() {
  const [controllerPort] = await freePorts(1);
  const properties = join(folder, 'server.properties');
  const lines = [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    'controller.listener.names=CONTROLLER',
    `listeners=PLAINTEXT://127.0.0.1:${proxy.brokerPort},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${proxy.port}`,
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name=PLAINTEXT',
    `log.dirs=${join(folder, 'data')}`,
    'auto.create.topics.enable=false',
    'offsets.topic.replication.factor=1',
    'offsets.topic.num.partitions=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'transaction.state.log.num.partitions=1',
    'group.initial.rebalance.delay.ms=0',
    'log.cleaner.dedupe.buffer.size=4194304',
  ];
  writeFileSync(properties, lines.join('\n'));
  const java = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', join(folder, 'libs', '*')];
  const clusterId = randomBytes(16).toString('base64url');
  execFileSync('java', [...java, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties], {
    stdio: 'ignore',
  });
  mkdirSync(join(folder, 'logs'));
  const out = openSync(join(folder, 'logs', 'broker.log'), 'w');
  broker = spawn('java', [...java, 'kafka.Kafka', properties], { stdio: ['ignore', out, out] });
  console.log('starting the broker …');
  await answering(proxy.brokerPort);
}

/** Resolves once the broker lists itself in its metadata. */
async function answering(port) {
  // Metadata, version 0: size, api key, version, correlation id, no client id, no topics named.
  const request = Buffer.alloc(18);
  request.writeInt32BE(14, 0);
  request.writeInt16BE(3, 4);
  request.writeInt32BE(7, 8);
  request.writeInt16BE(-1, 12);
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline && broker.exitCode === null) {
    if ((await brokersKnownTo(port, request)) > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const log = join(folder, 'logs', 'broker.log');
  throw new Error(`the broker did not start\n${existsSync(log) ? readFileSync(log, 'utf8').slice(-2000) : ''}`);
}

function brokersKnownTo(port, request) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    let bytes = Buffer.alloc(0);
    const end = (count) => {
      socket.destroy();
      resolve(count);
    };
    socket.setTimeout(3000, () => end(0));
    socket.on('error', () => end(0));
    socket.on('close', () => resolve(0));
    socket.on('data', (data) => {
      bytes = Buffer.concat([bytes, data]);
      // Size, correlation id, then the number of brokers.
      if (bytes.length >= 12) end(bytes.readInt32BE(8));
    });
  });
}

/** Forwards everything; while set to do so, it ends a connection instead of passing the reply to a produce request. */
async function lossyProxy() {
  const [port, brokerPort] = await freePorts(2);
  const state = { port, brokerPort, dropProduceReplies: false, server: undefined };
  state.server = createServer((client) => {
    const upstream = connect(brokerPort, '127.0.0.1');
    const produces = new Set();
    const requests = frames((frame) => {
      if (frame.readInt16BE(4) === PRODUCE) produces.add(frame.readInt32BE(8));
      upstream.write(frame);
    });
    const replies = frames((frame) => {
      if (produces.delete(frame.readInt32BE(4)) && state.dropProduceReplies) end();
      else client.write(frame);
    });
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    client.on('data', requests).on('error', end).on('close', end);
    upstream.on('data', replies).on('error', end).on('close', end);
  });
  await new Promise((resolve) => state.server.listen(port, '127.0.0.1', resolve));
  return state;
}

/** Calls back with each whole frame: four bytes of size, then as many. */
function frames(each) {
  let bytes = Buffer.alloc(0);
  return (data) => {
    bytes = Buffer.concat([bytes, data]);
    while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
      const size = 4 + bytes.readInt32BE(0);
      each(bytes.subarray(0, size));
      bytes = bytes.subarray(size);
    }
  };
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
