import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';
import type { BrowserType, Page } from 'playwright-core';

/** Pages as people have them: a real browser, and what no page of ours may do in it. */

/** By require(): an import would go through the loader of tsx, and take 0.2 s of processor time more. */
const { chromium } = createRequire(import.meta.url)('playwright-core') as { chromium: BrowserType };

/** The shell has the same engine without the windows: a page takes about half of the processor time. */
const SHELL = '/usr/bin/chromium-headless-shell';
const PROGRAM = process.env['CHROMIUM'] ?? (existsSync(SHELL) ? SHELL : '/usr/bin/chromium');
/** Where screenshots go; none are made without it. */
const SCREENSHOTS = process.env['SCREENSHOTS'];

/** Skips a suite, and says why, where there is no browser; fails there instead with REQUIRE_BROWSER=1. */
export function needBrowser(context: Mocha.Context): void {
  if (existsSync(PROGRAM)) return;
  const reason = `there is no ${PROGRAM} on this machine (Debian: apt-get install chromium; CHROMIUM names another)`;
  if (process.env['REQUIRE_BROWSER'] === '1') throw new Error(reason);
  process.stdout.write(`      skipped: ${reason}\n`);
  context.skip();
}

/** How a page is looked at. */
export interface PageOptions {
  /** Default: `light`. */
  readonly colorScheme?: 'light' | 'dark' | undefined;
  /** CSS pixels. Default: 1280 by 800. */
  readonly viewport?: { readonly width: number; readonly height: number } | undefined;
  /** What it may ask beside its own. Default: none. */
  readonly otherOrigins?: readonly string[] | undefined;
}

/** A page that is watched. */
export interface WatchedPage {
  readonly page: Page;
  /** What the browser may complain of from now on, such as an answer with status 404 that the test asks for. */
  readonly tolerate: (complaint: RegExp) => void;
}

/** A browser of a test file's own. */
export interface TestBrowser {
  /** Opens an address in a page without cookies, and waits until it is loaded. No request may go to another origin. */
  open(url: string, options?: PageOptions): Promise<WatchedPage>;
  /** For `afterEach`: throws if a page wrote an error, opened a dialog or sent a request to another origin. */
  closePages(): Promise<void>;
  close(): Promise<void>;
}

const ARGUMENTS = [
  '--no-sandbox',
  // One process for all pages of this machine, whichever test opens them.
  '--process-per-site',
  // Nothing leaves this machine, whatever a page requests.
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
  /** The page of the test before. A new one takes more processor time than most tests do in it. */
  let idle: Page | undefined;
  return {
    open: async (url, options = {}) => {
      const page = idle ?? (await context.newPage());
      idle = undefined;
      await Promise.all([
        context.setOffline(false),
        page.emulateMedia({ colorScheme: options.colorScheme ?? 'light' }),
        page.setViewportSize(options.viewport ?? { width: 1280, height: 800 }),
      ]);
      const tolerated: RegExp[] = [];
      // Before that, it shows the page of another test, whose server has ended.
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
          complain(`it asked another origin: ${request.url()}`);
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
      // The page stays until the next test; its requests fail.
      await Promise.all([first?.unrouteAll(), ...others.map((page) => page.close())]);
      await Promise.all([context.setOffline(true), context.clearCookies()]);
      idle = first;
      expect(complaints.splice(0)).to.deep.equal([]);
    },
    close: () => browser.close(),
  };
}

const AXE = readFileSync(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
/** What axe says of a page: only what is wrong. It would load the style sheets again for rules that are off. */
const RUN_AXE = `axe.run({ reporter: 'no-passes', preload: false }).then(({ violations }) =>
  violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map(({ html }) => html) })))`;

/** What axe finds wrong with a page as it is now: nothing. */
export async function expectAccessible(page: Page): Promise<void> {
  // axe looks at one frame.
  expect(page.frames()).to.have.length(1);
  // Half a megabyte, which goes to a document once.
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(AXE);
  expect(await page.evaluate(RUN_AXE)).to.deep.equal([]);
}

/** That nothing of a page lies beside the screen, to be scrolled to sideways. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const beyond = await page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  expect(beyond, 'pixels beside the screen').to.equal(0);
}

/** A picture of the whole page, for people; only where SCREENSHOTS names a folder. */
export async function screenshot(page: Page, name: string): Promise<void> {
  if (SCREENSHOTS === undefined) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
}
