import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import express from 'express';
import type { Locator, Page } from 'playwright-core';
import { oktaTelephonyHook, type HookEvent, type TelephonyHook } from '#lib/index.js';
import { createPhonesPage, startDemoOrg, type DemoOrg, type PhonesPage } from '#lib/testing/demo.js';
import { startOktaEmulator } from '#lib/testing/index.js';
import { freePort } from '#harness/free-port.js';
import { isNightly } from '#harness/thoroughness.js';
import { until } from '#harness/until.js';
import {
  expectAccessible,
  expectNoSidewaysScroll,
  needBrowser,
  screenshot,
  startBrowser,
  type PageOptions,
  type TestBrowser,
} from './browser.js';

const ATTACK = `<img src=x onerror="alert(1)"><script>alert(2)</script>`;

describe('the phones page in a browser', function () {
  let browser: TestBrowser | undefined;
  let org: DemoOrg;
  let hook: TelephonyHook;
  let phones: PhonesPage;
  let server: Server;
  let origin: string;
  const events: HookEvent[] = [];

  before(async function () {
    needBrowser(this);
    browser = await startBrowser();
  });
  after(() => browser?.close());

  beforeEach(async () => {
    events.length = 0;
    org = await startDemoOrg();
    const app = express();
    server = createServer(app).listen(await freePort(), '127.0.0.1');
    await once(server, 'listening');
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const silent = (): undefined => undefined;
    hook = oktaTelephonyHook({
      ...org.hookOptions(`${origin}/okta/telephony`),
      logger: { info: silent, warn: silent, error: silent },
      onEvent: (event) => events.push(event),
    });
    phones = createPhonesPage({ okta: org.okta, twilio: org.twilio, hook });
    app.use(hook).use('/phones', phones);
    await org.connectHook(`${origin}/okta/telephony`);
    await hook.ready();
  });
  afterEach(async () => {
    try {
      await browser?.closePages();
    } finally {
      phones.close();
      server.closeAllConnections();
      server.close();
      await org.close();
      await hook.close();
    }
  });

  const open = async (options?: PageOptions, path = '/phones/'): Promise<Page> => {
    const { page } = await browser!.open(origin + path, options);
    await page.getByRole('article').first().waitFor();
    return page;
  };
  const personOn = (page: Page, name: string): Locator => page.getByRole('article', { name });
  /** Clicks a switch, and waits until the server has answered. */
  const turn = async (within: Page | Locator, name: string, isOn: boolean): Promise<void> => {
    await within.getByRole('switch', { name }).click();
    await within.getByRole('switch', { name, checked: isOn }).waitFor();
  };
  const codeIn = async (log: Locator): Promise<string> => {
    const text = (await log.textContent()) ?? '';
    // Voice calls read the digits with commas; the caller's number has none.
    return (/\d(?:, \d){5}/.exec(text) ?? /\d{6}/.exec(text))?.[0].replace(/\D/g, '') ?? '';
  };
  const typeBack = async (person: Locator, code: string): Promise<void> => {
    await person.getByPlaceholder('Code').fill(code);
    await person.getByRole('button', { name: 'Verify' }).click();
  };

  it('signs Ana in by WhatsApp: she copies the code, types a wrong one, and pastes the right one', async () => {
    const page = await open();
    const ana = personOn(page, 'Ana Silveira');
    await ana.getByRole('button', { name: 'Text me a code' }).click();
    const chat = ana.getByRole('log', { name: 'WhatsApp of Ana' });
    await chat.getByText('is your verification code').waitFor();
    await ana.getByText('Okta takes the code as sent.').waitFor();
    await ana.getByRole('button', { name: 'WhatsApp of Ana, 1 unread' }).waitFor();
    await chat.getByText('Delivered').waitFor();
    await screenshot(page, 'phones-whatsapp');

    await chat.getByRole('button', { name: 'Copy code' }).click();
    await chat.getByText('Copied').waitFor();
    // A click in the chat marks the message as read for its sender, too.
    await chat.getByText('Read', { exact: true }).waitFor();
    await ana.getByRole('button', { name: 'WhatsApp of Ana', exact: true }).waitFor();

    await typeBack(ana, '000000');
    await ana.getByText('Wrong code').waitFor();
    const copied = String(await page.evaluate('navigator.clipboard.readText()'));
    expect(copied).to.equal(await codeIn(chat));
    await typeBack(ana, copied);
    await ana.getByText('Ana is signed in.').waitFor();
    await until(() => events.some(({ type }) => type === 'code.used'));
    await screenshot(page, 'phones-signed-in');
    await typeBack(ana, copied);
    await ana.getByText('Okta expects no code').waitFor();
  });

  it('signs Ana in by SMS if WhatsApp fails after Twilio accepted the message', async () => {
    const page = await open();
    const ana = personOn(page, 'Ana Silveira');
    await turn(page, 'WhatsApp fails after it was accepted', true);
    await page.getByText('1 switched on.').waitFor();
    await ana.getByRole('button', { name: 'Text me a code' }).click();
    const messages = ana.getByRole('log', { name: 'Messages of Ana' });
    await messages.getByText('Your code is').waitFor();
    await ana.getByText('failed, code 63024').waitFor();
    await ana.getByRole('listitem').filter({ hasText: 'SMS delivered' }).waitFor();
    await screenshot(page, 'phones-late-failover');
    await typeBack(ana, await codeIn(messages));
    await ana.getByText('Ana is signed in.').waitFor();
    // Ten minutes later.
    await page.evaluate('{ const now = Date.now; Date.now = () => now() + 600_000; }');
    await org.okta.callHook({ userId: '00uana0silveira00001' });
    await ana.getByText('It expired at').waitFor();
    expect(await ana.locator('.reaction').getAttribute('class')).to.equal('reaction quiet');
  });

  it('signs Chloé in by a voice call, which rings and reads the code in French', async () => {
    const page = await open();
    const chloe = personOn(page, 'Chloé Laurent');
    await chloe.getByRole('button', { name: 'Call me' }).click();
    const calls = chloe.getByRole('log', { name: 'Phone of Chloé' });
    await calls.getByText('Ringing…').waitFor();
    expect(await calls.locator('blockquote').isVisible()).to.equal(false);
    await calls.getByText('Call ended').waitFor();
    expect(await calls.locator('blockquote').getAttribute('lang')).to.equal('fr-FR');
    await calls.getByText('in French').waitFor();
    // Who asks for less motion sees a ringing phone stand still.
    const ringing = calls.locator('.call');
    await ringing.evaluate((call) => {
      call.classList.add('ringing');
    });
    const motion = "getComputedStyle(document.querySelector('.ringing .caller')).animationName";
    expect(await page.evaluate(motion)).to.equal('none');
    await screenshot(page, 'phones-call');
    await typeBack(chloe, await codeIn(calls));
    await chloe.getByText('Chloé is signed in.').waitFor();
  });

  it('says in which language a text is', async () => {
    const page = await open();
    const chloe = personOn(page, 'Chloé Laurent');
    await chloe.getByRole('button', { name: 'Text me a code' }).click();
    const text = chloe.getByRole('log', { name: 'Messages of Chloé' }).getByText('Votre code est');
    await text.waitFor();
    expect(await text.getAttribute('lang')).to.equal('fr-FR');
  });

  it('shows phones, messages, the open app and which switch is on with forced colours', async () => {
    const page = await open({ forcedColors: 'active' });
    const ana = personOn(page, 'Ana Silveira');
    await ana.getByRole('button', { name: 'Text me a code' }).click();
    await ana.getByText('is your verification code').waitFor();
    await turn(page, 'WhatsApp is refused at once', true);
    const styleOf = (locator: Locator, name: string): Promise<string> =>
      locator.first().evaluate((one, property) => String(one.computedStyleMap().get(property)), name);
    for (const part of ['.phone', '.screen', '.bubble']) {
      expect(await styleOf(ana.locator(part), 'border-top-width'), part).to.equal('1px');
    }
    // The browser draws the box, and its tick.
    expect(await styleOf(page.getByRole('switch'), 'appearance')).to.equal('auto');
    const apps = ana.locator('.tabs');
    const ofOpen = await styleOf(apps.locator('[aria-pressed=true]'), 'border-bottom-width');
    expect(ofOpen).to.not.equal(await styleOf(apps.locator('[aria-pressed=false]'), 'border-bottom-width'));
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await screenshot(page, 'phones-forced-colours');
  });

  it('turns WhatsApp on for Bob, and lets him leave the sandbox and join it again', async () => {
    const page = await open();
    const bob = personOn(page, 'Bob Montgomery');
    const textMe = async (app: string, count: number): Promise<void> => {
      await bob.getByRole('button', { name: 'Text me a code' }).click();
      await until(
        async () => (await bob.getByRole('log', { name: app }).locator('.theirs').count()) === count,
      );
    };
    await textMe('Messages of Bob', 1);
    await turn(bob, 'Codes by WhatsApp', true);
    await until(() => org.okta.users[1]?.profile['whatsAppOptIn'] === true);
    await textMe('WhatsApp of Bob', 1);
    await bob.getByRole('button', { name: 'Bob leaves the WhatsApp sandbox' }).click();
    await bob.getByText('Not in the sandbox').waitFor();
    await textMe('Messages of Bob', 2);
    await bob.getByRole('button', { name: 'Bob joins the WhatsApp sandbox' }).click();
    await bob.getByText('You have joined the sandbox').waitFor();
    // Leaving sent STOP to the gateway, too; START ends it. The text that Bob is typing stays.
    const message = bob.getByLabel('Message that Bob writes');
    await message.fill('Is anybody there?');
    await bob.getByRole('button', { name: 'Bob writes START' }).click();
    await bob.locator('.own').getByText('START', { exact: true }).waitFor();
    await bob.getByRole('button', { name: 'Send as Bob' }).click();
    await bob.locator('.own').getByText('Is anybody there?').waitFor();
    expect(await message.inputValue()).to.equal('');
  });

  it('shows faults that another page switches on, and the steps of a bad day while it runs', async () => {
    const page = await open();
    const other = await open();
    const panel = '(({ scrollHeight, clientHeight }) => scrollHeight - clientHeight)(faults)';
    expect(await page.evaluate(panel), 'switches out of sight').to.equal(0);
    await turn(page, 'Twilio is down', true);
    await until(() => other.getByRole('switch', { name: 'Twilio is down' }).isChecked());
    const ana = personOn(page, 'Ana Silveira');
    await ana.getByRole('button', { name: 'Text me a code' }).click();
    await ana.getByText('would send the code by its own provider').waitFor();
    await ana.getByText('WhatsApp refused, code 20503').waitFor();
    await ana.getByText('SMS refused, code 20503').waitFor();
    await page.getByRole('button', { name: 'Play a bad day' }).click();
    await page.getByText('A bad day is being played.').waitFor();
    expect(await page.getByRole('switch', { name: 'Twilio is down' }).isChecked()).to.equal(false);
    expect(await page.locator('[aria-current="step"]').textContent()).to.equal('Everything works.');
    await other.getByRole('button', { name: 'Stop the bad day' }).click();
    await page.getByText('All is well.').waitFor();
  });

  it('leaves a switch as it is if the server does not answer', async () => {
    const { page, tolerate } = await browser!.open(`${origin}/phones/`);
    tolerate(/ERR_FAILED|Failed to load/);
    await page.route('**/api/fault', (route) => route.abort());
    const failed = page.waitForEvent('requestfailed');
    await page.getByRole('switch', { name: 'Twilio is down' }).click();
    await failed;
    expect(await page.getByRole('switch', { name: 'Twilio is down' }).isChecked()).to.equal(false);
    await page.getByText('All is well.').waitFor();
  });

  it('shows markup and script in names, messages and codes as text', async () => {
    org.okta.addUser({
      login: `${ATTACK}@example.com`,
      firstName: ATTACK,
      lastName: ATTACK,
      profile: { mobilePhone: '+447700900999', preferredLanguage: 'no-such"><b>' },
    });
    const page = await open({}, `/phones/?text=${encodeURIComponent(ATTACK)}`);
    const attacker = page.getByRole('article').last();
    await attacker.getByRole('heading', { name: ATTACK }).waitFor();
    await page.getByRole('button', { name: `From ${ATTACK}’s phone` }).click();
    // The phone has not joined the sandbox, which Twilio replies.
    await attacker.locator('.own').getByText(ATTACK).waitFor();
    await attacker.getByRole('button', { name: 'Messages of' }).click();
    await attacker.getByPlaceholder('Message').fill(ATTACK);
    await attacker.getByPlaceholder('Message').press('Enter');
    await attacker.locator('.sms .own').getByText(ATTACK).waitFor();
    expect(await attacker.locator('.sms .own').getByText(ATTACK).count()).to.equal(1);
    await org.okta.callHook({
      login: `${ATTACK}@example.com`,
      msgTemplate: `${ATTACK} 123456`,
      otpCode: '123456',
    });
    await attacker.locator('.sms .theirs').getByText(`${ATTACK} 123456`).waitFor();
    expect(await page.locator('img, #phones script').count()).to.equal(0);
  });

  it('drops the message about an empty code at the next code and at the next sign-in, and says why a sign-in failed', async () => {
    const { page, tolerate } = await browser!.open(`${origin}/phones/`);
    const ana = personOn(page, 'Ana Silveira');
    await org.okta.callHook({ userId: '00uana0silveira00001' });
    const empty = ana.getByText('Type the code first.');
    const wrong = ana.getByText('Wrong code');
    await typeBack(ana, '1');
    await wrong.waitFor();
    await typeBack(ana, ' ');
    await empty.waitFor();
    // Okta answers as it did before.
    await typeBack(ana, '2');
    await wrong.waitFor();
    await typeBack(ana, ' ');
    await empty.waitFor();
    await org.okta.callHook({ userId: '00uana0silveira00001' });
    await empty.waitFor({ state: 'hidden' });

    tolerate(/ERR_FAILED|Failed to load/);
    await page.route('**/api/sign-in', (route) => route.abort());
    await ana.getByRole('button', { name: 'Text me a code' }).click();
    await ana.getByText('The demo does not answer.').waitFor();
  });

  it('says that no user has a phone until one has', async () => {
    const okta = await startOktaEmulator();
    const ownPhones = createPhonesPage({ okta, twilio: org.twilio });
    const ownServer = createServer(ownPhones).listen(0, '127.0.0.1');
    try {
      await once(ownServer, 'listening');
      const { port } = ownServer.address() as AddressInfo;
      const { page } = await browser!.open(`http://127.0.0.1:${port}/?text=AMBER-LAKE-42`);
      const notice = page.getByText('Nobody at the emulated Okta has a phone');
      await notice.waitFor();
      okta.addUser({ login: 'dee@example.com', firstName: 'Dee', profile: { mobilePhone: '+447700900999' } });
      await personOn(page, 'Dee').waitFor();
      expect(await notice.isVisible()).to.equal(false);
      // Her phone can send the text of the link, too.
      await page.getByRole('button', { name: 'From Dee’s phone' }).click();
      await personOn(page, 'Dee').locator('.own').getByText('AMBER-LAKE-42').waitFor();
    } finally {
      ownPhones.close();
      ownServer.closeAllConnections();
      ownServer.close();
      await okta.close();
    }
  });

  it('keeps the open app if a call arrives while the focus is in the phone, and shows the call otherwise', async () => {
    const page = await open();
    const ana = personOn(page, 'Ana Silveira');
    const call = { userId: '00uana0silveira00001', deliveryChannel: 'VOICE_CALL' } as const;
    const focused = page.locator(':focus');
    const chat = ana.getByRole('log', { name: 'WhatsApp of Ana' });
    await org.okta.callHook({ userId: '00uana0silveira00001' });
    const copy = chat.getByRole('button', { name: 'Copy code' });
    const writing = ana.getByLabel('Message that Ana writes');
    await writing.fill('Who calls?');
    for (const [calls, place] of [copy, writing, chat].entries()) {
      await place.focus();
      await org.okta.callHook(call);
      await ana.getByRole('button', { name: `Phone of Ana, ${calls + 1} unread` }).waitFor();
      expect(await place.and(focused).count(), `after call ${calls + 1}`).to.equal(1);
      expect(await place.isVisible()).to.equal(true);
    }
    // With the focus outside the phone, the phone shows the call.
    await ana.getByPlaceholder('Code').focus();
    await org.okta.callHook(call);
    const phone = ana.getByRole('log', { name: 'Phone of Ana' });
    await phone.locator('.call').nth(3).waitFor();
    expect(await chat.isVisible()).to.equal(false);
    expect(await writing.isVisible()).to.equal(false);
    expect(await ana.getByPlaceholder('Code').and(focused).count()).to.equal(1);
    await ana.getByRole('button', { name: /^WhatsApp/ }).click();
    expect(await writing.inputValue()).to.equal('Who calls?');
  });

  it('lets Ana sign in by keyboard alone', async () => {
    const page = await open();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).to.equal('Skip to the phones');
    await page.keyboard.press('Enter');
    const ana = personOn(page, 'Ana Silveira');
    const isFocused = async (target: Locator): Promise<boolean> =>
      (await target.and(page.locator(':focus')).count()) === 1;
    const tabTo = async (target: Locator): Promise<void> => {
      for (let steps = 0; steps < 40; steps += 1) {
        if (await isFocused(target)) return;
        await page.keyboard.press('Tab');
      }
      throw new Error('Tab does not reach the element');
    };
    await tabTo(ana.getByRole('button', { name: 'Text me a code' }));
    await page.keyboard.press('Enter');
    const chat = ana.getByRole('log', { name: 'WhatsApp of Ana' });
    await chat.getByText('is your verification code').waitFor();
    // The focus moves to the field for the code.
    const code = ana.getByPlaceholder('Code');
    await until(() => isFocused(code));
    await tabTo(chat.getByRole('button', { name: 'Copy code' }));
    await page.keyboard.press('Enter');
    await chat.getByText('Read', { exact: true }).waitFor();
    await code.focus();
    await page.keyboard.press('ControlOrMeta+v');
    await page.keyboard.press('Enter');
    await ana.getByText('Ana is signed in.').waitFor();
  });

  it('says that the connection is lost, and works again once the server is back', async () => {
    const watched = await browser!.open(`${origin}/phones/`);
    const { page } = watched;
    await page.getByRole('article').first().waitFor();
    watched.tolerate(/ERR_|Failed to load resource/);
    const { port } = server.address() as AddressInfo;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await page.getByText('The connection is lost').waitFor();
    server.listen(port, '127.0.0.1');
    await page.getByText('The connection is lost').waitFor({ state: 'hidden' });
    const { otpCode } = await org.okta.callHook({ userId: '00uana0silveira00001' });
    await page.getByText('is your verification code').waitFor();
    const chat = personOn(page, 'Ana Silveira').getByRole('log', { name: 'WhatsApp of Ana' });
    expect(await codeIn(chat)).to.equal(otpCode);
  });

  // Each theme once; the nightly run has each theme with every width.
  const LOOKS = (['light', 'dark'] as const).flatMap((colorScheme) => {
    const quickWidth = colorScheme === 'light' ? 320 : 1600;
    return (isNightly ? [1600, 1280, 320] : [quickWidth]).map((width) => ({ colorScheme, width }));
  });
  it('has no axe violation and no sideways scroll in both themes, wide and narrow', async () => {
    const page = await open({}, '/phones/?text=AMBER-LAKE-42');
    // Theme and width change only the style sheet: one page can show them all.
    const inEachLook = async (check: (look: string) => Promise<void>): Promise<void> => {
      for (const { colorScheme, width } of LOOKS) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 900 });
        await check(`${colorScheme}-${width}`);
      }
    };
    await inEachLook(() => expectAccessible(page));
    await turn(page, 'WhatsApp is refused at once', true);
    await turn(page, 'Codes expire fast', true);
    const [ana, bob, chloe] = ['Ana', 'Bob', 'Chloé'].map((name) => personOn(page, name));
    await turn(bob!, 'Codes by WhatsApp', true);
    await bob!.getByRole('button', { name: 'Bob writes START' }).click();
    await turn(page, 'WhatsApp is refused at once', false);
    await ana!.getByRole('button', { name: 'Text me a code' }).click();
    await chloe!.getByRole('button', { name: 'Call me' }).click();
    await ana!.getByText('is your verification code').waitFor();
    await chloe!.getByText('Call ended').waitFor();
    await typeBack(bob!, ' ');
    await bob!.getByText('Type the code first.').waitFor();
    await typeBack(ana!, '1');
    await ana!.getByText('Wrong code').waitFor();
    await ana!.getByText('The hook’s answer').click();
    await ana!.getByRole('button', { name: 'Ana writes STOP' }).click();
    await ana!.getByText('WhatsApp stopped: no codes there until').waitFor();
    await inEachLook(async () => {
      // axe also checks the colours of a hovered button.
      await ana!.getByRole('button', { name: 'Send as Ana' }).hover();
      await expectAccessible(page);
    });
    await ana!.getByRole('button', { name: 'Reset WhatsApp of Ana' }).click();
    await ana!.getByText('WhatsApp stopped').waitFor({ state: 'hidden' });
    await inEachLook(async (look) => {
      await expectNoSidewaysScroll(page);
      const cut =
        "[...document.querySelectorAll('.screen')].filter((one) => one.scrollWidth > one.clientWidth).length";
      expect(await page.evaluate(cut), 'phones with something beside the screen').to.equal(0);
      await screenshot(page, `phones-${look}`);
    });
  });
});
