// What can be said of a page's look without eyes: accessibility by axe, and what is cut off.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const axeSource = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** What axe calls serious or critical, a line each. Its script comes in past the content policy, by the debugger. */
export async function seriousViolations(page: Page): Promise<string[]> {
  await page.evaluate(await axeSource);
  const violations = await page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: { run: () => Promise<{ violations: Violation[] }> };
    };
    return (await axe.run()).violations;
  });
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`),
    );
}

/**
 * What does not fit, a line each: a page that scrolls sideways, controls and headings beyond its right
 * edge, and words that are cut without an ellipsis.
 */
export function whatIsCut(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const scroller = document.querySelector('main') ?? document.body;
    for (const element of [document.documentElement, scroller]) {
      if (element.scrollWidth > element.clientWidth) {
        found.push(`${element.tagName} is ${element.scrollWidth} wide in ${element.clientWidth}`);
      }
    }
    const scrolls = (element: Element): boolean =>
      ['auto', 'scroll'].includes(getComputedStyle(element).overflowX);
    const isInScroller = (element: Element): boolean => {
      for (let at = element.parentElement; at !== null && at !== scroller; at = at.parentElement) {
        if (scrolls(at) && at.scrollWidth > at.clientWidth) return true;
      }
      return false;
    };
    const all = 'button, a, h1, h2, h3, label, input, [role="tab"], td, th';
    for (const element of document.querySelectorAll<HTMLElement>(all)) {
      if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
      const box = element.getBoundingClientRect();
      const what = `${element.tagName} «${(element.textContent || element.ariaLabel || '').trim().slice(0, 40)}»`;
      if (box.width <= 1 || isInScroller(element)) continue;
      if (box.right > window.innerWidth + 1) found.push(`${what} goes beyond the window`);
      const { overflowX, textOverflow } = getComputedStyle(element);
      const isCut = overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1;
      if (isCut && textOverflow !== 'ellipsis' && element.tagName !== 'INPUT')
        found.push(`${what} is cut`);
    }
    return found;
  });
}
