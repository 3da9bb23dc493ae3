// Writes the reference of all settings into the README, from the one schema. `--check` only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { format } from 'oxfmt';
import { z } from 'zod';
import { settingDefinitions, settingKeys } from '../src-main/contract/settings.ts';
import { environmentName } from '../src-main/services/settings.ts';

const begin = '<!-- settings:begin -->';
const end = '<!-- settings:end -->';

interface JsonSchema {
  type?: string;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  anyOf?: JsonSchema[];
}

function range(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map(String).join(', ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(range).join(' or ');
  if (schema.minimum !== undefined && schema.maximum !== undefined) {
    return `${schema.minimum} … ${schema.maximum}`;
  }
  return { boolean: 'true, false', string: 'text', null: 'null' }[schema.type ?? ''] ?? '';
}

function table(): string {
  const rows = settingKeys.map((key) => {
    const {
      schema,
      default: value,
      description,
      unit,
    } = settingDefinitions[key] as {
      schema: z.ZodType;
      default: unknown;
      description: string;
      unit?: string;
    };
    const allowed = range(z.toJSONSchema(schema) as JsonSchema);
    const shown = `\`${JSON.stringify(value)}\`${unit === undefined ? '' : ` ${unit}`}`;
    return `| \`${key}\`<br>\`${environmentName(key)}\` | ${shown} | ${allowed} | ${description} |`;
  });
  return [
    '| key, environment | default | allowed | meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

const readme = readFileSync('README.md', 'utf8');
const [before = '', rest = ''] = readme.split(begin);
const after = rest.slice(rest.indexOf(end));
const { code: next } = await format('README.md', `${before}${begin}\n\n${table()}\n\n${after}`);
if (process.argv.includes('--check')) {
  if (next !== readme) {
    console.error(
      'The settings in README.md are not those of the schema: run npm run docs:settings.',
    );
    process.exitCode = 1;
  }
} else {
  writeFileSync('README.md', next);
}
