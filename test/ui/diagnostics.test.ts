import { fireEvent, screen, waitFor } from '@testing-library/svelte';
import { describe, expect, test } from 'vitest';
import { LineCutter, parseLogLine } from '../../src-renderer/lib/core-log-lines.ts';
import { createFakeClient } from '../../src-renderer/lib/fake/fake-client.ts';
import { detailsText } from '../../src-renderer/pages/diagnostics/details-text.ts';
import { renderApp } from './support/app.ts';

describe('lines of the core log', () => {
  test('say their level, context and error', () => {
    const text = JSON.stringify({
      level: 50,
      time: 12,
      node: 'alpha',
      tries: 3,
      err: { type: 'X', message: 'no room', stack: 'X: no room\n at y' },
      msg: 'it failed',
    });
    expect(parseLogLine(text, 7)).toEqual({
      id: 7,
      level: 'error',
      at: 12,
      message: 'it failed',
      context: 'node=alpha  tries=3  no room',
      more: 'X: no room\n at y',
    });
  });

  test('that are none stand for themselves, cut where they are endless', () => {
    expect(parseLogLine('{"broken', 1)).toMatchObject({ level: 'warning', message: '{"broken' });
    expect(parseLogLine('y'.repeat(1e6), 1).message.length).toBeLessThan(1000);
    const huge = JSON.stringify({ level: 30, msg: 'm', a: 'z'.repeat(1e6) });
    expect(parseLogLine(huge, 1).context.length).toBeLessThan(1000);
  });

  test('are cut from bytes wherever those are cut', () => {
    const cutter = new LineCutter();
    const bytes = new TextEncoder().encode('eins\nzwölf\nrest');
    const lines = [...bytes].flatMap((byte) => cutter.take(Uint8Array.of(byte)));
    expect(lines).toEqual(['eins', 'zwölf']);
    expect(cutter.take(new TextEncoder().encode(' und ende\n'))).toEqual(['rest und ende']);
  });
});

test('links say their state and their figures, and lead to their nodes', async () => {
  renderApp('#/diagnostics');
  const row = (await screen.findByRole('link', { name: 'beta' })).closest('tr')!;
  expect(row.textContent).toContain('Online');
  expect(row.textContent).toMatch(/\d of 10/);
  const gone = screen.getByRole('link', { name: 'old-faithful' }).closest('tr')!;
  expect(gone.textContent).toContain('Offline');
  expect(gone.textContent).toContain('–');
});

test('the log is searched, and an error shows its stack', async () => {
  renderApp('#/diagnostics');
  await screen.findByText('the core has started');
  await fireEvent.input(screen.getByRole('searchbox', { name: 'Find in the log' }), {
    target: { value: 'container gamma' },
  });
  await waitFor(() => expect(screen.queryByText('the core has started')).toBeNull());
  expect(screen.getAllByText('a container could not be made').length).toBeGreaterThan(0);
  expect(screen.getAllByText(/at create/).length).toBeGreaterThan(0);
  await fireEvent.input(screen.getByRole('searchbox', { name: 'Find in the log' }), {
    target: { value: 'nothing has these words' },
  });
  await screen.findByText('No line has these words.');
});

test('the details to copy have what a report of trouble needs', async () => {
  const { api } = createFakeClient();
  const report = await api.diagnostics.read();
  const text = detailsText({
    core: await api.core.status(),
    report,
    lines: [parseLogLine('{"level":40,"time":5,"msg":"the link is gone"}', 1)],
  });
  expect(text).toMatch(/KohakuRiver 0\.1\.0/);
  expect(text).toMatch(/old-faithful: offline, Nothing answered/);
  expect(text).toMatch(/warning the link is gone/);
});
