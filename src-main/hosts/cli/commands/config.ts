import type { Command } from 'commander';
import type { SettingView } from '../../../contract/settings.ts';
import type { Call, Runner } from '../call.ts';
import { settingValue } from '../parse/setting.ts';
import { formatTable } from '../text/table.ts';

/** `config`: the settings in force and where they come from. */
export function addConfigCommands(program: Command, runner: Runner): void {
  const config = program.command('config').description('settings: list, get, set, reset');
  runner.action(
    config.command('list', { isDefault: true }).description('all settings with their values'),
    list,
  );
  runner.action(
    config.command('get').description('one setting; without a key, all').argument('[key]'),
    (call, key: string | undefined) => (key === undefined ? list(call) : get(call, key)),
  );
  runner.action(
    config
      .command('set')
      .description('write a setting into config.yaml')
      .argument('<key>')
      .argument('<value>'),
    set,
  );
  runner.action(
    config.command('reset').description('take a setting out of config.yaml').argument('<key>'),
    reset,
  );
}

async function list(call: Call): Promise<void> {
  const views = await (await call.api()).config.list();
  await call.answer(
    () => views,
    () =>
      formatTable<SettingView>(
        [
          { title: 'KEY', cell: ({ key }) => key },
          { title: 'VALUE', cell: ({ value, unit }) => withUnit(value, unit), canShrink: true },
          { title: 'FROM', cell: ({ origin }) => origin },
          { title: 'WHAT', cell: ({ title }) => title, canShrink: true },
        ],
        views,
        call.look,
      ),
  );
}

async function get(call: Call, key: string): Promise<void> {
  const view = await (await call.api()).config.get({ key });
  await call.answer(
    () => view,
    () => `${plain(view.value)}\n`,
  );
}

async function set(call: Call, key: string, word: string): Promise<void> {
  const { config } = await call.api();
  const value = settingValue(word, await config.get({ key }));
  await tell(call, await config.set({ key, value }));
}

async function reset(call: Call, key: string): Promise<void> {
  await tell(call, await (await call.api()).config.reset({ key }));
}

async function tell(call: Call, view: SettingView): Promise<void> {
  if (view.origin === 'environment' || view.origin === 'flag') {
    await call.say(
      `Beware: ${view.key} is also given by ${originWords[view.origin]}, which is stronger.`,
    );
  }
  if (view.needsRestart) await call.say('It takes effect when the core starts again.');
  await call.answer(
    () => view,
    () => `${view.key} = ${withUnit(view.value, view.unit)}\n`,
  );
}

const originWords = {
  environment: 'the environment',
  flag: 'the command line of the core',
} as const;

function withUnit(value: unknown, unit: string | null): string {
  return unit === null || value === null ? plain(value) : `${plain(value)} ${unit}`;
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
