import { resealed } from '@tidemark/documents';
import { parseManifest } from '../../../libs/store/snapshot/src/parse-manifest.ts';
import { encodePin, encodeRenewal, parsePin, parseRenewal } from '../../../libs/store/snapshot/src/pin-document.ts';
import { encodeManifest } from '../../../libs/store/snapshot/src/snapshot-manifest.ts';
import { EXAMPLE } from '../../../libs/store/snapshot/src/testing/example-manifest.ts';
import { type FuzzTarget, holds, parsed } from '../target.ts';
import { JSON_SIGNS } from '../tokens.ts';

const PIN = { id: '0123456789abcdef', snapshot: EXAMPLE.id, by: 'store-1' };
const RENEWAL = { id: PIN.id, expiresMs: 1_767_225_600_000, isRevoked: false };
const MANIFEST = Buffer.from(encodeManifest(EXAMPLE)).toString();
const FILES_AT = MANIFEST.indexOf('"files":[') + '"files":['.length;

/** Manifests of snapshots in an object store. */
const manifest: FuzzTarget = {
  name: 'snapshot-manifest',
  seeds: () => [Buffer.from(MANIFEST), encodeManifest({ ...EXAMPLE, files: [], stateHashes: [] })],
  tokens: [
    ...JSON_SIGNS,
    'null',
    '1e999',
    '-1',
    '"__proto__":',
    '"format":2',
    '"files":[',
    '../',
    '"bytes":',
    '\\u0000',
  ],
  repeats: [[MANIFEST.slice(0, FILES_AT), '{"name":"a","bytes":1},', MANIFEST.slice(FILES_AT)]],
  run: (input) => {
    // Closed by its SHA-256, so that mutations reach the fields.
    for (const bytes of [input, resealed(input)]) {
      const codes = ['data_loss', 'failed_precondition'] as const;
      const found = parsed(codes, () => parseManifest(bytes, 'manifests/x.json', EXAMPLE, EXAMPLE.id));
      if (found === undefined) continue;
      holds(bytes.equals(encodeManifest(found)), () => 'the manifest is encoded as other bytes');
    }
  },
};

/** What protects snapshots that are in use. */
const pin: FuzzTarget = {
  name: 'snapshot-pin',
  seeds: () => [encodePin(PIN), encodeRenewal(RENEWAL)],
  tokens: [...JSON_SIGNS, 'null', 'true', '1e999', '"__proto__":', '"snapshot":', '"revoked":'],
  run: (input) => {
    const found = parsed(['data_loss'], () => parsePin(input, 'pins/x.json', PIN.id));
    if (found !== undefined) holds(found.id === PIN.id, () => 'a pin has another id than its key');
    parsed(['data_loss'], () => parseRenewal(input, 'renewed/x.json', PIN.id));
  },
};

export const SNAPSHOTS: readonly FuzzTarget[] = [manifest, pin];
