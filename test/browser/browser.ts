import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';
import type { BrowserType, Page } from 'playwright-core';

/** Opens pages in a real browser, and fails a test whose page does what no page of ours may do. */

/** By require(): an import would go through the loader of tsx, and take 0.2 s more CPU time. */
const { chromium } = createRequire(import.meta.url)('playwright-core') as { chromium: BrowserType };

/** The shell has the same engine without the windows: a page takes about half of the CPU time. */
const SHELL = '/usr/bin/chromium-headless-shell';
const PROGRAM = process.env['CHROMIUM'] ?? (existsSync(SHELL) ? SHELL : '/usr/bin/chromium');
/** The folder for screenshots. Without it, the tests make none. */
const SCREENSHOTS = process.env['SCREENSHOTS'];

/** Skips a suite without a browser, and says why. With REQUIRE_BROWSER=1 the suite fails instead. */
export function needBrowser(context: Mocha.Context): void {
  if (existsSync(PROGRAM)) return;
  const reason = `there is no ${PROGRAM} on this machine (Debian: apt-get install chromium; CHROMIUM names another)`;
  if (process.env['REQUIRE_BROWSER'] === '1') throw new Error(reason);
  process.stdout.write(`      skipped: ${reason}\n`);
  context.skip();
}

/** How the browser shows a page. */
export interface PageOptions {
  /** Default: `light`. */
  readonly colorScheme?: 'light' | 'dark' | undefined;
  /** `active`: the colours are those of the system, as people with low vision choose them. Default: none. */
  readonly forcedColors?: 'active' | undefined;
  /** CSS pixels. Default: 1280 by 800. */
  readonly viewport?: { readonly width: number; readonly height: number } | undefined;
  /** The other origins to which the page may send requests. Default: none. */
  readonly otherOrigins?: readonly string[] | undefined;
}

/** A page, and the complaints about it. */
export interface WatchedPage {
  readonly page: Page;
  /** Allows a complaint of the browser from now on, such as a 404 that the test provokes. */
  readonly tolerate: (complaint: RegExp) => void;
}

/** The browser of one test file. */
export interface TestBrowser {
  /** Opens an address in a page without cookies, and waits until it is loaded. No request may go to another origin. */
  open(url: string, options?: PageOptions): Promise<WatchedPage>;
  /** For `afterEach`: throws if a page wrote an error, opened a dialog or sent a request to another origin. */
  closePages(): Promise<void>;
  close(): Promise<void>;
}

const ARGUMENTS = [
  '--no-sandbox',
  // One process for all pages, even if different tests open them.
  '--process-per-site',
  // No request leaves this machine.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
];

export async function startBrowser(): Promise<TestBrowser> {
  const browser = await chromium.launch({ executablePath: PROGRAM, args: ARGUMENTS });
  const context = await browser.newContext({
    locale: 'en-GB',
    timezoneId: 'Europe/London',
    reducedMotion: 'reduce',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const complaints: string[] = [];
  /** The page of the test before. A new page takes more CPU time than most tests need. */
  let idle: Page | undefined;
  return {
    open: async (url, options = {}) => {
      const page = idle ?? (await context.newPage());
      idle = undefined;
      await Promise.all([
        context.setOffline(false),
        // The test before may have changed more.
        page.emulateMedia({
          colorScheme: options.colorScheme ?? 'light',
          forcedColors: options.forcedColors ?? null,
          media: null,
        }),
        page.setViewportSize(options.viewport ?? { width: 1280, height: 800 }),
      ]);
      const tolerated: RegExp[] = [];
      // Until then, the browser shows the page of another test, whose server has ended.
      let hasArrived = false;
      page.on('framenavigated', (frame) => {
        hasArrived ||= frame === page.mainFrame();
      });
      const complain = (complaint: string): void => {
        if (hasArrived && !tolerated.some((pattern) => pattern.test(complaint))) complaints.push(complaint);
      };
      const allowed = [new URL(url).origin, ...(options.otherOrigins ?? [])];
      page.on('request', (request) => {
        const { origin, protocol } = new URL(request.url());
        if (!allowed.includes(origin) && protocol !== 'data:')
          complain(`it sent a request to another origin: ${request.url()}`);
      });
      page.on('popup', () => {
        complain('it opened another page');
      });
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') complain(message.text());
      });
      page.on('pageerror', (error) => {
        complain(`it failed: ${error.message}`);
      });
      page.on('dialog', (dialog) => {
        complain(`it opened a dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      await page.goto(url);
      return { page, tolerate: (complaint) => tolerated.push(complaint) };
    },
    closePages: async () => {
      const [first, ...others] = context.pages();
      first?.removeAllListeners();
      // The page stays open until the next test, but it is offline.
      await Promise.all([first?.unrouteAll(), ...others.map((page) => page.close())]);
      await Promise.all([context.setOffline(true), context.clearCookies()]);
      idle = first;
      expect(complaints.splice(0)).to.deep.equal([]);
    },
    close: () => browser.close(),
  };
}

const AXE = readFileSync(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
/** Returns only violations. Without `preload: false`, axe loads the style sheets again for rules that are off. */
const RUN_AXE = `axe.run({ reporter: 'no-passes', preload: false }).then(({ violations }) =>
  violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map(({ html }) => html) })))`;

/** Expects that axe finds no violation in the page as it is now. */
export async function expectAccessible(page: Page): Promise<void> {
  // axe checks one frame.
  expect(page.frames()).to.have.length(1);
  // axe has half a megabyte: each document gets it once.
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(AXE);
  expect(await page.evaluate(RUN_AXE)).to.deep.equal([]);
}

/** Expects that the page is not wider than the screen. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const beyond = await page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  expect(beyond, 'pixels beside the screen').to.equal(0);
}

/** Saves a picture of the whole page, if SCREENSHOTS names a folder. */
export async function screenshot(page: Page, name: string): Promise<void> {
  if (SCREENSHOTS === undefined) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}
