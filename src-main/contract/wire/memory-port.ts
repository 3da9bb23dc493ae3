import { PortInbox } from './port-inbox.ts';
import type { WireMessage, WirePort } from './port.ts';

/** Two ports that are each other's far side. Messages are cloned, as a real carrier would. */
export function memoryPorts(): [WirePort, WirePort] {
  const left = new MemoryPort();
  const right = new MemoryPort();
  left.far = right;
  right.far = left;
  return [left, right];
}

class MemoryPort implements WirePort {
  readonly #inbox = new PortInbox();
  readonly bufferedBytes = 0;
  far: MemoryPort | undefined;

  send(message: WireMessage): void {
    const { far } = this;
    if (far === undefined) return;
    const copy = structuredClone(message);
    queueMicrotask(() => {
      far.#inbox.deliver(copy);
    });
  }

  onMessage(listener: (message: WireMessage) => void): void {
    this.#inbox.onMessage(listener);
  }

  onClose(listener: () => void): void {
    this.#inbox.onClose(listener);
  }

  close(): void {
    const { far } = this;
    if (far === undefined) return;
    this.far = undefined;
    far.far = undefined;
    this.#inbox.close();
    // After what was sent before, as on a wire.
    queueMicrotask(() => {
      far.#inbox.close();
    });
  }
}
