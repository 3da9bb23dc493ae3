// The worker thread that keeps what every terminal looks like.
import { parentPort } from 'node:worker_threads';
import { Screen } from './screen.ts';
import type { ScreenOrder, ScreenReport } from './screen-messages.ts';

const screens = new Map<number, Screen>();

function report(message: ScreenReport): void {
  parentPort?.postMessage(message);
}

function open(order: ScreenOrder & { kind: 'open' }): void {
  const { screen } = order;
  screens.set(
    screen,
    new Screen(order, {
      answer: (bytes) => report({ kind: 'answer', screen, bytes }),
      title: (title) => report({ kind: 'title', screen, title }),
    }),
  );
}

async function carryOut(order: Exclude<ScreenOrder, { kind: 'open' }>): Promise<void> {
  const { screen } = order;
  const own = screens.get(screen);
  switch (order.kind) {
    case 'write':
      await own?.write(order.bytes);
      report({ kind: 'written', screen, bytes: order.bytes.byteLength });
      break;
    case 'resize':
      await own?.resize(order.columns, order.rows);
      break;
    case 'snapshot': {
      const snapshot = (await own?.snapshot()) ?? {
        bytes: new Uint8Array(0),
        columns: 80,
        rows: 24,
      };
      report({ kind: 'snapshot', screen, request: order.request, ...snapshot });
      break;
    }
    case 'close':
      screens.delete(screen);
      own?.dispose();
  }
}

parentPort?.on('message', (order: ScreenOrder) => {
  if (order.kind === 'open') open(order);
  else void carryOut(order);
});
