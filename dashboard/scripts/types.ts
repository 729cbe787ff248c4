/** Writes `shared/python-backend-types.ts` from `docs/shapes.schema.json`; with `--check` it only compares. */
import { readFile, writeFile } from 'node:fs/promises';
import { compile } from 'json-schema-to-typescript';
import type { JSONSchema } from 'json-schema-to-typescript';
import { format, resolveConfig } from 'prettier';

const SCHEMA = new URL('../../docs/shapes.schema.json', import.meta.url);
const TYPES = new URL('../shared/python-backend-types.ts', import.meta.url);
const BANNER = '/** The shapes of the Python half. Made by `npm run types` from its schemas: change those. */';

// The package says of each interface where the schema refers to it.
const REFERENCE = /(?:\n \* *)*\n \* This (?:interface|type) was referenced by[^*]*\n \* via the `definition` "\w+"\./g;

const schema = JSON.parse(await readFile(SCHEMA, 'utf8')) as JSONSchema;
const compiled = await compile(schema, 'Shapes', {
  additionalProperties: false,
  bannerComment: BANNER,
  unreachableDefinitions: true,
  format: false,
});
const written = compiled.replace(REFERENCE, '');
const made = await format(written, { ...(await resolveConfig(TYPES)), parser: 'typescript' });
if (process.argv.includes('--check')) {
  if (made !== (await readFile(TYPES, 'utf8')))
    throw new Error('shared/python-backend-types.ts is old: `npm run types`');
} else {
  await writeFile(TYPES, made);
}
