/**
 * `npm run testbed -- VERB …`: the testbed for a person at a terminal.
 *
 * `up` takes GPUs in short (`--gpus n1=2xA100,n2=4xRTX4090`) and prints how to use the nodes; every other verb goes
 * to `testbed.sh` as it is.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { withGpuFiles } from './gpu-files.ts';
import { parseGpuShorthand } from './gpus.ts';
import type { GpuDescription } from './gpus.ts';
import { requirements, run, SCRIPT } from './script.ts';

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`testbed: ${error instanceof Error ? error.message : String(error)}`);
  return 1;
});

async function main(argv: readonly string[]): Promise<number> {
  if (argv[0] !== 'up') return passOn(argv);
  const can = await requirements({ docker: !argv.includes('--no-docker') });
  if (!can.isMet) {
    console.error(can.reason);
    if (can.missingPackages.length > 0)
      console.error(`Install them: apt-get install ${can.missingPackages.join(' ')}`);
    return 1;
  }
  return up(argv);
}

async function passOn(argv: readonly string[]): Promise<number> {
  const child = spawn('bash', [SCRIPT, ...argv], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

async function up(argv: readonly string[]): Promise<number> {
  const { rest, gpus } = takeGpus(argv);
  const { code, stdout, stderr } = await withGpuFiles(gpus, (flags) =>
    run(['bash', SCRIPT, ...rest, ...flags]),
  );
  process.stderr.write(stderr);
  if (code === 0) console.log(howTo(stdout));
  return code;
}

function takeGpus(argv: readonly string[]): {
  rest: string[];
  gpus: Record<string, GpuDescription>;
} {
  const rest = [...argv];
  const gpus: Record<string, GpuDescription> = {};
  for (let at = rest.indexOf('--gpus'); at !== -1; at = rest.indexOf('--gpus')) {
    const [, list = ''] = rest.splice(at, 2);
    for (const each of list.split(',')) {
      const [, node, what] = /^(n\d+)=(.+)$/.exec(each) ?? [];
      if (node === undefined || what === undefined)
        throw new Error(`--gpus takes n1=2xA100,n2=1xT4, not "${each}"`);
      gpus[node] = parseGpuShorthand(what);
    }
  }
  return { rest, gpus };
}

function howTo(info: string): string {
  const lines = info
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const told = (key: string): string[] => lines.find((line) => line[0] === key)?.slice(1) ?? [];
  const [bed = '', [key = ''], [registry, privateRegistry]] = [
    told('bed')[0],
    told('key'),
    told('registry'),
  ];
  const nodes = lines.filter((line) => line[0] === 'node');
  const out = [`Testbed ${bed} is up. It stays until: npm run testbed -- down`, ''];
  for (const [, name, address, port, fingerprint, via] of nodes) {
    const reach = via === '-' ? '' : `  (reached only through ${String(via)})`;
    out.push(
      `  ${String(name)}  ${String(address)}:${String(port)}  ${String(fingerprint)}${reach}`,
    );
  }
  out.push(
    '',
    `Key:       ${key}`,
    'Users:     root and ops (key, may use Docker), plain (key, may not), pw (password "river", may not)',
    ...(registry === undefined
      ? []
      : [`Registry:  ${registry}  (with login river/river: ${String(privateRegistry)})`]),
    ...(registry === undefined
      ? []
      : [`Images:    ${registry}/river/busybox:1, river/vps:1, river/big:1 (50 MB)`]),
    '',
    'Give them to KohakuRiver:',
    ...nodes.map(([, name, address, , fingerprint, via]) => {
      const jump = nodes.find((node) => node[1] === via)?.[2];
      const through = jump === undefined ? '' : ` --jump ops@${jump}`;
      return `  kohakuriver node add ops@${String(address)} --name ${String(name)} --identity ${key} --accept-host-key ${String(fingerprint)}${through}`;
    }),
    '',
    'Try:',
    `  ssh -i ${key} ops@${String(nodes[0]?.[2])}`,
    '  npm run testbed -- exec n1 nvidia-smi -L',
    '  npm run testbed -- kill n1      power cut; add n1 boots it again',
    '  npm run testbed -- cut n1 host  lose all packets; heal n1 host',
    '  npm run testbed                 all verbs',
  );
  return out.join('\n');
}
