import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigFile } from '../../../src-main/store/config-file.ts';
import { aDirectory } from './support.ts';

async function aFile(text?: string) {
  const path = join(await aDirectory(), 'config.yaml');
  if (text !== undefined) await writeFile(path, text);
  return { config: new ConfigFile(path), path, text: () => readFile(path, 'utf8') };
}

describe('the settings file', () => {
  test('is empty where there is none', async () => {
    const { config } = await aFile();
    expect(config.read()).toEqual({});
  });

  test.each([
    ['nested', 'tasks:\n  defaultImage: debian:12\nui: { theme: dark }\n'],
    ['dotted', 'tasks.defaultImage: debian:12\nui.theme: dark\n'],
    ['with empty sections', 'tasks:\n  defaultImage: debian:12\nlogs:\nui: { theme: dark }\n'],
  ])('may be %s', async (_form, text) => {
    const { config } = await aFile(text);
    expect(config.read()).toEqual({ 'tasks.defaultImage': 'debian:12', 'ui.theme': 'dark' });
  });

  test('knows where each value stands', async () => {
    const { config } = await aFile('# mine\ntasks:\n  defaultImage: x\nbad: [1, 2]\n');
    expect([...config.entries()]).toEqual([
      ['tasks.defaultImage', { value: 'x', place: 'config.yaml, line 3, column 3' }],
      ['bad', { value: [1, 2], place: 'config.yaml, line 4, column 1' }],
    ]);
  });

  test.each([
    ['tasks:\n  a: 1\n b: 2\n', 3],
    ['just words\n', 1],
    ['ui.theme: dark\nui:\n  theme: light\n', 3],
    ['ui.theme: dark\nui.theme: light\n', 2],
    ['a: "open\n', 2],
  ])('says where it cannot be read: %j', async (text, line) => {
    const { config } = await aFile(text);
    const expected: unknown = expect.objectContaining({
      code: 'settings/file',
      details: expect.objectContaining({ line }) as unknown,
    });
    expect(() => config.read()).toThrow(expected);
    expect(() => config.set('ui.theme', 'dark')).toThrow(expected);
  });

  test('keeps what people wrote when a value is set', async () => {
    const { config, text, path } = await aFile(
      '# mine\n\nui.theme: dark # at night\ntasks:\n  # slow disks\n  killGraceSeconds: 30\n',
    );
    config.set('ui.theme', 'light');
    config.set('tasks.defaultImage', 'debian:12');
    config.set('logs.level', 'debug');
    expect(await text()).toBe(
      '# mine\n\nui.theme: light # at night\ntasks:\n  # slow disks\n  killGraceSeconds: 30\n  defaultImage: debian:12\nlogs:\n  level: debug\n',
    );
    expect(await readdir(join(path, '..'))).toEqual(['config.yaml']);
  });

  test('is made, filled where a section is empty, and emptied again', async () => {
    const { config, text } = await aFile();
    config.set('ui.theme', 'light');
    expect(await text()).toBe('ui:\n  theme: light\n');
    config.set('ui.theme', undefined);
    config.set('ui.theme', undefined);
    expect(await text()).toBe('');
    const other = await aFile('# top\ntasks:\n# end\n');
    other.config.set('tasks.defaultImage', null);
    expect(other.config.read()).toEqual({ 'tasks.defaultImage': null });
    other.config.set('tasks.defaultImage', undefined);
    expect(other.config.read()).toEqual({});
    expect(await other.text()).toContain('# top');
  });
});
