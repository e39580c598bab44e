// Reads what a bundled declaration file exports, with its docstrings.
import { parseSync } from 'rolldown/utils';

/** One member of an interface or a class, as declared. */
export interface Member {
  readonly name: string;
  readonly kind: 'property' | 'method' | 'getter';
  readonly signature: string;
  readonly type: string;
  readonly isOptional: boolean;
  readonly doc: string;
}

/** One export. */
export interface Declaration {
  readonly name: string;
  readonly kind: 'class' | 'interface' | 'function' | 'type' | 'const';
  /** The declaration without its docstring, and without the members of a class or interface. */
  readonly signature: string;
  readonly doc: string;
  readonly members: readonly Member[];
  /** Values of a type that is a closed set. */
  readonly values: readonly string[];
}

/** The parts of a node of the parser's tree that are read here. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

const KINDS: Readonly<Record<string, Declaration['kind']>> = {
  ClassDeclaration: 'class',
  TSInterfaceDeclaration: 'interface',
  TSDeclareFunction: 'function',
  TSTypeAliasDeclaration: 'type',
  VariableDeclaration: 'const',
};

/** Reads the exports of declaration file `text`, by name. */
export function readDeclarations(text: string): ReadonlyMap<string, Declaration> {
  const { program, comments, errors } = parseSync('index.d.ts', text, { lang: 'dts' });
  if (errors.length > 0) throw new Error(`declarations: ${errors[0].message}`);
  const docs = new Map(comments.map(({ value, start, end }) => [start, { value, end }]));
  const reader = new Reader(text, docs);
  const exported = new Set<string>();
  for (const node of program.body as unknown as Node[]) {
    const inner = (node.declaration as Node | null | undefined) ?? undefined;
    if (node.type === 'ExportNamedDeclaration' && inner === undefined) {
      for (const { exported: name } of node.specifiers as { exported: { name: string } }[]) exported.add(name.name);
    } else if (inner !== undefined) {
      exported.add(reader.add(inner, node.start));
    } else if (node.type in KINDS) {
      reader.add(node, node.start);
    }
  }
  return new Map([...exported].map((name) => [name, reader.declaration(name)]));
}

class Reader {
  readonly #text: string;
  readonly #docs: ReadonlyMap<number, { readonly value: string; readonly end: number }>;
  readonly #nodes = new Map<string, { readonly node: Node; readonly doc: string }>();

  constructor(text: string, docs: ReadonlyMap<number, { readonly value: string; readonly end: number }>) {
    this.#text = text;
    this.#docs = docs;
  }

  add(node: Node, start: number): string {
    const [declarator] = (node.declarations as { id: { name: string } }[] | undefined) ?? [];
    const name = declarator?.id.name ?? (node.id as { name: string }).name;
    this.#nodes.set(name, { node, doc: this.#docBefore(start) });
    return name;
  }

  declaration(name: string): Declaration {
    const found = this.#nodes.get(name);
    if (found === undefined) throw new Error(`declarations: exported name ${name} has no declaration`);
    const { node } = found;
    const body = node.body as { readonly body: Node[]; readonly start: number } | undefined;
    const isBraced = node.type === 'ClassDeclaration' || node.type === 'TSInterfaceDeclaration';
    const end = isBraced && body !== undefined ? body.start : node.end;
    const signature = this.#text
      .slice(node.start, end)
      .trim()
      .replace(/^declare /, '')
      .replace(/;$/, '');
    const members = isBraced && body !== undefined ? body.body.flatMap((member) => this.#member(member)) : [];
    const list = node.type === 'TSTypeAliasDeclaration' ? this.#valuesOf(signature) : undefined;
    const doc = found.doc || (list?.doc ?? '');
    return { name, kind: KINDS[node.type], signature, doc, members, values: list?.values ?? [] };
  }

  /** The values of `typeof LIST`: the strings of a tuple, or the keys of an object. */
  #valuesOf(signature: string): { readonly doc: string; readonly values: readonly string[] } | undefined {
    const list = this.#nodes.get(/typeof (\w+)/.exec(signature)?.[1] ?? '');
    if (list === undefined) return undefined;
    const text = this.#text.slice(list.node.start, list.node.end);
    const strings = [...text.matchAll(/'([^']+)'/g)].map(([, value]) => value);
    const keys = [...text.matchAll(/readonly (\w+):/g)].map(([, value]) => value);
    return { doc: list.doc, values: strings.length > 0 ? strings : keys };
  }

  #member(node: Node): Member[] {
    const key = node.key as { readonly type: string; readonly name?: string } | undefined;
    const isHidden = key === undefined || key.type === 'PrivateIdentifier' || node.accessibility === 'private';
    if (isHidden || key.name === undefined) return [];
    const isMethod = node.type === 'MethodDefinition' || node.type === 'TSMethodSignature';
    const kind = node.kind === 'get' ? 'getter' : isMethod ? 'method' : 'property';
    const annotation = node.typeAnnotation as Node | null | undefined;
    const type = annotation ? this.#text.slice(annotation.start + 1, annotation.end).trim() : '';
    const signature = this.#text
      .slice(node.start, node.end)
      .trim()
      .replace(/;$/, '')
      .replace(/^get (\w+)\(\)/, 'readonly $1');
    const isOptional = node.optional === true;
    return [{ name: key.name, kind, signature, type, isOptional, doc: this.#docBefore(node.start) }];
  }

  /** The docstring that ends right before `start`, as one paragraph. */
  #docBefore(start: number): string {
    for (const { value, end } of this.#docs.values()) {
      if (!value.startsWith('*') || end > start || this.#text.slice(end, start).trim() !== '') continue;
      return value
        .replace(/^\*/, '')
        .replace(/\n\s*\*/g, '\n')
        .replace(/\s+/g, ' ')
        .trim();
    }
    return '';
  }
}
