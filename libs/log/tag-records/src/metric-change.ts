import type { ByteReader, ByteWriter } from '@tidemark/bytes';
import { INTERVAL_LIMIT_MS, isKind, type MetricChange } from '@tidemark/model';
import { MAX_TEXT_BYTES } from './layout.ts';

const KIND_SAID = 1;
const UNIT_SAID = 2;
const DESCRIPTION_SAID = 4;
const INTERVAL_SAID = 8;

/** Writes a change of what a source says of a metric: which fields it has, then these, empty where taken back. */
export function writeMetricChange({ kind, unit, description, intervalMs }: MetricChange, out: ByteWriter): void {
  out.u8(
    (kind === undefined ? 0 : KIND_SAID) |
      (unit === undefined ? 0 : UNIT_SAID) |
      (description === undefined ? 0 : DESCRIPTION_SAID) |
      (intervalMs === undefined ? 0 : INTERVAL_SAID),
  );
  if (kind !== undefined) out.u8(kind ?? 0);
  if (unit !== undefined) out.text(unit ?? '');
  if (description !== undefined) out.text(description ?? '');
  if (intervalMs !== undefined) out.varint(intervalMs ?? 0);
}

/** Reads a change. Throws `data_loss`. */
export function readMetricChange(reader: ByteReader): MetricChange {
  const said = reader.u8();
  if (said > 15) reader.fail(`unknown fields ${said} of a metric`);
  return {
    kind: said & KIND_SAID ? readKind(reader) : undefined,
    unit: said & UNIT_SAID ? readText(reader) : undefined,
    description: said & DESCRIPTION_SAID ? readText(reader) : undefined,
    intervalMs: said & INTERVAL_SAID ? readInterval(reader) : undefined,
  };
}

function readKind(reader: ByteReader): MetricChange['kind'] {
  const kind = reader.u8();
  if (kind === 0) return null;
  return isKind(kind) ? kind : reader.fail(`unknown kind ${kind}`);
}

function readText(reader: ByteReader): string | null {
  const text = reader.text(MAX_TEXT_BYTES);
  if (!text.isWellFormed()) reader.fail('text is not UTF-8');
  return text === '' ? null : text;
}

function readInterval(reader: ByteReader): number | null {
  const intervalMs = reader.varint();
  if (intervalMs > INTERVAL_LIMIT_MS) reader.fail(`an interval of ${intervalMs} ms, limit ${INTERVAL_LIMIT_MS}`);
  return intervalMs === 0 ? null : intervalMs;
}
