/** The parts of `google.protobuf.FileDescriptorSet`, as `buf build -o -#format=json` prints it, that the reference reads. */
export interface DescriptorSet {
  readonly file: readonly FileDescriptor[];
}

export interface FileDescriptor {
  readonly name: string;
  readonly package?: string;
  readonly messageType?: readonly MessageDescriptor[];
  readonly enumType?: readonly EnumDescriptor[];
  readonly service?: readonly ServiceDescriptor[];
  readonly sourceCodeInfo?: { readonly location?: readonly SourceLocation[] };
}

export interface SourceLocation {
  readonly path?: readonly number[];
  readonly leadingComments?: string;
}

export interface MessageDescriptor {
  readonly name: string;
  readonly field?: readonly FieldDescriptor[];
  readonly nestedType?: readonly MessageDescriptor[];
  readonly enumType?: readonly EnumDescriptor[];
  readonly oneofDecl?: readonly { readonly name: string }[];
  readonly options?: { readonly mapEntry?: boolean };
}

export interface FieldDescriptor {
  readonly name: string;
  readonly number: number;
  readonly label?: string;
  readonly type: string;
  readonly typeName?: string;
  readonly oneofIndex?: number;
  readonly proto3Optional?: boolean;
}

export interface EnumDescriptor {
  readonly name: string;
  readonly value?: readonly { readonly name: string; readonly number?: number }[];
}

export interface ServiceDescriptor {
  readonly name: string;
  readonly method?: readonly MethodDescriptor[];
}

export interface MethodDescriptor {
  readonly name: string;
  readonly inputType: string;
  readonly outputType: string;
  readonly clientStreaming?: boolean;
  readonly serverStreaming?: boolean;
}

/** Numbers of fields in `descriptor.proto`, which make up the path of a comment. */
export const PATH = { messages: 4, enums: 5, services: 6, parts: 2, nestedMessages: 3, nestedEnums: 4 } as const;

/** Comments of a file by the path of what they describe, such as `4.0.2.1`. */
export function commentsOf(file: FileDescriptor): ReadonlyMap<string, string> {
  const comments = new Map<string, string>();
  for (const { path = [], leadingComments } of file.sourceCodeInfo?.location ?? []) {
    if (leadingComments !== undefined) comments.set(path.join('.'), leadingComments.trim().replace(/\s*\n\s*/g, ' '));
  }
  return comments;
}
