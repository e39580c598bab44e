import {
  commentsOf,
  type DescriptorSet,
  type EnumDescriptor,
  type FieldDescriptor,
  type FileDescriptor,
  type MessageDescriptor,
  type MethodDescriptor,
  PATH,
} from './descriptors.ts';

const INTRODUCTION = `# The gRPC contracts

Generated from \`proto/tidemark/v1\` by \`npm run generate\`; change the comments there. Integers are as protobuf has them;
\`_ms\` is milliseconds, since the Unix epoch where it is a time. An \`optional\` field may be absent; other fields have
protobuf's default then (0, false, empty). [HTTP API](../http-api.md) has the API for other clients, and
[security](../security.md) says which scope a key needs.
`;

/** Renders the page of all contracts, in the order of their file names. */
export function renderReference({ file: files }: DescriptorSet): string {
  const own = files.filter(({ name }) => !name.startsWith('google/')).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const services = own.flatMap((file) => (file.service ?? []).map((service, i) => ({ file, service, i })));
  const rows = services.map(
    ({ file, service, i }) =>
      `| [${service.name}](#service-${service.name.toLowerCase()}) | ${cell(commentsOf(file).get(`${PATH.services}.${i}`))} |`,
  );
  const table = ['| service | |', '| --- | --- |', ...rows].join('\n');
  return `${[INTRODUCTION, `${table}\n`, ...own.map(renderFile)].join('\n')}`;
}

function renderFile(file: FileDescriptor): string {
  const comments = commentsOf(file);
  const sections: string[] = [];
  const baseName = file.name.split('/').at(-1) ?? '';
  (file.service ?? []).forEach((service, i) => {
    const path = `${PATH.services}.${i}`;
    const rows = (service.method ?? []).map((method, at) => [
      `\`${method.name}\``,
      `${streamed(method, 'client')}${linked(method.inputType)}`,
      `${streamed(method, 'server')}${linked(method.outputType)}`,
      cell(comments.get(`${path}.${PATH.parts}.${at}`)),
    ]);
    sections.push(
      `## Service ${service.name}\n\n\`proto/${file.name}\`. ${linkPages(comments.get(path) ?? '')}\n\n${tableOf(['method', 'request', 'reply', ''], rows)}\n`,
    );
  });
  if (sections.length === 0) sections.push(`## Messages of ${baseName}\n\nUsed by several services.\n`);
  (file.messageType ?? []).forEach((message, i) => {
    sections.push(...renderMessage(message, '', `${PATH.messages}.${i}`, comments));
  });
  (file.enumType ?? []).forEach((one, i) => {
    sections.push(renderEnum(one, '', `${PATH.enums}.${i}`, comments));
  });
  return sections.join('\n');
}

function renderMessage(
  message: MessageDescriptor,
  outer: string,
  path: string,
  comments: ReadonlyMap<string, string>,
): string[] {
  const name = `${outer}${message.name}`;
  const rows = (message.field ?? []).map((field, i) => [
    String(field.number),
    `\`${field.name}\``,
    typeOf(field, message),
    cell(oneOf(field, message) + (comments.get(`${path}.${PATH.parts}.${i}`) ?? '')),
  ]);
  const text = linkPages(comments.get(path) ?? '');
  const body = rows.length === 0 ? 'No fields.' : tableOf(['', 'field', 'type', ''], rows);
  const sections = [`### ${name}\n\n${text === '' ? '' : `${text}\n\n`}${body}\n`];
  (message.nestedType ?? []).forEach((nested, i) => {
    if (nested.options?.mapEntry === true) return;
    sections.push(...renderMessage(nested, `${name}.`, `${path}.${PATH.nestedMessages}.${i}`, comments));
  });
  (message.enumType ?? []).forEach((one, i) => {
    sections.push(renderEnum(one, `${name}.`, `${path}.${PATH.nestedEnums}.${i}`, comments));
  });
  return sections;
}

function renderEnum(
  { name, value = [] }: EnumDescriptor,
  outer: string,
  path: string,
  comments: ReadonlyMap<string, string>,
): string {
  const rows = value.map((one, i) => [
    String(one.number ?? 0),
    `\`${one.name}\``,
    cell(comments.get(`${path}.${PATH.parts}.${i}`)),
  ]);
  const text = linkPages(comments.get(path) ?? '');
  return `### ${outer}${name}\n\n${text === '' ? '' : `${text}\n\n`}${tableOf(['', 'value', ''], rows)}\n`;
}

function typeOf(field: FieldDescriptor, message: MessageDescriptor): string {
  const entry = message.nestedType?.find(
    ({ name, options }) => options?.mapEntry === true && field.typeName?.endsWith(`.${message.name}.${name}`),
  );
  if (entry !== undefined) {
    const [key, value] = (entry.field ?? []).map((part) => typeOf(part, entry));
    return `map of ${key} to ${value}`;
  }
  const type = field.typeName === undefined ? scalar(field.type) : linked(field.typeName);
  if (field.label === 'LABEL_REPEATED') return `repeated ${type}`;
  return field.proto3Optional === true ? `optional ${type}` : type;
}

function scalar(type: string): string {
  return type.replace('TYPE_', '').toLowerCase();
}

function oneOf({ oneofIndex, proto3Optional }: FieldDescriptor, { oneofDecl = [] }: MessageDescriptor): string {
  const name = oneofIndex === undefined || proto3Optional === true ? undefined : oneofDecl[oneofIndex]?.name;
  return name === undefined ? '' : `One of \`${name}\`. `;
}

function streamed(method: MethodDescriptor, side: 'client' | 'server'): string {
  const isStream = side === 'client' ? method.clientStreaming : method.serverStreaming;
  return isStream === true ? 'stream of ' : '';
}

function linked(typeName: string): string {
  const name = typeName.replace(/^\.tidemark\.v\d+\./, '');
  return `[${name}](#${name.toLowerCase().replaceAll('.', '')})`;
}

function linkPages(text: string): string {
  return text.replace(/\bdocs\/([\w/-]+\.md)\b/g, (_, page: string) => `[${page.split('/').at(-1)}](../${page})`);
}

function cell(text = ''): string {
  return linkPages(text).trim().replaceAll('|', '\\|');
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
