import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { metricsPoint, metricsSample, type GpuFacts } from '../../../src-main/contract/node.ts';
import { judgeGpu } from '../../../src-main/domain/nodes/foreign-gpus.ts';
import { FrameReader } from '../../../src-main/domain/nodes/frames.ts';
import { makeSample, readingsByUuid } from '../../../src-main/domain/nodes/metrics-sample.ts';
import { parseGpuFrame } from '../../../src-main/domain/nodes/parse-gpu-metrics.ts';
import { parseTick, type RawSample } from '../../../src-main/domain/nodes/parse-metrics.ts';
import { meanOf } from '../../../src-main/domain/nodes/rollup.ts';
import { parseSections } from '../../../src-main/domain/nodes/sections.ts';
import { SampleRing } from '../../../src-main/services/nodes/sample-ring.ts';

const tick = (uptime: number, { busy = 0, idle = 0, read = 0, received = 0 } = {}) => `@tick
@uptime
|${String(uptime)} 3138.78
@stat
|cpu  ${String(busy)} 0 0 ${String(idle)} 0 0 0 0 0 0
|cpu0 ${String(busy)} 0 0 ${String(idle)} 0 0 0 0 0 0
@meminfo
|MemTotal:       1000 kB
|MemFree:        100 kB
|MemAvailable:   400 kB
|SwapTotal:      100 kB
|SwapFree:       60 kB
@loadavg
|1.50 0.24 0.18 2/110 31725
@diskstats
| 259 0 nvme0n1 1 0 ${String(read)} 1 1 0 20 0 0 0 0
| 259 1 nvme0n1p1 1 0 ${String(read)} 1 1 0 20 0 0 0 0
|   8 0 sda 1 0 ${String(read)} 1 1 0 20 0 0 0 0
|   8 1 sda1 1 0 ${String(read)} 1 1 0 20 0 0 0 0
| 253 0 dm-0 1 0 ${String(read)} 1 1 0 20 0 0 0 0
@net
|  eth0: ${String(received)} 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0
|docker0: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0
|eth0.5: 999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0
@temperatures
|coretemp 51000
|k10temp 64500
@disk
|/dev/vda 264212084 24718028 81672884 24% /
@end
`;

const raw = (text: string): RawSample => {
  const sample = parseTick(parseSections(text));
  if (sample === undefined) throw new Error('no sample');
  return sample;
};

describe('frames', () => {
  test('are found whatever way the bytes are cut, between what else is printed', () => {
    const text = `motd €\n@end\n${tick(1)}junk\n${tick(2)}@tick\n@uptime\n|3`;
    const bytes = new TextEncoder().encode(text);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 50 }),
        (sizes) => {
          const reader = new FrameReader('tick');
          const frames = [];
          for (let at = 0, turn = 0; at < bytes.length; turn++) {
            const size = sizes[turn % sizes.length] ?? 1;
            frames.push(...reader.push(bytes.subarray(at, at + size)));
            at += size;
          }
          expect(frames.map((frame) => parseTick(frame)?.uptimeS)).toEqual([1, 2]);
        },
      ),
    );
  });

  test('without end take no memory without end', () => {
    const reader = new FrameReader('tick');
    reader.push(new TextEncoder().encode('@tick\n@stat\n'));
    const flood = new TextEncoder().encode(`|${'x'.repeat(60_000)}\n`.repeat(50));
    for (let turn = 0; turn < 5; turn++) reader.push(flood);
    expect(reader.push(new TextEncoder().encode('@end\n'))).toEqual([]);
    reader.push(new TextEncoder().encode('y'.repeat(1_000_000)));
    expect(reader.push(new TextEncoder().encode(`\n${tick(1)}`))).toHaveLength(1);
  });
});

describe('samples', () => {
  test('are rates between two frames', () => {
    const before = raw(tick(100, { busy: 100, idle: 100 }));
    const now = raw(tick(102, { busy: 150, idle: 250, read: 10, received: 4000 }));
    const sample = makeSample({ at: 5, now, before, gpus: [], diskFreeBytes: null });
    expect(metricsSample.parse(sample)).toEqual({
      at: 5,
      cpu: 0.25,
      cpuPerCore: [0.25],
      load1: 1.5,
      memoryUsedBytes: 600 * 1024,
      memoryTotalBytes: 1000 * 1024,
      swapUsedBytes: 40 * 1024,
      // Two disks of 10 sectors; partitions and what lies above disks are not counted again.
      diskReadBytesPerS: (2 * 10 * 512) / 2,
      diskWriteBytesPerS: 0,
      netInBytesPerS: 2000,
      netOutBytesPerS: 0,
      diskFreeBytes: 81_672_884 * 1024,
      temperatureC: 64.5,
      gpus: [],
    });
  });

  test('after a reboot begin anew', () => {
    const before = raw(tick(100_000, { busy: 9999, idle: 9999, received: 1e9 }));
    const sample = makeSample({ at: 5, now: raw(tick(20)), before, gpus: [], diskFreeBytes: null });
    expect(sample).toMatchObject({ cpu: 0, netInBytesPerS: null, diskReadBytesPerS: null });
  });

  test('of any two frames fit the contract', () => {
    const line = fc.oneof(
      fc.constantFrom(...tick(5, { busy: 3 }).split('\n')),
      fc.string({ unit: 'binary', maxLength: 60 }).map((text) => `|${text}`),
    );
    const frame = fc
      .array(line, { maxLength: 60 })
      .map((lines) => parseTick(parseSections(lines.join('\n'))));
    fc.assert(
      fc.property(frame, frame, (before, now) => {
        if (now !== undefined)
          metricsSample.parse(makeSample({ at: 1, now, before, gpus: [], diskFreeBytes: null }));
      }),
      { numRuns: 100 },
    );
  });

  test('make a point of history as their mean', () => {
    const gpu = {
      uuid: 'GPU-1',
      utilization: 0.5,
      memoryBytes: 10,
      temperatureC: null,
      powerW: 100,
      powerLimitW: 1,
      fanPercent: 1,
      processes: [],
      foreign: false,
    };
    const base = makeSample({
      at: 1,
      now: raw(tick(2)),
      before: raw(tick(1)),
      gpus: [gpu],
      diskFreeBytes: null,
    });
    const point = meanOf(
      [base, { ...base, cpu: 1, gpus: [{ ...gpu, utilization: null, memoryBytes: 30 }] }],
      60_000,
    );
    expect(metricsPoint.parse(point)).toMatchObject({
      at: 60_000,
      cpu: 0.5,
      gpus: { 'GPU-1': [0.5, 20, 100, null] },
    });
    expect(meanOf([], 0)).toBeUndefined();
  });

  test('of an hour come back from the ring as they went in', () => {
    const ring = new SampleRing();
    const gpu = {
      uuid: 'GPU-1',
      utilization: 0.5,
      memoryBytes: 10,
      temperatureC: null,
      powerW: null,
      powerLimitW: 1,
      fanPercent: 1,
      processes: [],
      foreign: true,
    };
    const base = makeSample({
      at: 0,
      now: raw(tick(2)),
      before: undefined,
      gpus: [gpu],
      diskFreeBytes: null,
    });
    for (let at = 0; at <= 2 * 3_600_000; at += 1000) ring.add({ ...base, at }, 5000);
    const all = ring.all();
    expect(all).toHaveLength(721);
    expect(all[0]).toEqual({ ...base, at: 3_600_000, cpuPerCore: [] });
    expect(all.at(-1)).toEqual({ ...base, at: 7_200_000 });
  });
});

describe('GPUs', () => {
  const id = (digit: number) => `GPU-${String(digit).repeat(8)}-0000-0000-0000-000000000000`;
  const container = 'a'.repeat(64);
  const frame = `@gpu
@nvidia
|code 0
|${id(1)}, 50, 1024, 34, 52.10, 300.00, [N/A], 0
|${id(2)}, [N/A], ERR!, -900, [Unknown Error], 300.00, 30, 2
@apps
|${id(1)}, 4242, 1000, /usr/bin/python3, with a comma
|${id(1)}, 4243, [N/A], [Not Found]
|${id(2)}, 99999999999999, 5, x
@owners
|4242 anna 12:memory:/docker/${container}
|4243 root 0::/user.slice
@amd
|0000:0c:00.0 17179869184 97 54000 250000000 300000000 128
@end
`;

  test('are read with what runs on them', () => {
    const found = parseGpuFrame(parseSections(frame));
    expect(found.problem).toBeNull();
    expect(found.nvidia.get(id(1))).toEqual({
      utilization: 0.5,
      memoryBytes: 2 ** 30,
      temperatureC: 34,
      powerW: 52.1,
      powerLimitW: 300,
      fanPercent: null,
      eccErrors: 0,
      processes: [
        {
          pid: 4242,
          user: 'anna',
          name: '/usr/bin/python3,with a comma',
          memoryBytes: 1000 * 2 ** 20,
          containerId: container,
        },
        { pid: 4243, user: 'root', name: '[Not Found]', memoryBytes: null, containerId: null },
      ],
    });
    expect(found.nvidia.get(id(2))).toMatchObject({
      utilization: null,
      memoryBytes: null,
      temperatureC: null,
      powerW: null,
      eccErrors: 2,
      processes: [],
    });
    const amd = { vendor: 'amd', uuid: 'pci-0000:0c:00.0', pciBusId: '0000:0c:00.0' } as GpuFacts;
    expect(readingsByUuid([amd], found).get(amd.uuid)).toMatchObject({
      utilization: 0.97,
      temperatureC: 54,
      powerW: 250,
      powerLimitW: 300,
    });
  });

  test.each([
    ['code 137', 'does not answer'],
    ['code 9', 'fails with 9'],
    ['code 127', null],
  ])('%s', (code, problem) => {
    const found = parseGpuFrame(parseSections(`@gpu\n@nvidia\n|${code}\n@end\n`)).problem;
    if (problem === null) expect(found).toBeNull();
    else expect(found).toContain(problem);
  });

  test('are foreign when something runs there and nobody of ours holds them', () => {
    const reading = parseGpuFrame(parseSections(frame)).nvidia.get(id(1));
    if (reading === undefined) throw new Error('no reading');
    const judge = (held: string[], justReleased: string[] = []) =>
      judgeGpu(id(1), reading, { held: new Set(held), justReleased: new Set(justReleased) });
    expect(judge([])).toMatchObject({ foreign: true, processes: [{ pid: 4242 }, { pid: 4243 }] });
    expect(judge([id(1)])).toMatchObject({ foreign: false, processes: [] });
    expect(judge([], [id(1)])).toMatchObject({ foreign: false, processes: [] });
  });

  test('whatever a frame says, it does not throw', () => {
    const line = fc.oneof(
      fc.constantFrom(...frame.split('\n')),
      fc.string({ unit: 'binary', maxLength: 80 }).map((text) => `|${text}`),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 60 }), (lines) => {
        const found = parseGpuFrame(parseSections(lines.join('\n')));
        for (const [uuid, reading] of found.nvidia) {
          const gpus = [judgeGpu(uuid, reading, { held: new Set(), justReleased: new Set() })];
          metricsSample.shape.gpus.parse(gpus);
        }
      }),
      { numRuns: 500 },
    );
  });
});
