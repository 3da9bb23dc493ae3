// A web contents: a page of Chromium with the preload in a world of its own.
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import type { CDPSession, Page } from 'playwright-core';
import type { Item, WindowOpenHandlerResponse } from 'electron';
import type {
  PageContents,
  PageFrame,
  Preventable,
} from '../../../src-main/hosts/electron/electron-api.ts';
import { chrome, toReal, toShown } from './chrome.ts';
import { decode, type FromPage, type StandInPort } from './port.ts';
import { recorded } from './record.ts';
import { binding, mainWorldScript, preloadScript, worldName } from './world.ts';

export const ipcListeners = new Map<string, (event: object, ...args: unknown[]) => void>();

export class StandInContents extends EventEmitter implements PageContents {
  readonly #preload: string;
  readonly #ports = new Map<string, StandInPort>();
  #page: Page | undefined;
  #cdp: CDPSession | undefined;
  #world: number | undefined;
  #url = '';
  #hasCrashed = false;
  #openHandler: ((details: { url: string }) => WindowOpenHandlerResponse) | undefined;
  readonly mainFrame: PageFrame;

  constructor(preloadFile: string) {
    super();
    this.#preload = readFileSync(preloadFile, 'utf8');
    const origin = (): string => toShown(new URL(this.#page?.url() ?? 'about:blank').origin);
    this.mainFrame = {
      get origin() {
        return origin();
      },
      postMessage: (channel, message, transfer = []) => {
        const ports = (transfer as unknown as StandInPort[]).map((port) => {
          port.toPage = (out) => this.#toPage(out);
          this.#ports.set(port.id, port);
          return port.id;
        });
        this.#toPage({ kind: 'message', channel, args: [message], ports });
      },
    };
  }

  async load(url: string): Promise<void> {
    this.#url = url;
    if (this.#page === undefined || this.#hasCrashed) await this.#openPage();
    const real = toReal(url);
    // An address that differs behind `#` alone would load nothing.
    if (this.#page!.url().split('#')[0] === real.split('#')[0])
      await this.#page!.goto('about:blank');
    await this.#page!.goto(real);
  }

  reload(): void {
    if (this.#hasCrashed) void this.load(this.#url);
    else void this.#page?.reload();
  }

  setWindowOpenHandler(handler: (details: { url: string }) => WindowOpenHandlerResponse): void {
    this.#openHandler = handler;
  }

  startDrag(item: Item): void {
    recorded.drags.push({ file: item.file, icon: String(item.icon) });
  }

  async destroy(): Promise<void> {
    this.#losePorts();
    await this.#page?.close();
  }

  crash(): void {
    // Nobody is left to answer.
    this.#cdp?.send('Page.crash').catch(() => undefined);
  }

  /** Drops files of this computer onto the middle of the page, as the system does. */
  async drop(files: string[]): Promise<void> {
    this.#toPage({ kind: 'paths', paths: files });
    const data = { items: [], files, dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
      await this.#cdp?.send('Input.dispatchDragEvent', { type, x: 400, y: 300, data });
  }

  /** Asks whether a navigation that the page began may go on. */
  mayNavigate(url: string): boolean {
    let isPrevented = false;
    const event: Preventable & { url: string } = {
      url,
      preventDefault: () => (isPrevented = true),
    };
    this.emit('will-navigate', event);
    recorded.navigations.push({ url, isPrevented });
    return !isPrevented;
  }

  owns(page: Page): boolean {
    return this.#page === page;
  }

  async #openPage(): Promise<void> {
    this.#losePorts();
    const page = await chrome.newPage(this);
    const cdp = await page.context().newCDPSession(page);
    this.#page = page;
    this.#cdp = cdp;
    this.#hasCrashed = false;
    cdp.on('Runtime.executionContextCreated', ({ context }) => {
      if (context.name !== worldName) return;
      this.#losePorts();
      this.#world = context.id;
    });
    cdp.on('Runtime.bindingCalled', ({ payload }) =>
      this.#fromPage(JSON.parse(payload) as FromPage),
    );
    cdp.on('Page.windowOpen', ({ url }) => {
      const answer = this.#openHandler?.({ url }).action ?? 'allow';
      recorded.windowsAsked.push({ url, answer });
    });
    page.on('framenavigated', () => (this.#url = toShown(page.url())));
    page.on('crash', () => {
      this.#hasCrashed = true;
      this.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 139 });
    });
    await cdp.send('Page.enable');
    await cdp.send('Runtime.enable');
    await cdp.send('Runtime.addBinding', { name: binding, executionContextName: worldName });
    await cdp.send('Page.addScriptToEvaluateOnNewDocument', { source: mainWorldScript });
    const source = preloadScript(this.#preload);
    await cdp.send('Page.addScriptToEvaluateOnNewDocument', { source, worldName });
  }

  #fromPage(message: FromPage): void {
    if (message.kind === 'ipc') {
      const event = { sender: this, senderFrame: this.mainFrame };
      ipcListeners.get(message.channel)?.(event, ...message.args);
      return;
    }
    const port = this.#ports.get(message.id);
    if (message.kind === 'port') port?.peer?.deliver(decode(message.data));
    else port?.lost();
  }

  #toPage(message: object): void {
    if (this.#world === undefined || this.#hasCrashed) return;
    const expression = `standInReceive(${JSON.stringify(message)})`;
    this.#cdp
      ?.send('Runtime.evaluate', { expression, contextId: this.#world })
      // The page has gone meanwhile.
      .catch(() => undefined);
  }

  #losePorts(): void {
    this.#world = undefined;
    const ports = [...this.#ports.values()];
    this.#ports.clear();
    for (const port of ports) port.lost();
  }
}
