import { expect, test } from 'vitest';
import { mayLeave } from '../../../src-main/hosts/electron/window.ts';

test.each([
  'https://docs.example/help',
  'http://127.0.0.1:8888/lab?token=x',
  'http://localhost:6006/',
  'http://[::1]:8888/',
  'vscode://vscode-remote/ssh-remote+kr-anna-dev/root',
])('%s may be opened by the system', (url) => {
  expect(mayLeave(url)).toBe(true);
});

test.each([
  'http://plain.example/',
  'http://127.0.0.1.example/',
  'http://localhost@plain.example/',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'ssh://anna@box',
  'vscode://some.extension/run',
  'vscode://vscode-remote/ssh-remote+elsewhere/root',
  'vscode://vscode-remote/ssh-remote+kr-a%20b/root',
  'vscode://vscode-remote@extension/ssh-remote+kr-a/root',
  'not a link',
])('%s may not', (url) => {
  expect(mayLeave(url)).toBe(false);
});
