import type { ReactNode } from 'react';

export interface Column<Row> {
  readonly name: string;
  readonly cell: (row: Row) => ReactNode;
  readonly isNumber?: boolean;
  /** Tooltip of the column's name. */
  readonly help?: string;
}

export interface DataTableProps<Row> {
  readonly title: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly toneOf?: (row: Row) => 'bad' | 'warn' | 'quiet' | undefined;
  /** Text for a table without rows. */
  readonly nothing: string;
}

/** Max number of rows; the others are only counted. */
const MAX_ROWS = 200;

/** A titled card with a table. The first column heads its row. */
export function DataTable<Row>({ title, columns, rows, keyOf, toneOf, nothing }: DataTableProps<Row>) {
  const [head, ...others] = columns;
  return (
    <section className="card" aria-label={title}>
      <header className="panel-head">
        <h2>{title}</h2>
      </header>
      {rows.length === 0 ? (
        <p className="hint nothing">{nothing}</p>
      ) : (
        <div className="table-frame">
          <table>
            <thead>
              <tr>
                {columns.map(({ name, isNumber, help }) => (
                  <th scope="col" key={name} className={isNumber ? 'number' : ''} title={help}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.slice(0, MAX_ROWS).map((row) => (
                <tr key={keyOf(row)} className={toneClass(toneOf?.(row))}>
                  <th scope="row" className={head.isNumber ? 'number' : ''}>
                    {head.cell(row)}
                  </th>
                  {others.map(({ name, cell, isNumber }) => (
                    <td key={name} className={isNumber ? 'number' : ''}>
                      {cell(row)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {rows.length > MAX_ROWS && <p className="hint nothing">and {rows.length - MAX_ROWS} more</p>}
    </section>
  );
}

function toneClass(tone: 'bad' | 'warn' | 'quiet' | undefined): string {
  return tone === undefined ? '' : `is-${tone}`;
}
