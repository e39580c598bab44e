export { openS3Objects } from './open-s3-objects.ts';
export type { S3Credentials, S3Limits, S3Options } from './s3-options.ts';
export { DEFAULT_S3_LIMITS } from './s3-options.ts';
