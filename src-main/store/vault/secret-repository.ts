import { z } from 'zod';
import type { Connection, Statement } from '../connection.ts';
import { secretId, type SecretId } from '../node-rows.ts';

/** Where a secret belongs: one value for each name in a scope such as `node/<id>` or `batch/<id>`. */
export interface SecretRef {
  readonly scope: string;
  readonly name: string;
}

const idRow = z.object({ id: secretId });
const nameRow = z.object({ name: z.string() });
const row = z.object({
  id: secretId,
  scope: z.string(),
  name: z.string(),
  ciphertext: z.instanceof(Uint8Array),
});
export type SecretRow = z.infer<typeof row>;

/** The table of secrets. It knows ciphertext only. */
export class SecretRepository {
  readonly #claim: Statement;
  readonly #fill: Statement;
  readonly #byId: Statement;
  readonly #byRef: Statement;
  readonly #delete: Statement;
  readonly #deleteByRef: Statement;
  readonly #deleteScope: Statement;
  readonly #names: Statement;
  readonly #dropOrphans: Statement;

  constructor(connection: Connection) {
    this.#claim = connection.prepare(
      `INSERT INTO secrets (scope, name, ciphertext) VALUES (?, ?, x'')
       ON CONFLICT (scope, name) DO UPDATE SET ciphertext = x'' RETURNING id`,
    );
    this.#fill = connection.prepare('UPDATE secrets SET ciphertext = ? WHERE id = ?');
    this.#byId = connection.prepare('SELECT * FROM secrets WHERE id = ?');
    this.#byRef = connection.prepare('SELECT * FROM secrets WHERE scope = ? AND name = ?');
    this.#delete = connection.prepare('DELETE FROM secrets WHERE id = ?');
    this.#deleteByRef = connection.prepare('DELETE FROM secrets WHERE scope = ? AND name = ?');
    this.#names = connection.prepare('SELECT name FROM secrets WHERE scope = ? ORDER BY name');
    this.#deleteScope = connection.prepare('DELETE FROM secrets WHERE scope = ?');
    this.#dropOrphans = connection.prepare(
      `DELETE FROM secrets WHERE scope GLOB 'batch/*' AND NOT EXISTS
         (SELECT 1 FROM tasks WHERE batch_id = CAST(substr(scope, 7) AS INTEGER))`,
    );
  }

  /** `sealFor` gets the ID the secret will have, because its ciphertext is tied to it. */
  put({ scope, name }: SecretRef, sealFor: (id: SecretId) => Uint8Array): SecretId {
    const { id } = idRow.parse(this.#claim.get(scope, name));
    this.#fill.run(sealFor(id), id);
    return id;
  }

  find(ref: SecretId | SecretRef): SecretRow | undefined {
    const found =
      typeof ref === 'number' ? this.#byId.get(ref) : this.#byRef.get(ref.scope, ref.name);
    return found === undefined ? undefined : row.parse(found);
  }

  delete(id: SecretId): void {
    this.#delete.run(id);
  }

  names(scope: string): string[] {
    return this.#names.all(scope).map((found) => nameRow.parse(found).name);
  }

  deleteOf({ scope, name }: SecretRef): void {
    this.#deleteByRef.run(scope, name);
  }

  deleteScope(scope: string): void {
    this.#deleteScope.run(scope);
  }

  /** Drops the secrets of batches none of whose tasks is left. */
  dropOrphans(): void {
    this.#dropOrphans.run();
  }
}
