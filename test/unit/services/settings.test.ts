import { expect, test } from 'vitest';
import { settingKeys, type SettingKey } from '../../../src-main/contract/settings.ts';
import { environmentName, SettingsService } from '../../../src-main/services/settings.ts';

function aService(
  sources: {
    flags?: Partial<Record<SettingKey, unknown>>;
    environment?: Record<string, string>;
    file?: Record<string, unknown>;
  } = {},
) {
  const { flags = {}, environment = {} } = sources;
  const file = new Map(Object.entries(sources.file ?? {}));
  const service = new SettingsService({
    flags,
    environment,
    file: {
      read: () => Object.fromEntries(file),
      set: (key, value) => void (value === undefined ? file.delete(key) : file.set(key, value)),
    },
  });
  return { service, file };
}

test('flags win over the environment, that over the file, that over defaults', () => {
  const flags = { 'server.port': 1 };
  const environment = { KOHAKURIVER_SERVER_PORT: '2', KOHAKURIVER_TASKS_KILL_GRACE_SECONDS: '3' };
  const file = { 'server.port': 4, 'tasks.killGraceSeconds': 5, 'nodes.offlineAfterSeconds': 6 };
  const { service } = aService({ flags, environment, file });
  const shown = (key: string) => [service.view(key).value, service.view(key).origin];
  expect(shown('server.port')).toEqual([1, 'flag']);
  expect(shown('tasks.killGraceSeconds')).toEqual([3, 'environment']);
  expect(shown('nodes.offlineAfterSeconds')).toEqual([6, 'file']);
  expect(shown('logs.level')).toEqual(['info', 'default']);
  expect(service.list()).toHaveLength(settingKeys.length);
});

test('every setting has its name in the environment', () => {
  const names = settingKeys.map(environmentName);
  expect(names).toContain('KOHAKURIVER_LOGS_MAX_BYTES_PER_TASK');
  expect(new Set(names).size).toBe(names.length);
});

test.each([
  [{ flags: { 'server.port': 70_000 } }, 'command line'],
  [{ environment: { KOHAKURIVER_SERVER_PORT: 'many' } }, 'KOHAKURIVER_SERVER_PORT'],
  [{ file: { 'server.port': -1 } }, 'config.yaml'],
])('a wrong value (%j) is refused with its place', (sources, place) => {
  expect(() => aService(sources)).toThrow(
    expect.objectContaining({
      code: 'settings/invalid',
      details: { key: 'server.port', place },
      message: expect.stringContaining(place) as unknown,
    }),
  );
});

test('a setting that does not exist is refused by name', () => {
  expect(() => aService({ file: { 'server.prot': 1 } })).toThrow(/server\.prot/);
  const { service } = aService();
  expect(() => service.view('nothing')).toThrow(
    expect.objectContaining({ code: 'not-found/setting' }),
  );
});

test('texts of the environment are values, or themselves where only that is right', () => {
  const environment = {
    KOHAKURIVER_TASKS_DEFAULT_IMAGE: '123',
    KOHAKURIVER_TASKS_ALLOW_PRIVILEGED: 'false',
    KOHAKURIVER_LOGS_LEVEL: 'debug',
  };
  const { service } = aService({ environment });
  expect(service.get('tasks.defaultImage')).toBe('123');
  expect(service.get('tasks.allowPrivileged')).toBe(false);
  expect(service.get('logs.level')).toBe('debug');
});

test('a change is checked, written, told once, and can be taken back', () => {
  const { service, file } = aService();
  const told: unknown[] = [];
  service.onDidChange((change) => told.push(change));
  expect(() => service.set('server.port', 'x')).toThrow(/server\.port/);
  expect(file.size).toBe(0);
  expect(service.set('server.port', 9000)).toMatchObject({ value: 9000, origin: 'file' });
  service.set('server.port', 9000);
  expect(service.reset('server.port')).toMatchObject({ value: 8000, origin: 'default' });
  expect(told).toEqual([
    { key: 'server.port', value: 9000 },
    { key: 'server.port', value: 8000 },
  ]);
});

test('what is set may lie under something stronger, and the view says so', () => {
  const { service } = aService({ flags: { 'server.port': 1 } });
  expect(service.set('server.port', 9000)).toMatchObject({ value: 1, origin: 'flag' });
});
