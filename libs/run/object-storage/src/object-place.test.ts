import { describe, expect, test } from '@jest/globals';
import { parseSettings } from '@tidemark/settings';
import { objectPlace, objectPlaceText } from './object-place.ts';

const placeOf = (flags: Record<string, string>) => objectPlace(parseSettings({ flags: { data: '/data', ...flags } }));

describe('the place of objects', () => {
  test('is nowhere by default, and below the data folder where only the folder is chosen', () => {
    expect(placeOf({})).toBeUndefined();
    expect(placeOf({ 'objects-store': 'folder' })).toEqual({ store: 'folder', folder: '/data/objects' });
    expect(placeOf({ 'objects-store': 'folder', 'objects-folder': '/mnt' })).toEqual({
      store: 'folder',
      folder: '/mnt',
    });
  });

  test('is a bucket, and what is not set is left to the client', () => {
    const place = placeOf({ 'objects-store': 's3', 'objects-bucket': 'metrics' });
    expect(place).toEqual({
      store: 's3',
      options: {
        ...{ bucket: 'metrics', prefix: '', checksums: true },
        limits: {
          ...{ attempts: 4, connectMs: 3000, requestMs: 30_000, operationMs: 120_000 },
          ...{ connections: 32, partBytes: 16 * 2 ** 20 },
        },
      },
    });
    expect(place && objectPlaceText(place)).toBe('s3://metrics/');
    const other = placeOf({
      ...{ 'objects-store': 's3', 'objects-bucket': 'm', 'objects-prefix': 'a/', 'objects-region': 'eu-west-1' },
      ...{
        'objects-endpoint': 'https://10.0.0.9:9000',
        'objects-path-style': 'false',
        'objects-encryption': 'aws:kms',
      },
      ...{ 'objects-kms-key-id': 'key', 'objects-storage-class': 'STANDARD_IA' },
    });
    expect(other).toMatchObject({
      options: {
        ...{ prefix: 'a/', region: 'eu-west-1', endpoint: 'https://10.0.0.9:9000', pathStyle: false },
        ...{ encryption: 'aws:kms', kmsKeyId: 'key', storageClass: 'STANDARD_IA' },
      },
    });
    expect(other && objectPlaceText(other)).toBe('s3://m/a/ at https://10.0.0.9:9000');
  });

  test('needs the name of a bucket for S3', () => {
    expect(() => placeOf({ 'objects-store': 's3' })).toThrow('objects.bucket: empty (limit: the name of a bucket');
  });
});
