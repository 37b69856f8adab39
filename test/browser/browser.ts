import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { expect } from 'chai';
import { chromium, type Page } from 'playwright-core';

/** Pages as people have them: a real browser, and what no page of ours may do in it. */

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
  /** BCP 47. Default: `en-GB`. */
  readonly locale?: string | undefined;
  /** What it may ask beside its own. Default: none. */
  readonly otherOrigins?: readonly string[] | undefined;
  /** Headers of every request, such as a login. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A page that is watched. */
export interface WatchedPage {
  readonly page: Page;
  /** What the browser may complain of from now on, such as an answer with status 404 that the test asks for. */
  readonly tolerate: (complaint: RegExp) => void;
}

/** A browser of a test file's own. */
export interface TestBrowser {
  /** Opens an address in a profile that knows nothing, and waits until it is loaded. Whatever it asks of another origin fails. */
  open(url: string, options?: PageOptions): Promise<WatchedPage>;
  /** For `afterEach`: closes all pages; throws where one complained, ran a dialog or asked another origin. */
  closePages(): Promise<void>;
  close(): Promise<void>;
}

export async function startBrowser(): Promise<TestBrowser> {
  const browser = await chromium.launch({ executablePath: PROGRAM, args: ['--no-sandbox'] });
  const complaints: string[] = [];
  // By what a profile cannot change.
  const open = new Map<Page, string>();
  const kept = new Map<string, Page>();
  const keyOf = ({ locale, headers }: PageOptions): string => JSON.stringify([locale, headers]);
  const newPage = async (options: PageOptions): Promise<Page> => {
    const context = await browser.newContext({
      locale: options.locale ?? 'en-GB',
      ...(options.headers === undefined ? {} : { extraHTTPHeaders: { ...options.headers } }),
      timezoneId: 'Europe/London',
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    return context.newPage();
  };
  /** A new profile is a new process, which costs more than all that a page does: one is kept, and knows nothing again. */
  const leave = async (page: Page, key: string): Promise<void> => {
    const context = page.context();
    if (kept.has(key) || page.isClosed()) return context.close();
    kept.set(key, page);
    page.removeAllListeners();
    await page.goto('about:blank');
    await Promise.all(context.pages().map((other) => (other === page ? undefined : other.close())));
    await Promise.all([context.unrouteAll(), page.unrouteAll(), context.clearCookies()]);
  };
  return {
    open: async (url, options = {}) => {
      const key = keyOf(options);
      const page = kept.get(key) ?? (await newPage(options));
      kept.delete(key);
      open.set(page, key);
      await page.emulateMedia({ colorScheme: options.colorScheme ?? 'light', reducedMotion: 'reduce' });
      await page.setViewportSize(options.viewport ?? { width: 1280, height: 800 });
      const tolerated: RegExp[] = [];
      const complain = (complaint: string): void => {
        if (!tolerated.some((pattern) => pattern.test(complaint))) complaints.push(complaint);
      };
      const allowed = [new URL(url).origin, ...(options.otherOrigins ?? [])];
      await page.context().route(
        ({ origin, protocol }) => !allowed.includes(origin) && protocol !== 'data:',
        async (route) => {
          complain(`it asked another origin: ${route.request().url()}`);
          await route.abort();
        },
      );
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
      await Promise.all([...open].map(([page, key]) => leave(page, key)));
      open.clear();
      expect(complaints.splice(0)).to.deep.equal([]);
    },
    close: () => browser.close(),
  };
}

/**
 * axe, whose half megabyte goes to a document once: its builder would send it, and have it compiled, twice for each look.
 */
async function axeOn(page: Page): Promise<AxeBuilder> {
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(new AxeBuilder({ page })['script']());
  return new AxeBuilder({ page, axeSource: ';' }).setLegacyMode(true);
}

/** What axe finds wrong with a page as it is now: nothing. */
export async function expectAccessible(page: Page): Promise<void> {
  // Without frames axe needs no second page to write its report in, which takes as long as the look itself.
  expect(page.frames()).to.have.length(1);
  const { violations } = await (await axeOn(page)).options({ resultTypes: ['violations'] }).analyze();
  const found = violations.map(({ id, help, nodes }) => ({
    id,
    help,
    where: nodes.map((node) => node.html),
  }));
  expect(found).to.deep.equal([]);
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
