// One point of history as bytes: GPUs by a number instead of their UUID, numbers as doubles. About
// 50 bytes and 36 a GPU, where JSON takes five times that.
import type { MetricsPoint } from '../contract/node.ts';
import { StoreError } from './errors.ts';

/** Minutes one point stands for. */
export type Resolution = 1 | 15;

const format = 1;
const headBytes = 1 + 6 * 8;
const gpuBytes = 4 + 4 * 8;

/** Not-a-number stands for null: no gauge measures it. */
const toDouble = (value: number | null): number => value ?? Number.NaN;
const fromDouble = (value: number): number | null => (Number.isNaN(value) ? null : value);

/** @param gpuNumber the number a UUID is kept under. */
export function encodePoint(point: MetricsPoint, gpuNumber: (uuid: string) => number): Buffer {
  const gpus = Object.entries(point.gpus);
  const bytes = Buffer.alloc(headBytes + gpus.length * gpuBytes);
  let at = bytes.writeUInt8(format, 0);
  const head = [
    point.cpu,
    point.memoryUsedBytes,
    point.diskReadBytesPerS,
    point.diskWriteBytesPerS,
    point.netInBytesPerS,
    point.netOutBytesPerS,
  ];
  for (const value of head) at = bytes.writeDoubleLE(toDouble(value), at);
  for (const [uuid, values] of gpus) {
    at = bytes.writeUInt32LE(gpuNumber(uuid), at);
    for (const value of values) at = bytes.writeDoubleLE(toDouble(value), at);
  }
  return bytes;
}

/** @throws StoreError `store/corrupt` */
export function decodePoint(
  at: number,
  bytes: Uint8Array,
  gpuUuid: (id: number) => string | undefined,
): MetricsPoint {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const gpuCount = (view.length - headBytes) / gpuBytes;
  if (view[0] !== format || !Number.isInteger(gpuCount) || gpuCount < 0) {
    throw new StoreError('store/corrupt', 'A point of metrics history cannot be read.');
  }
  const double = (index: number): number | null => fromDouble(view.readDoubleLE(1 + index * 8));
  const gpus: MetricsPoint['gpus'] = {};
  for (let gpu = 0; gpu < gpuCount; gpu += 1) {
    const start = headBytes + gpu * gpuBytes;
    const value = (index: number) => fromDouble(view.readDoubleLE(start + 4 + index * 8));
    const uuid = gpuUuid(view.readUInt32LE(start));
    if (uuid !== undefined) gpus[uuid] = [value(0), value(1), value(2), value(3)];
  }
  return {
    at,
    cpu: double(0) ?? 0,
    memoryUsedBytes: double(1) ?? 0,
    diskReadBytesPerS: double(2),
    diskWriteBytesPerS: double(3),
    netInBytesPerS: double(4),
    netOutBytesPerS: double(5),
    gpus,
  };
}
