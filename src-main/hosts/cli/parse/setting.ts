import type { SettingView } from '../../../contract/settings.ts';

/**
 * A setting's value from the word on the command line: read as JSON where the setting takes such a
 * value (numbers, true, false, null), else the word itself. The core checks it.
 */
export function settingValue(word: string, view: Pick<SettingView, 'schema'>): unknown {
  const value = jsonOrWord(word);
  const accepted = typesOf(view.schema);
  return accepted.size === 0 || accepted.has(typeOf(value)) ? value : word;
}

function jsonOrWord(word: string): unknown {
  try {
    return JSON.parse(word);
  } catch (error) {
    if (error instanceof SyntaxError) return word;
    throw error;
  }
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** The `type`s a JSON Schema speaks of, at its top or in its alternatives. */
function typesOf(schema: unknown): Set<string> {
  if (typeof schema !== 'object' || schema === null) return new Set();
  const { type, anyOf } = schema as { type?: unknown; anyOf?: unknown };
  const own = (Array.isArray(type) ? type : [type]).filter((name) => typeof name === 'string');
  const nested = Array.isArray(anyOf) ? anyOf.flatMap((part) => [...typesOf(part)]) : [];
  return new Set([...own, ...nested].map((name) => (name === 'integer' ? 'number' : name)));
}
