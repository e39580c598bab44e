import { whyNot } from '@tidemark/child-process';
import { ensureClassArchive } from './class-archive.ts';
import { type DistributionOptions, kafkaDistribution } from './distribution.ts';

/**
 * Returns why brokers are not available on this machine (no Java, no Maven, no download), or an empty text when they
 * are. In that case the slow preparation of the first start is done.
 */
export function whyNoKafka(options: DistributionOptions = {}): Promise<string> {
  return whyNot(async () => ensureClassArchive(await kafkaDistribution(options)));
}
