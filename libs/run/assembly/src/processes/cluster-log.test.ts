import { describe, expect, test } from '@jest/globals';
import { parseSettings } from '@tidemark/settings';
import { clusterLogOptions, topicPlan } from './cluster-log.ts';

const FILES: Readonly<Record<string, string>> = { ca: 'an authority', cert: 'a certificate', password: ' secret\n' };

function context(kafka: Record<string, unknown>) {
  const text = JSON.stringify({ kafka: { brokers: 'k1:9092', ...kafka }, data: { partitions: 3 } });
  return {
    settings: parseSettings({ flags: {}, environment: {}, file: { name: 'test', text } }),
    name: 'intake 1',
    readFile: async (path: string) => {
      if (FILES[path] === undefined) throw new Error('ENOENT');
      return Buffer.from(FILES[path]);
    },
  };
}

describe('the options of Kafka', () => {
  test('the options have the addresses, TLS and the password of a file', async () => {
    const sasl = { saslMechanism: 'SCRAM-SHA-512', saslUser: 'tidemark', saslPasswordFile: 'password' };
    expect(await clusterLogOptions(context({ tls: true, caFile: 'ca', ...sasl }))).toMatchObject({
      brokers: ['k1:9092'],
      clientId: 'tidemark intake 1',
      tls: { ca: 'an authority' },
      sasl: { mechanism: 'SCRAM-SHA-512', username: 'tidemark', password: 'secret' },
    });
    const plain = await clusterLogOptions(context({}));
    expect([plain.tls, plain.sasl]).toEqual([undefined, undefined]);
  });

  test.each([
    [{ brokers: '' }, /^kafka\.brokers: empty/],
    [{ brokers: 'k1' }, /^kafka\.brokers: "k1" \(limit: host:port\)/],
    [{ caFile: 'gone' }, /^kafka\.caFile: can't read gone/],
    [{ certFile: 'cert' }, /^set both kafka\.certFile and kafka\.keyFile, or neither/],
  ])('the settings %j are refused with the setting', async (kafka, message) => {
    const options = async () => clusterLogOptions(context(kafka));
    await expect(options()).rejects.toThrow(message);
  });

  test('points and tags have the partitions of the settings, control has one', () => {
    expect(topicPlan(context({})).partitions).toEqual({ points: 3, tags: 3, control: 1, windows: 3 });
  });
});
