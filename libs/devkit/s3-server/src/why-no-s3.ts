import { whyNot } from '@tidemark/child-process';
import { gatewayProgram } from './gateway-program.ts';

/** Returns why an S3 server is not available on this machine (no Go, no download), or an empty text when it is. */
export function whyNoS3(): Promise<string> {
  return whyNot(() => gatewayProgram());
}
