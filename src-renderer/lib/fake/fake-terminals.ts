// Terminals of the fake core: a shell that greets, and says again what is typed.
import { RequestError } from '../../../src-main/contract/errors.ts';
import {
  encodeTerminalFrame,
  TerminalFrames,
  type TerminalFrame,
} from '../../../src-main/contract/terminal-frames.ts';
import type {
  TerminalChange,
  TerminalId,
  TerminalTarget,
  TerminalView,
} from '../../../src-main/contract/terminals.ts';
import type { ByteReader } from '../../../src-main/contract/client.ts';
import type { Api } from '../client.ts';
import type { FakeCore } from './fake-core.ts';
import { fakeFeed, FakeSignal } from './fake-feed.ts';
import { richVpses } from './fake-vpses.ts';

const encoder = new TextEncoder();
const prompt = '\u001b[38;5;37mmio@alpha\u001b[0m:\u001b[38;5;33m~\u001b[0m$ ';
const greeting = `Last login: Sun Nov 29 09:12:44 from 10.0.0.2\r\n${prompt}nvidia-smi -L\r\nGPU 0: NVIDIA A100-SXM4-80GB\r\nGPU 1: NVIDIA A100-SXM4-80GB\r\n${prompt}`;

export class FakeTerminals {
  readonly api: Api['terminals'];
  readonly #views = new Map<string, TerminalView>();
  readonly #changed = new FakeSignal<TerminalChange>();
  readonly #core: FakeCore;
  #last = 0;

  constructor(core: FakeCore) {
    this.#core = core;
    this.api = {
      list: async () => [...this.#views.values()],
      watch: async (_input, options) =>
        fakeFeed({
          snapshot: () => [...this.#views.values()],
          subscribe: (push: (change: TerminalChange) => void) => this.#changed.listen(push),
          signal: options?.signal,
        }),
      open: async ({ target, size, name }) => this.#open(target, { size, name: name ?? null }),
      rename: async ({ terminal, name }) => this.#change(terminal, { name }),
      resize: async ({ terminal, size }) => this.#change(terminal, { size }),
      close: async ({ terminal }) => {
        const { id } = this.#need(terminal);
        this.#views.delete(id);
        this.#changed.emit({ removed: id });
        return { id };
      },
    };
  }

  /** Plays an end of a terminal. */
  end(terminal: string, reason: string | null): void {
    this.#change(terminal, { state: 'ended', reason, exitCode: reason === null ? 0 : null });
  }

  attach(terminal: string, upload: AsyncIterable<Uint8Array> | undefined): ByteReader {
    const { size } = this.#need(terminal);
    const frames = shell(size, upload);
    const chunks = async function* () {
      for await (const frame of frames) {
        yield { bytes: encodeTerminalFrame(frame), release: () => undefined };
      }
    };
    return {
      chunks,
      async *[Symbol.asyncIterator]() {
        for await (const { bytes } of chunks()) yield bytes;
        return undefined;
      },
    };
  }

  #open(
    target: TerminalTarget,
    given: { size: TerminalView['size'] | undefined; name: string | null },
  ): TerminalView {
    this.#last += 1;
    const view: TerminalView = {
      id: `t${String(this.#last)}` as TerminalId,
      name: given.name,
      title: '',
      target,
      place: this.#placeOf(target),
      state: 'open',
      reason: null,
      exitCode: null,
      signal: null,
      size: given.size ?? { columns: 80, rows: 24 },
      scrollbackLines: 10_000,
      viewers: 1,
      keeper: null,
      openedAt: this.#core.now(),
    };
    this.#views.set(view.id, view);
    this.#changed.emit({ upsert: view });
    return view;
  }

  #placeOf(target: TerminalTarget): string {
    if (target.kind === 'task') {
      const vps = richVpses(this.#core.now()).find(({ id }) => id === target.task);
      return this.#core.task(target.task)?.name ?? vps?.name ?? target.task;
    }
    const node = this.#core.nodes.find(
      ({ id, name }) => id === target.node || name === target.node,
    );
    return node?.name ?? target.node;
  }

  #need(terminal: string): TerminalView {
    const view = this.#views.get(terminal);
    if (view === undefined) {
      throw new RequestError('not-found/terminal', 'This terminal is not there any more.');
    }
    return view;
  }

  #change(terminal: string, change: Partial<TerminalView>): TerminalView {
    const view = { ...this.#need(terminal), ...change };
    this.#views.set(view.id, view);
    this.#changed.emit({ upsert: view });
    return view;
  }
}

async function* shell(
  size: TerminalView['size'],
  upload: AsyncIterable<Uint8Array> | undefined,
): AsyncGenerator<TerminalFrame, void, void> {
  yield { kind: 'snapshot', ...size, bytes: encoder.encode(greeting) };
  const frames = new TerminalFrames();
  for await (const chunk of upload ?? []) {
    for (const frame of frames.push(chunk)) {
      if (frame.kind === 'input') yield { kind: 'data', bytes: echoed(frame.bytes) };
    }
  }
}

function echoed(bytes: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(bytes);
  return encoder.encode(text.replaceAll('\r', `\r\n${prompt}`));
}
