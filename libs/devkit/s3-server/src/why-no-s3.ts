import { isTidemarkError } from '@tidemark/ports';
import { gatewayProgram } from './gateway-program.ts';

/** Returns why an S3 server is not available on this machine (no Go, no download), or an empty text when it is. */
export async function whyNoS3(): Promise<string> {
  try {
    await gatewayProgram();
    return '';
  } catch (error) {
    if (isTidemarkError(error, 'failed_precondition') || isTidemarkError(error, 'unavailable')) return error.message;
    throw error;
  }
}
