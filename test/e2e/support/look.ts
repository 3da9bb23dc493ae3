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

/**
 * What axe calls serious or critical, a line each: by all its rules, or by some. Its script comes in past the
 * content policy, by the debugger.
 */
export async function seriousViolations(page: Page, rules?: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(await axeSource);
  const options = rules === undefined ? {} : { runOnly: { type: 'rule', values: rules } };
  const violations = await page.evaluate(async (given) => {
    const { axe } = window as unknown as {
      axe: { run: (options: unknown) => Promise<{ violations: Violation[] }> };
    };
    return (await axe.run(given)).violations;
  }, options);
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
export async function whatIsCut(page: Page): Promise<string[]> {
  return [...(await scrollsSideways(page)), ...(await cutControls(page))];
}

/** What is meant to scroll sideways (a wide table, a command line) is a region of its own. */
function scrollsSideways(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll('main, main *')]
      .filter((element) => element.scrollWidth > element.clientWidth + 1)
      .filter((element) => element.closest('[role="region"], .xterm, .cm-editor') === null)
      .filter((element) => {
        const { overflowX } = getComputedStyle(element);
        return overflowX === 'auto' || overflowX === 'scroll' || element.localName === 'html';
      })
      .map((element) => `${element.localName} scrolls sideways: ${element.className}`),
  );
}

function cutControls(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    // What lies in something that can be scrolled sideways can be reached.
    const isInScroller = (element: Element): boolean => {
      for (let at = element.parentElement; at !== null; at = at.parentElement) {
        const canScroll = ['auto', 'scroll'].includes(getComputedStyle(at).overflowX);
        if (canScroll && at.scrollWidth > at.clientWidth) return true;
      }
      return false;
    };
    const isBeyond = (element: Element): boolean =>
      element.getBoundingClientRect().right > window.innerWidth + 1;
    const isClipped = (element: Element): boolean => {
      const { overflowX, textOverflow } = getComputedStyle(element);
      const isTooWide = element.scrollWidth > element.clientWidth + 1;
      return isTooWide && overflowX !== 'visible' && textOverflow !== 'ellipsis';
    };
    const all = 'button, a, h1, h2, h3, label, [role="tab"], td, th';
    return [...document.querySelectorAll<HTMLElement>(all)]
      .filter((element) => element.checkVisibility({ visibilityProperty: true }))
      .filter((element) => element.getBoundingClientRect().width > 1 && !isInScroller(element))
      .filter((element) => isBeyond(element) || isClipped(element))
      .map((element) => `${element.tagName} «${element.textContent.trim().slice(0, 40)}»`);
  });
}
