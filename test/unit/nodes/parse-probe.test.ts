import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { finding, nodeFacts } from '../../../src-main/contract/node.ts';
import { doctorFindings, standingFindings } from '../../../src-main/domain/nodes/findings.ts';
import { parseProbe } from '../../../src-main/domain/nodes/parse-probe.ts';

const fixture = (name: string) => readFileSync(join(import.meta.dirname, 'fixtures', name), 'utf8');
const dual = fixture('dual-socket-a100.txt');
const arrivedAt = 1_760_000_000_000;
const probe = (text: string) => parseProbe(text, { arrivedAt });

/** The report with one section replaced. */
function withSection(name: string, lines: readonly string[]): string {
  return dual.replace(
    new RegExp(`@${name}\\n(\\|.*\\n)*`),
    `@${name}\n${lines.map((line) => `|${line}\n`).join('')}`,
  );
}

describe('a healthy report', () => {
  test('becomes facts', () => {
    expect(probe(dual).facts).toEqual({
      hostname: 'dgx-01',
      machineId: '3d1219c7c4c5404aaa1f6d2a48adfda4',
      bootId: '409f6313-2921-4e48-9465-ab9342b7c82d',
      os: 'Ubuntu 22.04.4 LTS',
      kernel: '5.15.0-112-generic',
      arch: 'x86_64',
      cores: 8,
      cpuModel: 'AMD EPYC 7742 64-Core Processor',
      memoryBytes: 1_056_463_656 * 1024,
      numa: [
        { id: 0, cores: [0, 1, 4, 5], memoryBytes: 528_162_816 * 1024 },
        { id: 1, cores: [2, 3, 6, 7], memoryBytes: 528_300_840 * 1024 },
      ],
      gpus: [
        {
          index: 0,
          uuid: 'GPU-11111111-1111-1111-1111-111111111111',
          name: 'NVIDIA A100-SXM4-80GB',
          vendor: 'nvidia',
          memoryBytes: 80 * 2 ** 30,
          numa: 0,
          pciBusId: '0000:3b:00.0',
          driver: '535.183.01',
          mig: false,
        },
        {
          index: 1,
          uuid: 'GPU-22222222-2222-2222-2222-222222222222',
          name: 'NVIDIA A100-SXM4-80GB',
          vendor: 'nvidia',
          memoryBytes: 80 * 2 ** 30,
          numa: 1,
          pciBusId: '0000:86:00.0',
          driver: '535.183.01',
          mig: true,
        },
      ],
      gpuProblem: null,
      docker: null,
      dockerProblem: null,
      qemu: { version: '6.2.0', kvm: false },
      process: true,
      processLimits: true,
      user: 'anna',
      home: '/home/anna',
      diskFreeBytes: 2_000_000 * 1024,
      clockSkewMs: 10_250,
    });
  });

  test('becomes findings with the commands that help', () => {
    const report = probe(dual);
    const found = doctorFindings(
      { ...report, facts: { ...report.facts, dockerProblem: 'It is off.' } },
      false,
    );
    const fixes = Object.fromEntries(found.map(({ id, level, fix }) => [id, [level, fix]]));
    expect(fixes).toMatchObject({
      clock: ['warning', 'sudo timedatectl set-ntp true'],
      'disk-home': ['warning', null],
      'gpu-1': ['warning', null],
      'gpu-xid': ['warning', "sudo dmesg | grep 'NVRM: Xid'"],
      'docker-down': ['warning', 'sudo systemctl start docker'],
      'sshd-sessions': ['warning', expect.stringContaining('MaxSessions 32')],
      'sshd-startups': ['info', expect.stringContaining('MaxStartups')],
      kvm: ['info', 'sudo usermod -aG kvm anna'],
      iommu: ['ok', null],
    });
    expect(fixes).not.toHaveProperty('disk-docker');
  });

  test('of AMD GPUs: in the order of their addresses, named by whoever knows', () => {
    const { facts } = probe(fixture('amd.txt'));
    expect(
      facts.gpus.map(({ index, uuid, name, memoryBytes, numa }) => [
        index,
        uuid,
        name,
        memoryBytes,
        numa,
      ]),
    ).toEqual([
      [0, 'GPU-b3f1aa00c0ffee11', 'AMD Radeon RX 7900 XTX', 25_753_026_560, 0],
      [1, 'pci-0000:0c:00.0', 'AMD Instinct MI250X', 68_702_699_520, 0],
    ]);
  });
});

describe('nvidia-smi', () => {
  const row = (index: string, id: number, memory = '81920') =>
    `${index}, GPU-${String(id).repeat(8)}-1111-1111-1111-111111111111, NVIDIA T4, ${memory}, 00000000:0${String(id)}:00.0, 535, [N/A], [N/A]`;

  test.each([
    [['code timeout'], 'does not answer'],
    [['code 137', 'Killed'], 'does not answer'],
    [['code unavailable'], 'could not be asked'],
    [
      ['code 9', "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."],
      "failed with 9: NVIDIA-SMI has failed because it couldn't",
    ],
    [
      [
        'code 15',
        'Unable to determine the device handle for GPU 0000:3B:00.0: GPU is lost.  Reboot the system',
      ],
      'GPU is lost',
    ],
    [['garbage'], 'could not be asked'],
    [['code 0', '0, GPU-, , ,', '[[[, 9999999999999999999999, ERR!'], 'makes sense'],
    [['code 0', row('0', 1), row('0', 2)], 'makes sense'],
    [['code 0', row('0', 1), row('1', 1)], 'makes sense'],
    [['code 0', row('-1', 1)], 'makes sense'],
  ])('%j makes GPUs unknown', (lines, words) => {
    expect(probe(withSection('nvidia', lines)).facts.gpuProblem).toContain(words);
  });

  test('no devices is no problem', () => {
    expect(probe(withSection('nvidia', ['code 6', 'No devices were found'])).facts).toMatchObject({
      gpus: [],
      gpuProblem: null,
    });
  });

  test('an old driver that was asked again', () => {
    const lines = [
      'code 0',
      'Field "mig.mode.current" is not a valid field to query.',
      'retry',
      row('0', 1).replace(', [N/A], [N/A]', ''),
    ];
    expect(probe(withSection('nvidia', lines)).facts).toMatchObject({
      gpus: [{ index: 0, mig: false }],
      gpuProblem: null,
    });
  });

  test('memory that cannot be read makes one GPU ail, not all', () => {
    const report = probe(
      withSection('nvidia', ['code 0', row('0', 1, '[N/A]'), row('1', 2, 'ERR!'), row('2', 3)]),
    );
    expect(report.facts.gpuProblem).toBeNull();
    expect(report.ailingGpus.size).toBe(2);
  });

  test('a name with escape sequences is text', () => {
    const evil = row('0', 1).replace('NVIDIA T4', '\u001b[31mT4\u202e\u0007<b>');
    expect(probe(withSection('nvidia', ['code 0', evil])).facts.gpus[0]?.name).toBe('[31mT4 <b>');
  });
});

describe('a hostile or broken report', () => {
  test('nothing at all gives plain defaults', () => {
    const report = probe('');
    expect(nodeFacts.parse(report.facts)).toMatchObject({
      hostname: 'unknown',
      cores: 1,
      memoryBytes: 0,
      gpus: [],
      process: false,
    });
    expect(report.isComplete).toBe(false);
  });

  test('numbers that are none', () => {
    for (const text of ['-4', '1e9', '999999999999999999999', 'NaN', '0x10', '']) {
      expect(nodeFacts.safeParse(probe(withSection('cores', [text])).facts).success).toBe(true);
      expect(
        probe(withSection('memory', [`MemTotal: ${text} kB`])).facts.memoryBytes,
      ).toBeGreaterThanOrEqual(0);
    }
  });

  test('a list of CPUs without end does not blow up', () => {
    const { facts } = probe(withSection('numa', ['0 1 0-99999', `1 1 ${'0-8191,'.repeat(500)}`]));
    expect(facts.numa.every(({ cores }) => cores.length <= 8192)).toBe(true);
  });

  test('a home that is not a path, a socket that is not one', () => {
    const report = probe(
      dual
        .replace('home /home/anna', 'home $(reboot)')
        .replace('usable /var/run/docker.sock', 'usable relative; rm'),
    );
    expect(report.facts.home).toBe('/');
    expect(report.software.dockerSockets).toEqual([]);
  });

  const lines = dual.split('\n');
  const piece = fc.oneof(
    fc.constantFrom(...lines),
    fc.string({ unit: 'binary', maxLength: 80 }).map((text) => `|${text}`),
    fc.constantFrom(...lines.filter((line) => line.startsWith('@'))),
    fc.constantFrom('|0, GPU-1111, x, -5, 0:0, , ,', '|code 0', '|code -1', `|${'9'.repeat(5000)}`),
  );

  test('whatever comes, facts and findings fit the contract', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 120 }), (pieces) => {
        const report = probe(pieces.join('\n'));
        nodeFacts.parse(report.facts);
        for (const one of [...standingFindings(report), ...doctorFindings(report, false)])
          finding.parse(one);
      }),
      { numRuns: 500 },
    );
  });

  test('a name of a megabyte, wherever one can stand, is cut', () => {
    const flood = 'Ω<b>'.repeat(2 ** 18);
    const usual = JSON.stringify(probe(dual)).length;
    for (const [, section = '', line = ''] of dual.matchAll(/^@(.+)\n(\|.*)$/gm)) {
      const report = probe(dual.replace(`@${section}\n${line}`, `@${section}\n${line}${flood}`));
      nodeFacts.parse(report.facts);
      expect(JSON.stringify(report).length, section).toBeLessThan(usual + 4096);
    }
  });

  test('a true report with any of its bytes changed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(dual.length - 1), fc.string({ unit: 'binary', maxLength: 3 })), {
          maxLength: 20,
        }),
        (edits) => {
          let text = dual;
          for (const [at, what] of edits) text = text.slice(0, at) + what + text.slice(at + 1);
          nodeFacts.parse(probe(text).facts);
        },
      ),
      { numRuns: 500 },
    );
  });
});
