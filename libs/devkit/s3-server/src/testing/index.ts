export { S3_START_MS, s3Suite } from './s3-suite.ts';
