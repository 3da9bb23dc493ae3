import { getEventIteratorSchemaDetails, isContractProcedure, type AnySchema } from '@orpc/contract';
import { protocolError } from './protocol-error.ts';

/** What an answer to one procedure must look like. */
export interface ProcedureShape {
  output: AnySchema | undefined;
  /** Of the items, where the answer is a feed. */
  item: AnySchema | undefined;
}

/** Every procedure of a contract by its dotted path. */
export function procedureTable(contract: object): ReadonlyMap<string, ProcedureShape> {
  const table = new Map<string, ProcedureShape>();
  addTo(table, { router: contract, path: '' });
  return table;
}

/** Checks a value against a schema. Throws `core/protocol`, naming `what`. */
export async function checkedAgainst(
  schema: AnySchema | undefined,
  value: unknown,
  what: string,
): Promise<unknown> {
  if (schema === undefined) return value;
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return result.value;
  const place = result.issues[0]?.path?.map((part) =>
    String(typeof part === 'object' ? part.key : part),
  );
  throw protocolError(
    `The answer to ${what} was not of the agreed form${place === undefined || place.length === 0 ? '' : ` (at ${place.join('.')})`}; the app and the core may be of different versions.`,
  );
}

function addTo(table: Map<string, ProcedureShape>, at: { router: object; path: string }): void {
  for (const [name, value] of Object.entries(at.router) as [string, unknown][]) {
    const path = at.path === '' ? name : `${at.path}.${name}`;
    if (isContractProcedure(value)) {
      const output = value['~orpc'].outputSchema as AnySchema | undefined;
      table.set(path, { output, item: getEventIteratorSchemaDetails(output)?.yields });
    } else if (typeof value === 'object' && value !== null) {
      addTo(table, { router: value, path });
    }
  }
}
