// One way to carry messages between a core and a client, whatever lies between: a MessagePort of
// Electron, a WebSocket, the CLI's local socket, a pair in memory. Everything else in wire/ is
// written against this.

/** A message as it travels: text for calls and feeds, bytes for byte streams. */
export type WireMessage = string | Uint8Array;

export interface WirePort {
  /** Queues a message. After `close` it does nothing. */
  send(message: WireMessage): void;
  /** Called once for each message, in order. Set before the first message can arrive. */
  onMessage(listener: (message: WireMessage) => void): void;
  /** Called once when the far side is gone or `close` was called. */
  onClose(listener: () => void): void;
  /** Bytes queued here that the carrier has not taken yet; 0 where the carrier cannot tell. */
  readonly bufferedBytes: number;
  close(): void;
}
