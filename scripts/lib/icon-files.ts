/** A drawn icon. */
export interface Drawn {
  size: number;
  png: Buffer;
}

/** A Windows icon whose images are PNGs (understood since Windows Vista). */
export function icoOf(images: readonly Drawn[]): Buffer {
  const entryBytes = 16;
  const header = Buffer.alloc(6 + entryBytes * images.length);
  header.writeUInt16LE(1, 2);
  header.writeUInt16LE(images.length, 4);
  let offset = header.byteLength;
  images.forEach(({ size, png }, index) => {
    const at = 6 + entryBytes * index;
    // 256 is written as 0.
    header.writeUInt8(size % 256, at);
    header.writeUInt8(size % 256, at + 1);
    header.writeUInt16LE(1, at + 4);
    header.writeUInt16LE(32, at + 6);
    header.writeUInt32LE(png.byteLength, at + 8);
    header.writeUInt32LE(offset, at + 12);
    offset += png.byteLength;
  });
  return Buffer.concat([header, ...images.map(({ png }) => png)]);
}

/** What macOS calls each size: the plain one, and the same number of pixels at double density. */
const icnsTypes: Readonly<Record<number, readonly string[]>> = {
  32: ['ic11'],
  64: ['ic12'],
  128: ['ic07'],
  256: ['ic08', 'ic13'],
  512: ['ic09', 'ic14'],
  1024: ['ic10'],
};

/** An Apple icon whose images are PNGs. */
export function icnsOf(images: readonly Drawn[]): Buffer {
  const parts = images.flatMap(({ size, png }) =>
    (icnsTypes[size] ?? []).map((type) => chunk(type, png)),
  );
  return chunk('icns', Buffer.concat(parts));
}

function chunk(type: string, content: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.write(type, 'latin1');
  header.writeUInt32BE(content.byteLength + 8, 4);
  return Buffer.concat([header, content]);
}
