import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

/** A table that people sort by a press on the name of a column. */

export interface Column<Row> {
  readonly name: string;
  /** What it is sorted by. Numbers begin with the largest. */
  readonly by: (row: Row) => string | number;
  /** Default: what it is sorted by. */
  readonly show?: (row: Row) => ComponentChildren;
}

interface SortableTableProps<Row> {
  readonly label: string;
  /** The first one names the row. */
  readonly columns: readonly Column<Row>[];
  /** In their first order. */
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
}

/** More rows are shown on demand. */
const FEW_ROWS = 10;

interface Order {
  readonly column: number;
  readonly isDescending: boolean;
}

export function SortableTable<Row>({ label, columns, rows, keyOf }: SortableTableProps<Row>) {
  const [order, setOrder] = useState<Order>();
  const [isWhole, setIsWhole] = useState(false);
  const sorted = sortRows(rows, columns, order);
  const shown = isWhole ? sorted : sorted.slice(0, FEW_ROWS);
  return (
    <>
      <div class="scrolled" tabIndex={0} role="region" aria-label={label}>
        <table class="numbers sortable">
          <caption class="unseen">{label}</caption>
          <thead>
            <tr>
              {columns.map(({ name }, column) => (
                <th key={name} scope="col" aria-sort={nameOrder(order, column)}>
                  <button type="button" onClick={() => setOrder(nextOrder(order, column, columns, rows))}>
                    {name}
                    <span aria-hidden="true">{SIGNS[nameOrder(order, column)]}</span>
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={keyOf(row)}>
                {columns.map(({ name, by, show = by }, column) =>
                  column === 0 ? (
                    <th key={name} scope="row">
                      {show(row)}
                    </th>
                  ) : (
                    <td key={name}>{show(row)}</td>
                  ),
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {sorted.length > FEW_ROWS && (
        <p>
          <button type="button" class="small" onClick={() => setIsWhole(!isWhole)}>
            {isWhole ? `Show ${FEW_ROWS} rows` : `Show all ${sorted.length} rows`}
          </button>
        </p>
      )}
    </>
  );
}

const SIGNS = { none: ' ↕', ascending: ' ↑', descending: ' ↓' } as const;

function nameOrder(order: Order | undefined, column: number): keyof typeof SIGNS {
  if (order?.column !== column) return 'none';
  return order.isDescending ? 'descending' : 'ascending';
}

function nextOrder<Row>(
  order: Order | undefined,
  column: number,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Order {
  if (order?.column === column) return { column, isDescending: !order.isDescending };
  return { column, isDescending: rows.some((row) => typeof columns[column]?.by(row) === 'number') };
}

function sortRows<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  order: Order | undefined,
): readonly Row[] {
  const by = order && columns[order.column]?.by;
  if (by === undefined) return rows;
  const compare = (one: Row, other: Row): number => {
    const [left, right] = [by(one), by(other)];
    return typeof left === 'number' && typeof right === 'number'
      ? left - right
      : String(left).localeCompare(String(right));
  };
  return [...rows].sort((one, other) =>
    order?.isDescending === true ? compare(other, one) : compare(one, other),
  );
}
