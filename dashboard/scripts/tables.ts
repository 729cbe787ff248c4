/** Prints the tables of `shared/schema-v2.ts` as JSON: a test compares them with a migrated database. */
import { getTableConfig } from 'drizzle-orm/pg-core';
import type { PgTable } from 'drizzle-orm/pg-core';
import * as schema from '../shared/schema-v2.ts';

const tables: PgTable[] = Object.values(schema);
const described = tables.map((table) => {
  const { name, columns, primaryKeys } = getTableConfig(table);
  const key = primaryKeys.flatMap((one) => one.columns.map((column) => column.name));
  return {
    name,
    key: [...columns.filter((column) => column.primary).map((column) => column.name), ...key],
    columns: columns.map((column) => ({
      name: column.name,
      type: column.getSQLType(),
      nullable: !column.notNull,
      hasDefault: column.hasDefault,
    })),
  };
});
console.log(JSON.stringify(described));
