import { expect, test } from 'vitest';
import {
  cleanPaste,
  copiedText,
  safeUrl,
  wantsWarning,
} from '../../../src-renderer/lib/terminal/far-side.ts';

test('only web addresses are links', () => {
  expect(safeUrl('https://example.org/a?b')?.href).toBe('https://example.org/a?b');
  for (const text of ['javascript:alert(1)', 'file:///etc/passwd', 'data:text/html,x', 'nothing']) {
    expect(safeUrl(text)).toBeUndefined();
  }
});

test('a program may offer text for the clipboard, and never ask for what is there', () => {
  expect(copiedText(`c;${btoa('hello')}`)).toBe('hello');
  for (const data of ['c;?', 'c;', 'c;%%%', `c;${btoa('\u00ff\u00fe')}`]) {
    expect(copiedText(data)).toBeUndefined();
  }
});

test('what is pasted holds no control characters, and several lines are asked about', () => {
  expect(cleanPaste('ls\u001b[201~\u0007 -l\n')).toBe('ls[201~ -l\n');
  expect(wantsWarning('ls -l', false)).toBe(false);
  expect(wantsWarning('ls -l\n', false)).toBe(true);
  expect(wantsWarning('one\ntwo', false)).toBe(true);
  expect(wantsWarning('one\ntwo', true)).toBe(false);
});
