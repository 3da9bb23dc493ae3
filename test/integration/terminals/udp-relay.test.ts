// The programs that nodes run for UDP forwards, in each of their languages, on this computer.
import { spawn, spawnSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  encodeDatagramFrame,
  RelayedFrames,
  type DatagramFrame,
} from '../../../src-main/domain/forwards/datagrams.ts';
import { readNodeScript } from '../../../src-main/runtimes/node-scripts.ts';
import { until } from '../../support/core-client.ts';

const relays = [
  ['perl', ['-e', readNodeScript('udp-relay.pl')]],
  ['python3', ['-c', readNodeScript('udp-relay.py')]],
] as const;
const isThere = (program: string) => spawnSync(program, ['--version']).status === 0;

/** Answers with the port a datagram came from and its bytes again. */
let echo: Socket;
beforeAll(async () => {
  echo = createSocket('udp4', (bytes, { port, address }) => {
    echo.send([Buffer.from(`${String(port)} `), bytes], port, address);
  });
  echo.bind(0, '127.0.0.1');
  await once(echo, 'listening');
});
afterAll(() => echo?.close());

describe.each(relays)('the relay in %s', (program, args) => {
  test.skipIf(!isThere(program))(
    'carries datagrams of several flows, and ends with its input',
    async () => {
      const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
      const exited = once(child, 'exit');
      const reader = new RelayedFrames();
      const got: DatagramFrame[] = [];
      child.stdout.on('data', (chunk: Buffer) => {
        const found = reader.push(chunk);
        if (found === 'wrong') throw new Error('it said what no relay says');
        got.push(...found);
      });
      const send = (frame: DatagramFrame) => child.stdin.write(encodeDatagramFrame(frame));
      const answers = (flow: number) =>
        got.flatMap((frame) =>
          frame.kind === 'datagram' && frame.flow === flow
            ? [Buffer.from(frame.bytes).toString('latin1')]
            : [],
        );
      const { port } = echo.address();
      const long = 'x'.repeat(60_000);
      for (const flow of [7, 4_000_000_000]) {
        send({ kind: 'open', flow, host: '127.0.0.1', port });
        for (const text of ['first', '', 'second\n\u00ff\u0000', long]) {
          const before = answers(flow).length;
          send({ kind: 'datagram', flow, bytes: Buffer.from(text, 'latin1') });
          await until(() => answers(flow).length > before, `an answer to ${text.slice(0, 10)}`);
        }
      }
      const [one, two] = [answers(7), answers(4_000_000_000)];
      const portOf = (answer = '') => answer.split(' ')[0];
      expect(portOf(one[0])).not.toBe(portOf(two[0]));
      for (const all of [one, two]) {
        const own = portOf(all[0]);
        expect(all).toEqual([
          `${own} first`,
          `${own} `,
          `${own} second\n\u00ff\u0000`,
          `${own} ${long}`,
        ]);
      }
      // A closed flow says nothing any more; one that cannot be opened says so; the others go on.
      send({ kind: 'close', flow: 7 });
      send({ kind: 'datagram', flow: 7, bytes: Buffer.from('late') });
      send({ kind: 'open', flow: 8, host: 'no-such-host.invalid', port: 1 });
      await until(() => got.some(({ kind, flow }) => kind === 'failed' && flow === 8), 'a failure');
      // Nobody listens there yet: what is sent is lost, and the flow stays.
      const silent = createSocket('udp4').bind(0, '127.0.0.1');
      await once(silent, 'listening');
      const late = silent.address().port;
      await new Promise<void>((resolve) => silent.close(() => resolve()));
      send({ kind: 'open', flow: 9, host: '127.0.0.1', port: late });
      send({ kind: 'datagram', flow: 9, bytes: Buffer.from('lost') });
      const listening = createSocket('udp4', (bytes, from) =>
        listening.send(bytes, from.port, from.address),
      );
      listening.bind(late, '127.0.0.1');
      await once(listening, 'listening');
      await until(() => {
        send({ kind: 'datagram', flow: 9, bytes: Buffer.from('heard') });
        return answers(9).includes('heard');
      }, 'it is heard');
      listening.close();
      expect(answers(7)).toHaveLength(4);
      child.stdin.end();
      expect(await exited).toEqual([0, null]);
    },
  );
});
