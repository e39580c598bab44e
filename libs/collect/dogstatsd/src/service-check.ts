import { isUtf8 } from 'node:buffer';
import { type PointLimits, SERVICE_CHECK_STATUSES } from '@tidemark/model';
import { Fields, indexInLine } from './event.ts';

/** A service check: `_sc|name|status|d:…|h:…|#tags|m:message`. */
export interface ServiceCheck {
  readonly name: string;
  readonly status: (typeof SERVICE_CHECK_STATUSES)[number];
  readonly timestampMs: number | undefined;
  readonly host: string | undefined;
  readonly tags: readonly string[];
  readonly message: string | undefined;
}

/** Parses the service check in `bytes[from, to)`, which begins with `_sc|`; undefined when it is malformed. */
export function parseServiceCheck(
  bytes: Uint8Array,
  from: number,
  to: number,
  limits: PointLimits,
  onBadField: () => void,
): ServiceCheck | undefined {
  const nameFrom = from + 4;
  const nameTo = indexInLine(bytes, 0x7c, nameFrom, to);
  if (nameTo <= nameFrom || nameTo + 1 >= to || nameTo - nameFrom > limits.metricBytes) return undefined;
  const status = SERVICE_CHECK_STATUSES[bytes[nameTo + 1] - 0x30];
  const rest = nameTo + 2;
  if (status === undefined || (rest < to && bytes[rest] !== 0x7c)) return undefined;
  if (!isUtf8(bytes.subarray(from, to))) return undefined;
  const fields = new Fields(bytes, rest + 1, to, limits, onBadField, true);
  return {
    name: Buffer.from(bytes.buffer, bytes.byteOffset + nameFrom, nameTo - nameFrom).toString('utf8'),
    status,
    timestampMs: fields.timestampMs,
    host: fields.get('h:'),
    tags: fields.tags,
    message: fields.get('m:')?.replaceAll('m\\:', 'm:'),
  };
}
