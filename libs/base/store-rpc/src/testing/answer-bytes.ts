import {
  type AnswerBytes,
  asBuffer,
  definitionOf,
  type PartitionMethod,
  type PositionsReader,
  requestedPartition,
  type StoreKind,
  type StoreReader,
  type UntypedMethod,
} from '../index.ts';

/** Answers from readers in this thread; `readerOf` throws for partitions of others. */
export function answerBytes<K extends StoreKind>(
  kind: K,
  readerOf: (partition: number) => StoreReader<K, PartitionMethod<K>>,
  process?: PositionsReader,
): AnswerBytes {
  return async (method, request, signal) => {
    const { requestDeserialize, responseSerialize } = definitionOf(kind, method);
    if (method === 'positions') return responseSerialize(await process?.positions(signal));
    const reader = readerOf(requestedPartition(request).partition) as unknown as Readonly<
      Record<string, UntypedMethod>
    >;
    return responseSerialize(await reader[method](requestDeserialize(asBuffer(request)), signal));
  };
}
