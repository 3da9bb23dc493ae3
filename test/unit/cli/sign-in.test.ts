import { expect, test } from 'vitest';
import { RequestError } from '../../../src-main/contract/errors.ts';
import { SignIn } from '../../../src-main/hosts/cli/sign-in.ts';

const host = { destination: { host: 'alpha' }, jumps: [], useSshConfig: true };
const refused = (accepts: string) =>
  new RequestError('link/auth', 'no', { details: { host: 'me@alpha', accepts } });

function prompts(answers: (string | undefined)[]) {
  const asked: string[] = [];
  return {
    asked,
    confirm: () => Promise.resolve(false),
    secret: (question: string) => {
      asked.push(question);
      return Promise.resolve(answers.shift());
    },
  };
}

test('asks for a password where the server takes one', async () => {
  const person = prompts(['river']);
  const signIn = new SignIn(person, host);
  expect(await signIn.retryAfter(refused('publickey, password'))).toBe(true);
  expect(signIn.host).toEqual({ ...host, password: 'river' });
  expect(person.asked).toEqual(['Password for me@alpha']);
});

test('asks three times at most', async () => {
  const signIn = new SignIn(prompts(['a', 'b', 'c', 'd']), host);
  const outcomes = [];
  for (let i = 0; i < 4; i += 1) outcomes.push(await signIn.retryAfter(refused('password')));
  expect(outcomes).toEqual([true, true, true, false]);
});

test('asks for the passphrase of an encrypted key', async () => {
  const signIn = new SignIn(prompts(['opensesame']), host);
  const error = new RequestError('link/key-passphrase', 'locked', { details: { file: 'id' } });
  expect(await signIn.retryAfter(error)).toBe(true);
  expect(signIn.host).toMatchObject({ passphrase: 'opensesame' });
});

test.each([
  ['keys only', new SignIn(prompts(['x']), host), refused('publickey')],
  ['nobody there', new SignIn(undefined, host), refused('password')],
  [
    'a password was given',
    new SignIn(prompts(['x']), { ...host, password: 'y' }),
    refused('password'),
  ],
  ['another error', new SignIn(prompts(['x']), host), new RequestError('link/refused', 'no')],
  ['nothing typed', new SignIn(prompts([undefined]), host), refused('password')],
])('gives up: %s', async (_why, signIn, error) => {
  expect(await signIn.retryAfter(error)).toBe(false);
});
