import { isTidemarkError } from '@tidemark/ports';

/**
 * Returns why `prepare` can't be done on this machine, such as a program that is not installed or a download that fails, or an
 * empty text when it is done. Other errors are thrown.
 */
export async function whyNot(prepare: () => Promise<unknown>): Promise<string> {
  try {
    await prepare();
    return '';
  } catch (error) {
    if (isTidemarkError(error, 'failed_precondition') || isTidemarkError(error, 'unavailable')) return error.message;
    throw error;
  }
}
