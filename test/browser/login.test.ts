import type { Page } from 'playwright-core';
import { expect } from 'chai';
import { start, type Started } from '../../example/start.js';
import type { PersonView, PhonesAbout, PhonesState } from '#lib/testing/phones/api.js';
import { until } from '#harness/until.js';
import {
  expectAccessible,
  expectNoSidewaysScroll,
  needBrowser,
  screenshot,
  startBrowser,
  type TestBrowser,
  type WatchedPage,
} from './browser.js';

describe('the login of the example in a browser', function () {
  let browser: TestBrowser;
  let started: Started;
  let origin: string;
  let oktaOrigin: string;

  before(async function () {
    needBrowser(this);
    browser = await startBrowser();
  });
  after(() => (browser as TestBrowser | undefined)?.close());
  beforeEach(async () => {
    const printed: string[] = [];
    const print = (text: string): void => void printed.push(text);
    started = await start({ PORT: '0' }, { log: print });
    await started.introduce();
    [, origin = ''] = /Open +(http:\S+)/.exec(printed.join('\n')) ?? [];
    const toOkta = await fetch(`${origin}/login`, { redirect: 'manual' });
    oktaOrigin = new URL(toOkta.headers.get('location') ?? '').origin;
  });
  afterEach(async () => {
    try {
      await browser.closePages();
    } finally {
      started.server.closeAllConnections();
      started.server.close();
      await started.gateway.hook.close();
      await started.demo?.close();
    }
  });

  const open = (path: string): Promise<WatchedPage> =>
    browser.open(origin + path, { otherOrigins: [oktaOrigin] });
  const phoneOf = async (login: string): Promise<PersonView> => {
    const state = (await (await fetch(`${origin}/phones/api/state`)).json()) as PhonesState;
    return state.people.find((person) => person.login === login) ?? expect.fail('no user has this login');
  };
  const post = (action: string, body: object): Promise<unknown> =>
    fetch(`${origin}/phones/api/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin },
      body: JSON.stringify(body),
    });
  const switchOn = (id: string): Promise<unknown> => post('fault', { id, isOn: true });
  /** Waits for a code on the person's phone by this channel. */
  const codeBy = async (login: string, channel: string): Promise<string> => {
    let code = '';
    await until(async () => {
      const item = (await phoneOf(login)).items.findLast((one) => one.channel === channel && !one.isOwn);
      code = /\d{6}|\d(?:, \d){5}/.exec(item?.text ?? '')?.[0].replace(/\D/g, '') ?? '';
      return code !== '';
    });
    return code;
  };
  /** Enters the username at Okta, and chooses how the code comes. */
  const askForCode = async (page: Page, login: string, by: 'Text message' | 'Voice call'): Promise<void> => {
    await page.waitForURL(`${oktaOrigin}/signin/**`);
    await page.getByLabel('Username').fill(login);
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('button', { name: by }).click();
  };
  const type = async (page: Page, code: string): Promise<void> => {
    await page.getByLabel('Code').fill(code);
    await page.getByRole('button', { name: 'Verify' }).click();
  };
  const expectUsed = async (login: string): Promise<void> => {
    // The event hook has reported to the gateway that the code was used.
    expect((await phoneOf(login)).signIn?.entered).to.deep.equal({ isReported: true });
  };

  it('signs Ana in with a code by WhatsApp, lets her open the console, and signs her out', async () => {
    const { page } = await open('/');
    await screenshot(page, 'login-1-home');
    await expectAccessible(page);
    await page.getByRole('link', { name: 'Sign in with Okta' }).click();
    await page.waitForURL(`${oktaOrigin}/signin/**`);
    await screenshot(page, 'login-2-username');
    await expectAccessible(page);
    // Buttons with names save the typing.
    await page.getByRole('button', { name: 'Ana Silveira' }).click();
    await page.getByText('How do you want to get your code?').waitFor();
    await screenshot(page, 'login-3-method');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Text message' }).click();
    await page.getByText('on its way').waitFor();
    await screenshot(page, 'login-4-code');
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await type(page, await codeBy('ana@example.com', 'whatsapp'));
    await page.waitForURL(`${origin}/account`);
    await page.getByText('account of ana@example.com').waitFor();
    await screenshot(page, 'login-5-account');
    await expectAccessible(page);
    await expectUsed('ana@example.com');

    await page.getByRole('link', { name: 'console' }).click();
    await page.waitForURL(`${origin}/admin/telephony/`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await screenshot(page, 'login-6-console');
    await page.goto(`${origin}/account`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are not signed in').waitFor();
    await page.goto(`${origin}/account`);
    expect(new URL(page.url()).origin).to.equal(oktaOrigin);
  });

  it('signs Ana in with the SMS that follows after WhatsApp could not deliver the code', async () => {
    await switchOn('whatsapp-undelivered');
    const { page } = await open('/login');
    await askForCode(page, 'ana@example.com', 'Text message');
    const code = await codeBy('ana@example.com', 'sms');
    await screenshot(page, 'login-7-sms-after-failure');
    await type(page, code);
    await page.waitForURL(`${origin}/account`);
    const { signIn } = await phoneOf('ana@example.com');
    expect(signIn?.attempts.map(({ channel, errorCode }) => [channel, errorCode])).to.deep.equal([
      ['whatsapp', 63024],
      ['sms', undefined],
    ]);
    await expectUsed('ana@example.com');
  });

  it('signs Chloé in with a code by voice call, opens the page that she requested, and shows when her word has arrived', async () => {
    const { page } = await open('/preferences?waiting');
    await askForCode(page, 'chloe@example.com', 'Voice call');
    await page.getByText('You are being called').waitFor();
    await type(page, await codeBy('chloe@example.com', 'voice'));
    await page.waitForURL(`${origin}/preferences?waiting`);
    await page.getByRole('status').filter({ hasText: 'Your codes come by SMS' }).waitFor();
    await screenshot(page, 'login-8-preferences');
    await expectUsed('chloe@example.com');

    await page.clock.install();
    await page.getByRole('button', { name: 'Agree, and get codes by WhatsApp' }).click();
    const word = await page.locator('.word').innerText();
    await screenshot(page, 'login-13-waiting');
    await expectAccessible(page);
    const { id: userId } = await phoneOf('chloe@example.com');
    const about = (await (await fetch(`${origin}/phones/api/about`)).json()) as PhonesAbout;
    await page.clock.runFor(6_000);
    await page.locator('.word').waitFor();
    for (const text of [about.sandbox.joinWords, word]) {
      await post('write', { userId, channel: 'whatsapp', text });
    }
    // The page looks again by itself.
    await until(async () => {
      await page.clock.runFor(3_000);
      return page.getByText('Your codes come by WhatsApp').isVisible();
    });
  });

  it('opens the linked view of the console after Ana has signed in', async () => {
    const { page } = await open('/admin/telephony/#/history?outcome=sent');
    await askForCode(page, 'ana@example.com', 'Voice call');
    await type(page, await codeBy('ana@example.com', 'voice'));
    await page.waitForURL(`${origin}/admin/telephony/#/history?outcome=sent`);
    await page.getByRole('heading', { level: 1, name: 'History' }).waitFor();
  });

  it('refuses wrong codes from Bob, and answers 403 if he opens the console without the group', async () => {
    const { page, tolerate } = await open('/login');
    await askForCode(page, 'bob@example.com', 'Text message');
    const code = await codeBy('bob@example.com', 'sms');
    const wrong = code === '000000' ? '111111' : '000000';
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      await type(page, wrong);
      await page.getByRole('alert').filter({ hasText: 'The code is wrong' }).waitFor();
    }
    await screenshot(page, 'login-9-wrong-code');
    await expectAccessible(page);
    await type(page, wrong);
    await page.getByRole('alert').filter({ hasText: 'Too many wrong codes' }).waitFor();
    await screenshot(page, 'login-10-too-many');
    await page.getByRole('button', { name: 'Text message' }).click();
    await page.getByText('on its way').waitFor();
    await until(async () => (await codeBy('bob@example.com', 'sms')) !== code);
    await type(page, await codeBy('bob@example.com', 'sms'));
    await page.waitForURL(`${origin}/account`);
    expect(await page.getByRole('link').allTextContents()).to.deep.equal([
      'Acme identity gateway',
      'How your sign-in codes come',
    ]);
    tolerate(/status of 403/);
    const console = await page.goto(`${origin}/admin/telephony/`);
    expect(console?.status()).to.equal(403);
    await page.getByRole('link', { name: 'Account' }).waitFor();
    await screenshot(page, 'login-12-forbidden');
    await expectAccessible(page);
  });

  it('says that Bob is not signed in if he cancels at Okta', async () => {
    const { page, tolerate } = await open('/login');
    tolerate(/status of 401/);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    await screenshot(page, 'login-11-cancelled');
    await expectAccessible(page);
  });
});
