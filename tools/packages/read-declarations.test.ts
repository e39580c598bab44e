import { expect, test } from '@jest/globals';
import { readDeclarations } from './read-declarations.ts';

const TEXT = `
/** The kinds. */
declare const KINDS: readonly ['gauge', 'count'];
type Kind = (typeof KINDS)[number];
/** Hidden. */
interface Hidden { readonly a: string; }
/**
 * A handle,
 * of one series.
 */
export declare class Handle extends Base {
  #private;
  private constructor();
  /** Records a value. */
  record(value: number, timeMs?: number): void;
  /** The last value. */
  get last(): number;
}
interface Options {
  /** A name; 1 to 200 bytes. */
  readonly name?: string | undefined;
}
/** Opens it. */
export declare function open(options: Options): Promise<Handle>;
export type { Kind, Options };
`;

test('exports have their signatures, docstrings, members and values, and nothing private or unexported is read', () => {
  const found = readDeclarations(TEXT);
  expect([...found.keys()].sort()).toEqual(['Handle', 'Kind', 'Options', 'open']);
  expect(found.get('Handle')).toMatchObject({
    kind: 'class',
    signature: 'class Handle extends Base',
    doc: 'A handle, of one series.',
    members: [
      {
        name: 'record',
        kind: 'method',
        signature: 'record(value: number, timeMs?: number): void',
        doc: 'Records a value.',
      },
      { name: 'last', kind: 'getter', signature: 'readonly last: number', doc: 'The last value.' },
    ],
  });
  expect(found.get('Options')?.members).toMatchObject([
    { name: 'name', type: 'string | undefined', isOptional: true, doc: 'A name; 1 to 200 bytes.' },
  ]);
  expect(found.get('Kind')).toMatchObject({ kind: 'type', doc: 'The kinds.', values: ['gauge', 'count'] });
  expect(found.get('open')).toMatchObject({ signature: 'function open(options: Options): Promise<Handle>' });
});
