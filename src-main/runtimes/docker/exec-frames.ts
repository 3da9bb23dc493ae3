import { DockerConnectionError } from './errors.ts';

const headerBytes = 8;

export interface OutputPart {
  readonly stream: 'stdout' | 'stderr';
  /** Shares memory with the chunk it came in. */
  readonly bytes: Buffer;
}

/** Takes apart what a program without a terminal prints (API: ContainerAttach «Stream format»), holding nothing back. */
export class OutputFrames {
  #header: Buffer = Buffer.alloc(0);
  #stream: OutputPart['stream'] = 'stdout';
  #left = 0;

  /** The output in these bytes. Throws for what is not the Engine's format. */
  push(chunk: Buffer): OutputPart[] {
    const parts: OutputPart[] = [];
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#left === 0) {
        rest = this.#readHeader(rest);
        continue;
      }
      const bytes = rest.subarray(0, this.#left);
      parts.push({ stream: this.#stream, bytes });
      this.#left -= bytes.length;
      rest = rest.subarray(bytes.length);
    }
    return parts;
  }

  #readHeader(bytes: Buffer): Buffer {
    const missing = headerBytes - this.#header.length;
    this.#header = Buffer.concat([this.#header, bytes.subarray(0, missing)]);
    if (this.#header.length === headerBytes) {
      const type = this.#header[0];
      if (type !== 0 && type !== 1 && type !== 2) {
        throw new DockerConnectionError(
          'What the Engine says of a program cannot be read: it is of no known stream.',
          { retry: 'after-user-action' },
        );
      }
      this.#stream = type === 2 ? 'stderr' : 'stdout';
      this.#left = this.#header.readUInt32BE(4);
      this.#header = Buffer.alloc(0);
    }
    return bytes.subarray(missing);
  }
}
