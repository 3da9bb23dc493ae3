// The settings in force: flags, environment, config.yaml, defaults, in this order. A wrong value is
// refused with its place and what would be right.
import { z } from 'zod';
import { AppError } from '../contract/errors.ts';
import {
  settingDefinitions,
  settingKeys,
  type SettingKey,
  type SettingOrigin,
  type Settings,
  type SettingView,
} from '../contract/settings.ts';
import { Emitter } from '../domain/emitter.ts';

export class SettingsError extends AppError<
  'settings/invalid' | 'settings/file' | 'not-found/setting'
> {}

/** The file part: `config.yaml` as flat dotted keys. */
export interface SettingsFile {
  /** Values as they stand in the file. */
  read(): Record<string, unknown>;
  /** Sets one key, or removes it with undefined; keeps the rest of the file, comments too. */
  set(key: string, value: unknown): void;
}

export interface SettingsSources {
  readonly flags: Partial<Record<SettingKey, unknown>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly file: SettingsFile;
}

/** `tasks.killGraceSeconds` → `KOHAKURIVER_TASKS_KILL_GRACE_SECONDS`. */
export function environmentName(key: string): string {
  return `KOHAKURIVER_${key.replaceAll(/[A-Z]/g, '_$&').replaceAll('.', '_').toUpperCase()}`;
}

function isKey(key: string): key is SettingKey {
  return Object.hasOwn(settingDefinitions, key);
}

/** Text of the environment or a command line as the JSON value it stands for, or as itself. */
export function valueFromText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

function check(key: SettingKey, value: unknown, place: string): unknown {
  const result = settingDefinitions[key].schema.safeParse(value);
  if (result.success) return result.data;
  const rule = result.error.issues.map((issue) => issue.message).join('; ');
  throw new SettingsError(
    'settings/invalid',
    `${key} cannot be ${JSON.stringify(value)} (${place}): ${rule}.`,
    {
      retry: 'after-user-action',
      details: { key, place },
      cause: result.error,
    },
  );
}

/** The text as the value it stands for; where that is wrong, as it is: an image may be called 123. */
function fromText(key: SettingKey, text: string, place: string): unknown {
  const asItIs = settingDefinitions[key].schema.safeParse(text);
  const value = valueFromText(text);
  const isRead = settingDefinitions[key].schema.safeParse(value).success;
  return !isRead && asItIs.success ? asItIs.data : check(key, value, place);
}

export class SettingsService {
  readonly #sources: SettingsSources;
  readonly #changed = new Emitter<{ key: SettingKey; value: unknown }>();
  #inForce = new Map<SettingKey, { value: unknown; origin: SettingOrigin }>();
  readonly onDidChange = this.#changed.event;

  /** Throws SettingsError for the first wrong value, wherever it comes from, and for unknown keys in the file. */
  constructor(sources: SettingsSources) {
    this.#sources = sources;
    this.#inForce = this.#load();
  }

  #load(): Map<SettingKey, { value: unknown; origin: SettingOrigin }> {
    const file = this.#sources.file.read();
    const unknown = Object.keys(file).find((key) => !isKey(key));
    if (unknown !== undefined) {
      throw new SettingsError(
        'settings/invalid',
        `config.yaml has a setting that does not exist: ${unknown}.`,
        {
          retry: 'after-user-action',
          details: { key: unknown, place: 'config.yaml' },
        },
      );
    }
    return new Map(settingKeys.map((key) => [key, this.#resolve(key, file)]));
  }

  #resolve(
    key: SettingKey,
    file: Record<string, unknown>,
  ): { value: unknown; origin: SettingOrigin } {
    const flag = this.#sources.flags[key];
    if (flag !== undefined) return { value: check(key, flag, 'command line'), origin: 'flag' };
    const name = environmentName(key);
    const text = this.#sources.environment[name];
    if (text !== undefined) return { value: fromText(key, text, name), origin: 'environment' };
    if (file[key] !== undefined)
      return { value: check(key, file[key], 'config.yaml'), origin: 'file' };
    return { value: settingDefinitions[key].default, origin: 'default' };
  }

  get<K extends SettingKey>(key: K): Settings[K] {
    return this.#inForce.get(key)?.value as Settings[K];
  }

  list(): SettingView[] {
    return settingKeys.map((key) => this.view(key));
  }

  view(key: string): SettingView {
    const known = this.#known(key);
    const definition = settingDefinitions[known];
    const { value, origin } = this.#inForce.get(known) ?? {
      value: definition.default,
      origin: 'default',
    };
    return {
      key: known,
      value,
      origin,
      default: definition.default,
      title: definition.title,
      description: definition.description,
      group: definition.group,
      unit: definition.unit ?? null,
      needsRestart: definition.needsRestart ?? false,
      schema: z.toJSONSchema(definition.schema),
    };
  }

  /** Writes a value into config.yaml. A flag or the environment may still be stronger: the view says so. */
  set(key: string, value: unknown): SettingView {
    const known = this.#known(key);
    this.#sources.file.set(known, check(known, value, 'the value given'));
    return this.#refresh(known);
  }

  /** Takes a key out of config.yaml. */
  reset(key: string): SettingView {
    const known = this.#known(key);
    this.#sources.file.set(known, undefined);
    return this.#refresh(known);
  }

  #refresh(key: SettingKey): SettingView {
    const before = this.get(key);
    this.#inForce.set(key, this.#resolve(key, this.#sources.file.read()));
    const after = this.get(key);
    if (before !== after) this.#changed.emit({ key, value: after });
    return this.view(key);
  }

  #known(key: string): SettingKey {
    if (isKey(key)) return key;
    throw new SettingsError(
      'not-found/setting',
      `There is no setting named ${key}. «kohakuriver config» lists them all.`,
      {
        details: { key },
      },
    );
  }
}
