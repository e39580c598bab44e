/** The signs of JSON. */
export const JSON_SIGNS: readonly string[] = ['{', '}', '[', ']', ',', ':', '"'];

/** Tags of protobuf: fields 1 to 8 of texts and messages, groups, and a varint of field 1. */
export const PROTOBUF_TAGS: readonly string[] = [
  '\n',
  '\u0012',
  '\u001a',
  '"',
  '*',
  '2',
  ':',
  '\u000c',
  'R\u0001a',
  '\u0008\u0001',
];
