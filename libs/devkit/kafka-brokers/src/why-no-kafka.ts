import { isTidemarkError } from '@tidemark/ports';
import { ensureClassArchive } from './class-archive.ts';
import { type DistributionOptions, kafkaDistribution } from './distribution.ts';

/**
 * Why brokers can't be had here (no Java, no Maven, no download), or an empty text when they can; then all that takes
 * long the first time is done.
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
