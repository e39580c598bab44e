import type { SnapshotManifest } from '../index.ts';

/** The manifest of the golden file. */
export const EXAMPLE: SnapshotManifest = {
  id: '0000000000001234-0123456789abcdef',
  kind: 'points',
  partition: 3,
  storeFormat: 9,
  logId: 'f00d',
  offset: 1234,
  watermarkMs: 1_767_225_600_000,
  createdMs: 1_767_225_601_000,
  createdBy: 'store-1',
  stateHashes: [{ bucket: '1767225600000', hash: '00112233445566778899aabbccddeeff' }],
  files: [
    { name: '000012.sst', bytes: 64, sha256: 'a'.repeat(64), upload: '0123456789abcdef' },
    { name: 'CURRENT', bytes: 16, sha256: 'b'.repeat(64), upload: 'fedcba9876543210' },
  ],
};
