import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Locator, type Page } from 'playwright-core';
import { ROOT } from '#harness/consumer.js';

/** Makes the pictures of the README and the guides from the running demo: `npm run screenshots`. */

const FOLDER = join(ROOT, 'docs/screenshots');
const WIDE = { width: 1280, height: 900 };

interface DemoUrls {
  readonly phones: string;
  readonly console: string;
}

const demo = await startDemo();
const badDay = await startDemo('--faults');
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
try {
  mkdirSync(FOLDER, { recursive: true });
  const context = await browser.newContext({ viewport: WIDE, locale: 'en-GB', colorScheme: 'light' });
  const page = await context.newPage();
  await picturePhones(page, demo.urls.phones);
  await pictureConsole(page, demo.urls.console);
  await pictureHealth(page, badDay.urls);
} finally {
  await browser.close();
  await demo.end();
  await badDay.end();
}

/** Each user gets a code by another channel; then WhatsApp fails late, and the same code comes by SMS. */
async function picturePhones(page: Page, url: string): Promise<void> {
  await page.setViewportSize({ width: 1440, height: 1080 });
  await page.goto(url);
  const ana = person(page, 'Ana');
  await ana.getByRole('button', { name: 'Text me a code' }).click();
  await person(page, 'Bob').getByRole('button', { name: 'Text me a code' }).click();
  await person(page, 'Chloé').getByRole('button', { name: 'Call me' }).click();
  await ana.getByText('is your verification code').waitFor();
  await person(page, 'Bob').getByText('Your code is').first().waitFor();
  await person(page, 'Chloé').getByText('Call ended').waitFor();
  await picture(page, 'phones', 1080);
  await page.setViewportSize(WIDE);
  await page.getByLabel('WhatsApp fails after it was accepted').click();
  await ana.getByRole('button', { name: 'Text me a code' }).click();
  await ana.getByRole('log', { name: 'Messages of Ana' }).getByText('Your code is').first().waitFor();
}

/** The executions of these codes, and one more code by the tester. */
async function pictureConsole(page: Page, url: string): Promise<void> {
  await page.goto(`${url}#/history`);
  await page.getByText('4 of 4 executions').waitFor();
  await page.getByRole('row').getByText('Delivered').nth(3).waitFor();
  await page.getByRole('row').nth(1).getByRole('link').click();
  await page.getByRole('heading', { name: 'Execution' }).waitFor();
  await picture(page, 'console-execution', 'whole');
  await page.getByRole('link', { name: 'Tester', exact: true }).click();
  await page.getByLabel('User', { exact: true }).fill('bob@example.com');
  await page.getByRole('button', { name: 'Generate' }).click();
  await page.getByText('a real message go out').waitFor();
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByText('Okta takes the code as sent').waitFor();
  await picture(page, 'console-tester', 'whole');
}

/** The codes of a bad day, when it is over. */
async function pictureHealth(page: Page, { phones, console: url }: DemoUrls): Promise<void> {
  await page.goto(phones);
  await page.getByText('All is well.').waitFor({ timeout: 180_000 });
  await page.goto(`${url}#/health`);
  await page.getByText(/of the WhatsApp codes failed over/).waitFor();
  await picture(page, 'console-health', 'whole');
}

function person(page: Page, name: string): Locator {
  return page.getByRole('article', { name });
}

async function picture(page: Page, name: string, height: number | 'whole'): Promise<void> {
  // Without a focused or hovered element.
  await page.mouse.move(0, 0);
  await page.evaluate('document.activeElement?.blur(); window.scrollTo(0, 0)');
  const clip =
    height === 'whole'
      ? {}
      : { clip: { x: 0, y: 0, width: page.viewportSize()?.width ?? WIDE.width, height } };
  await page.screenshot({ path: join(FOLDER, `${name}.png`), fullPage: height === 'whole', ...clip });
  process.stdout.write(`docs/screenshots/${name}.png\n`);
}

/** Starts the demo of the command line in its own process. */
async function startDemo(
  ...options: readonly string[]
): Promise<{ readonly urls: DemoUrls; end(): Promise<void> }> {
  const program = spawn(
    process.execPath,
    ['--import', 'tsx', 'lib/cli/main.ts', 'demo', '--port', '0', '--json', ...options],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const ended = new Promise<void>((resolve) => {
    program.once('close', () => {
      resolve();
    });
  });
  let printed = '';
  for await (const chunk of program.stdout) {
    printed += String(chunk);
    if (printed.trimEnd().endsWith('\n}')) break;
  }
  const { urls } = JSON.parse(printed) as { urls: DemoUrls };
  return {
    urls,
    end: async () => {
      program.kill('SIGINT');
      await ended;
    },
  };
}
