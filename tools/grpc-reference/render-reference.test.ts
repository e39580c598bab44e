import { expect, test } from '@jest/globals';
import type { DescriptorSet, MessageDescriptor } from './descriptors.ts';
import { renderReference } from './render-reference.ts';

function page(message: MessageDescriptor, comments: Record<string, string> = {}): string {
  const location = Object.entries(comments).map(([path, leadingComments]) => ({
    path: path.split('.').map(Number),
    leadingComments,
  }));
  const set: DescriptorSet = {
    file: [
      { name: 'google/protobuf/any.proto', messageType: [{ name: 'Any' }] },
      {
        name: 'tidemark/v1/a.proto',
        messageType: [message],
        service: [
          {
            name: 'Aa',
            method: [
              { name: 'Do', inputType: '.tidemark.v1.M', outputType: '.tidemark.v1.M.Inner', clientStreaming: true },
            ],
          },
        ],
        sourceCodeInfo: { location },
      },
    ],
  };
  return renderReference(set);
}

test('a service has its comment and its methods, with streams and links', () => {
  const text = page({ name: 'M' }, { '6.0': ' Does it;\n see docs/formats/log.md.\n', '6.0.2.0': ' Once | twice.\n' });
  expect(text).toContain('| [Aa](#service-aa) | Does it; see [log.md](../formats/log.md). |');
  expect(text).toContain('| `Do` | stream of [M](#m) | [M.Inner](#minner) | Once \\| twice. |');
  expect(text).not.toContain('Any');
});

test('a message has its fields with numbers, types and comments', () => {
  const message: MessageDescriptor = {
    name: 'M',
    oneofDecl: [{ name: 'either' }, { name: '_late' }],
    field: [
      { name: 'a', number: 1, type: 'TYPE_SINT64', oneofIndex: 0 },
      { name: 'late', number: 2, type: 'TYPE_BYTES', oneofIndex: 1, proto3Optional: true },
      { name: 'all', number: 3, type: 'TYPE_STRING', label: 'LABEL_REPEATED' },
      { name: 'by', number: 4, type: 'TYPE_MESSAGE', typeName: '.tidemark.v1.M.ByEntry', label: 'LABEL_REPEATED' },
    ],
    nestedType: [
      {
        name: 'ByEntry',
        options: { mapEntry: true },
        field: [
          { name: 'key', number: 1, type: 'TYPE_STRING' },
          { name: 'value', number: 2, type: 'TYPE_UINT64' },
        ],
      },
    ],
  };
  const text = page(message, { '4.0': 'A message.', '4.0.2.0': 'The first.' });
  expect(text).toContain('### M\n\nA message.\n');
  expect(text).toContain('| 1 | `a` | sint64 | One of `either`. The first. |');
  expect(text).toContain('| 2 | `late` | optional bytes |  |');
  expect(text).toContain('| 3 | `all` | repeated string |  |');
  expect(text).toContain('| 4 | `by` | map of string to uint64 |  |');
  expect(text).not.toContain('### M.ByEntry');
});

test('a nested enum has its values with 0, and the page says that a message has no fields', () => {
  const text = page({ name: 'M', enumType: [{ name: 'E', value: [{ name: 'NONE' }, { name: 'ONE', number: 1 }] }] });
  expect(text).toContain('### M\n\nNo fields.');
  expect(text).toContain('### M.E\n\n|  | value |  |\n| --- | --- | --- |\n| 0 | `NONE` |  |\n| 1 | `ONE` |  |');
});
