import { isTidemarkError } from '@tidemark/ports';
import { ensureClassArchive } from './class-archive.ts';
import { type DistributionOptions, kafkaDistribution } from './distribution.ts';

/**
 * Returns why brokers are not available on this machine (no Java, no Maven, no download), or an empty text when they
 * are. In that case the slow preparation of the first start is done.
 */
export async function whyNoKafka(options: DistributionOptions = {}): Promise<string> {
  try {
    await ensureClassArchive(await kafkaDistribution(options));
    return '';
  } catch (error) {
    if (isTidemarkError(error, 'failed_precondition') || isTidemarkError(error, 'unavailable')) return error.message;
    throw error;
  }
}
