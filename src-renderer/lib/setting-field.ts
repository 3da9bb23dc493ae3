// Which field a setting gets: read from the JSON Schema the core sends with it.
import { z } from 'zod';

export type SettingField =
  | { kind: 'switch' }
  | { kind: 'choice'; options: string[] }
  | { kind: 'number'; min: number | undefined; max: number | undefined }
  | { kind: 'text'; isNullable: boolean; maxLength: number | undefined };

const schemaShape = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.unknown()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  maxLength: z.number().optional(),
});

/** The field for a value of this schema; what is not understood is edited as text. */
export function settingField(schema: unknown): SettingField {
  const parsed = schemaShape.safeParse(schema);
  if (!parsed.success) return { kind: 'text', isNullable: false, maxLength: undefined };
  const { type, enum: choices, anyOf, minimum, maximum, maxLength } = parsed.data;
  if (choices?.every((choice) => typeof choice === 'string') === true) {
    return { kind: 'choice', options: choices };
  }
  if (anyOf !== undefined) return nullableText(anyOf);
  if (type === 'boolean') return { kind: 'switch' };
  if (type === 'integer' || type === 'number')
    return { kind: 'number', min: minimum, max: maximum };
  return { kind: 'text', isNullable: false, maxLength };
}

function nullableText(anyOf: readonly unknown[]): SettingField {
  const parts = anyOf.map((part) => schemaShape.safeParse(part).data);
  const text = parts.find((part) => part?.type === 'string');
  return {
    kind: 'text',
    isNullable: parts.some((part) => part?.type === 'null'),
    maxLength: text?.maxLength,
  };
}
