/** The bounds of the S3 adapter. Each has a default. */
export interface S3Limits {
  /** Attempts of one request, and of reading one body, before the operation is `unavailable`. */
  readonly attempts: number;
  /** Timeout of connecting, TLS included, ms. */
  readonly connectMs: number;
  /** Longest wait for an answer, or for the next bytes of one, ms. */
  readonly requestMs: number;
  /** Timeout of one request with all its attempts and its body, ms. */
  readonly operationMs: number;
  /** Connections to the server; further requests wait. */
  readonly connections: number;
  /** Bytes of a part of a stream, which is the memory that it takes. S3 takes 5 MiB to 5 GiB, and 10,000 parts. */
  readonly partBytes: number;
}

const MIB = 2 ** 20;

export const DEFAULT_S3_LIMITS: S3Limits = {
  attempts: 4,
  connectMs: 3000,
  requestMs: 30_000,
  operationMs: 120_000,
  connections: 32,
  partBytes: 16 * MIB,
};

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface S3Options {
  readonly bucket: string;
  /** Beginning of the names of all objects, empty or ending in `/`, so that several deployments can share a bucket. */
  readonly prefix?: string;
  /** Address of a server that is not Amazon's, `https://HOST:PORT`. Default: that of the region at Amazon. */
  readonly endpoint?: string;
  /** Region of the bucket. Default: the SDK's (`AWS_REGION`, the profile); with `endpoint` `us-east-1`. */
  readonly region?: string;
  /** True to send the bucket in the path, not in the host name. Default: true with `endpoint`. */
  readonly pathStyle?: boolean;
  /** Default: the SDK's chain: environment, profiles, web identity, containers, instance. */
  readonly credentials?: S3Credentials;
  /** Encryption at rest; default: that of the bucket. */
  readonly encryption?: 'AES256' | 'aws:kms';
  /** Key of `aws:kms`; default: that of the bucket. */
  readonly kmsKeyId?: string;
  /** Class of new objects, such as `STANDARD_IA`; default: that of the server. Archives, which answer later, do not work. */
  readonly storageClass?: string;
  /**
   * False for servers without the headers `x-amz-checksum-*`: then the CRC-32C is kept as metadata, a stream of more than
   * one part must state its CRC-32C beforehand, and objects are deleted one by one. Default true.
   */
  readonly checksums?: boolean;
  /** Bounds that differ from `DEFAULT_S3_LIMITS`. */
  readonly limits?: Partial<S3Limits>;
}
