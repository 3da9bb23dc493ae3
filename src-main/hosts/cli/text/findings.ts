import type { Finding } from '../../../contract/node.ts';
import { clean } from './clean.ts';
import type { Paint } from './style.ts';

const looks = {
  ok: { mark: '✓', tone: 'green' },
  info: { mark: 'i', tone: 'blue' },
  warning: { mark: '!', tone: 'yellow' },
  error: { mark: '✗', tone: 'red' },
} as const;

/** Findings for people: a mark, what it is, and below it the details and what to do. */
export function findingsText(findings: readonly Finding[], paint: Paint): string {
  if (findings.length === 0) return 'Nothing is amiss.\n';
  return findings
    .map(({ level, title, detail, fix }) => {
      const { mark, tone } = looks[level];
      return [
        `${paint(tone, mark)} ${clean(title)}`,
        ...(detail === null ? [] : [`    ${clean(detail)}`]),
        ...(fix === null ? [] : [`    ${paint('bold', 'fix:')} ${clean(fix)}`]),
      ].join('\n');
    })
    .join('\n')
    .concat('\n');
}
