// Runs dependency-cruiser over the source and fails on a broken layer rule. It also fails when the
// cruise saw implausibly few modules: with an unsupported TypeScript it skips .ts files in silence.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';

interface Cruise {
  summary: {
    totalCruised: number;
    violations: { rule: { name: string; severity: string }; from: string; to: string }[];
  };
  modules: { source: string }[];
}

const result = spawnSync(
  'node_modules/.bin/depcruise',
  ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src-main', 'src-renderer'],
  { encoding: 'utf8', maxBuffer: 256 * 2 ** 20 },
);
if (result.stdout === '') {
  console.error(result.stderr);
  process.exit(1);
}
const cruise = JSON.parse(result.stdout) as Cruise;
const seen = cruise.modules.filter((module) => /^src-(main|renderer)\//.test(module.source)).length;
const files = globSync('src-{main,renderer}/**/*.{ts,svelte}').length;

for (const violation of cruise.summary.violations) {
  console.error(`${violation.rule.name}: ${violation.from} → ${violation.to}`);
}
console.log(
  `layers: ${seen} of ${files} modules seen, ${cruise.summary.violations.length} violations`,
);
if (seen < files * 0.95) {
  console.error('The cruise missed modules: is the TypeScript version one it supports?');
  process.exit(1);
}
process.exit(cruise.summary.violations.length === 0 ? 0 : 1);
