import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { ANA, BOB, startScene, type Scene } from '#harness/scene.js';
import { until } from '#harness/until.js';
import { witness } from '#harness/witness.js';
import { expectAccessible, needBrowser, screenshot, startBrowser, type TestBrowser } from './browser.js';

/** The console page with a real gateway and both emulated vendors. */
describe('the console in a browser', function () {
  let browser: TestBrowser;
  let scene: Scene;
  /** What the console answered, such as `POST /api/tester/send 200`. */
  let answered: string[];

  before(async function () {
    needBrowser(this);
    browser = await startBrowser();
  });
  after(async () => {
    // A skipped suite has no browser.
    await (browser as TestBrowser | undefined)?.close();
  });

  beforeEach(async () => {
    answered = [];
    scene = await startScene({
      mount: (app, hook) => {
        const handler = hook.console({ authorize: () => ({ administrator: 'Grace Hopper' }) });
        app.use('/console', (req, res, next) => {
          res.once('finish', () => answered.push(`${req.method} ${req.path} ${res.statusCode}`));
          handler(req, res, next);
        });
        app.use(hook);
      },
    });
  });
  afterEach(async () => {
    try {
      await browser.closePages();
    } finally {
      await scene.close();
    }
  });

  const address = (hash = ''): string => `${new URL(scene.url).origin}/console/${hash}`;
  const payloadIn = async (page: Page): Promise<unknown> => {
    const editor = page.getByLabel('What Okta would send');
    await until(async () => (await editor.inputValue()) !== '');
    return JSON.parse(await editor.inputValue()) as unknown;
  };

  it('lets an administrator send a code and open its execution by keyboard alone', async () => {
    const { page } = await browser.open(address());
    await page.getByRole('heading', { name: 'Tester' }).waitFor();
    expect(await page.title()).to.equal('Tester – Telephony hook console');

    await page.keyboard.press('Tab');
    await page.getByRole('link', { name: 'Skip to the content' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.press('Enter');
    await tabTo(page, '#user');
    await page.keyboard.type(ANA.login);
    await tabTo(page, 'button:text-is("Generate")');
    await page.keyboard.press('Enter');
    const payload = (await payloadIn(page)) as {
      data: { messageProfile: { phoneNumber: string; otpCode: string } };
    };
    const { phoneNumber, otpCode } = payload.data.messageProfile;
    expect(phoneNumber).to.equal(ANA.phone);

    await page.getByText('a real message go out to the number that ends in 23').waitFor();
    await tabTo(page, 'button:has-text("Send to Anastasia ••23")');
    await page.keyboard.press('Enter');
    await page.getByText('Okta takes the code as sent, and waits').waitFor();
    await until(() => scene.twilio.messages.length === 1);
    expect(scene.twilio.messages[0]).to.include({ channel: 'whatsapp', to: ANA.phone });
    expect(scene.twilio.messages[0]?.body).to.include(otpCode);
    await page.locator('.waterfall').getByText('WhatsApp').waitFor();
    await screenshot(page, 'console-tester');

    // The focus has stayed on Send: one key sends again.
    await page.locator('button:has-text("Send to Anastasia ••23"):focus').waitFor();
    await page.keyboard.press('Enter');
    await until(() => scene.twilio.messages.length === 2);
    await page.getByRole('link', { name: 'Open this execution' }).waitFor();

    await tabTo(page, 'a:text-is("Open this execution")');
    await page.keyboard.press('Enter');
    await page.locator('h1:text-is("Execution"):focus').waitFor();
    await page.getByText('Okta requested a code by SMS for the number that ends in 23: Sign-in.').waitFor();
    await page.getByText('TWILIO accepted the message for WhatsApp.').waitFor();
    await page.getByText('The code was sent by WhatsApp.').waitFor();
    expect(await page.title()).to.match(/^Execution [\w-]{36} – Telephony hook console$/);
    witness(await page.locator('main').innerText());
    await screenshot(page, 'console-execution');

    await page.getByRole('link', { name: 'History' }).click();
    await page.getByText('2 of 2 executions').waitFor();
    witness(await page.locator('main').innerText());
    await page.goBack();
    await page.getByRole('heading', { name: 'Execution' }).waitFor();
  });

  it('says why a code went by SMS, and copies the name of the attribute', async () => {
    await scene.call({
      userId: BOB.id,
      login: BOB.login,
      phoneNumber: BOB.phone,
      eventId: 'event-absent',
    });
    const { page } = await browser.open(address('#/history/event-absent'));
    await page.getByText('absent: the profile has no attribute whatsAppOptIn').waitFor();
    await page.getByText('The plan: SMS, because the profile has no attribute whatsAppOptIn.').waitFor();
    await page.getByText('The code was sent by SMS, because the profile has no attribute').waitFor();
    await page.getByRole('button', { name: 'Copy the name of the opt-in attribute' }).click();
    await page.getByRole('status').getByText('Copied').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).to.equal('whatsAppOptIn');
  });

  it('shows a code live when Okta requests it, and replays it in the tester', async () => {
    const { page } = await browser.open(address('#/history'));
    await page.getByText('Okta has not requested a code yet.').waitFor();
    await scene.call({ deliveryChannel: 'VOICE_CALL', requestType: 'password-reset' });

    await page
      .getByRole('row', { name: /Voice call Password reset/ })
      .getByRole('link')
      .click();
    await page.getByText('The code was sent by voice call.').waitFor();
    await page.getByRole('link', { name: 'Replay in the tester' }).click();
    await page.getByRole('heading', { name: 'Tester' }).waitFor();
    expect(await page.locator('#user').inputValue()).to.equal(ANA.id);
    expect(await page.locator('#request-type').inputValue()).to.equal('password-reset');
    expect(await page.locator('#requested-channel').inputValue()).to.equal('voice');

    // The tester has the request again, and has sent nothing yet.
    await payloadIn(page);
    await page.locator('button:has-text("Send to Anastasia ••23"):focus').waitFor();
    expect(scene.twilio.calls).to.have.length(1);
    await page.getByText('Send makes a real call to the number that ends in 23.').waitFor();
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('Okta takes the code as sent, and waits').waitFor();
    expect(scene.twilio.calls.map(({ to }) => to)).to.deep.equal([ANA.phone, ANA.phone]);
    await page.getByRole('link', { name: 'History' }).click();
    await page.getByText('test by Grace Hopper').waitFor();
    // The tester suggests the user of the call.
    await page.getByRole('link', { name: 'Tester' }).click();
    await page.locator(`#recent-users option[value="${ANA.id}"]`).waitFor({ state: 'attached' });
  });

  it('reports an unknown user by its code, and an invalid payload with line and column', async () => {
    const { page, tolerate } = await browser.open(address());
    tolerate(/status of 40[04]/);
    await page.getByLabel('User').fill('nobody@example.com');
    await page.getByRole('button', { name: 'Generate' }).click();
    await page.getByRole('alert').getByText('OKTA_NOT_FOUND').waitFor();
    await expectAccessible(page);

    await page.getByLabel('User').fill(ANA.login);
    await page.getByRole('button', { name: 'Generate' }).click();
    const payload = await payloadIn(page);
    const editor = page.getByLabel('What Okta would send');
    const text = JSON.stringify(payload, undefined, 2).replace(/"phoneNumber": ".*?"/, '"phoneNumber": ""');
    await editor.fill(text);
    await page.getByRole('button', { name: 'Send' }).click();
    const line = text.split('\n').findIndex((each) => each.includes('phoneNumber')) + 1;
    const problem = page.getByRole('button', { name: `Line ${line}, column 7` });
    await problem.waitFor();
    await page.getByText('data.messageProfile.phoneNumber is not as Okta sends it.').waitFor();
    // The problem stands once, beside its line.
    expect(await page.getByText('messageProfile.phoneNumber').count()).to.equal(1);
    expect(await page.getByRole('alert').innerText()).to.equal('');
    await problem.click();
    await page.locator('#payload:focus').waitFor();

    await editor.fill(text.replace('"contentType":', '"contentType"'));
    await page.getByText('A colon after the name is expected here.').waitFor();
    expect(await page.locator('#send-warning').innerText()).to.equal('');
    expect(await page.getByRole('button', { name: 'Send' }).isDisabled()).to.equal(true);
    expect(scene.twilio.requests).to.be.empty;
  });

  it('sends only what its fields say, and names in the button whom the code goes to', async () => {
    const { page, tolerate } = await browser.open(address());
    tolerate(/status of 404/);
    const user = page.getByLabel('User');
    const generate = page.getByRole('button', { name: 'Generate' });
    const send = page.getByRole('button', { name: /^Send/ });
    await user.fill(ANA.login);
    await generate.click();
    await page.getByRole('button', { name: 'Send to Anastasia ••23', disabled: false }).waitFor();
    await user.fill('nobody@example.com');
    await page.getByText('The fields describe another request').waitFor();
    await generate.click();
    await page.getByRole('alert').getByText('OKTA_NOT_FOUND').waitFor();
    expect(await send.isDisabled()).to.equal(true);
    expect(await send.innerText()).to.equal('Send');

    await user.fill(ANA.login);
    expect(await send.isDisabled()).to.equal(false);
    for (const change of [
      () => page.getByLabel('Okta requests').selectOption('voice'),
      () => page.getByLabel('Request type').selectOption('password-reset'),
      () => page.getByLabel('Language').fill('fr'),
    ]) {
      await change();
      expect(await send.isDisabled()).to.equal(true);
      await generate.click();
      await page.locator('button:has-text("Send to Anastasia ••23"):not([disabled])').waitFor();
    }
    const made = (await payloadIn(page)) as { data: { userProfile: object } };
    expect(made).to.have.nested.property('data.messageProfile.locale', 'FR');

    // A pasted request of another user is not what the field says. Without a user, the request stands alone.
    const userProfile = { ...made.data.userProfile, userId: BOB.id, firstName: BOB.firstName };
    const pasted = JSON.stringify({ ...made, data: { ...made.data, userProfile } });
    await page.getByLabel('What Okta would send').fill(pasted);
    expect(await send.isDisabled()).to.equal(true);
    await user.fill('');
    await page.getByRole('button', { name: `Send to ${BOB.firstName} ••23`, disabled: false }).waitFor();
    expect(scene.twilio.requests).to.be.empty;
  });

  it('says why a provider refused a code and what to do, in the same words as the history', async () => {
    const { page } = await browser.open(address());
    scene.twilio.refuseWith({ status: 400, code: 21408, message: 'Permission to send is not enabled' });
    await page.getByLabel('User').fill(ANA.login);
    await page.getByRole('button', { name: 'Generate' }).click();
    await payloadIn(page);
    await page.getByRole('button', { name: 'Send' }).click();
    const cause = page.locator('main:not([hidden]) .facts div').filter({ hasText: /^(Code|Why|What to do)/ });
    await cause.filter({ hasText: 'What to do' }).waitFor();
    const inTester = await cause.allTextContents();
    expect(inTester.join(' ')).to.match(/^Code21408 Why\S.* What to do\S/);
    witness(await page.getByRole('region', { name: 'Answer', exact: true }).innerText());
    await expectAccessible(page);

    await page.getByRole('link', { name: 'Open this execution' }).click();
    await page.locator('h1:text-is("Execution")').waitFor();
    await cause.first().waitFor();
    expect((await cause.allTextContents()).slice(0, 3)).to.deep.equal(inTester);
  });

  it('sends nothing if a page of another site posts to the tester in an administrator’s browser', async () => {
    const { page: own } = await browser.open(address());
    await own.getByLabel('User').fill(ANA.login);
    await own.getByRole('button', { name: 'Generate' }).click();
    const payload = await payloadIn(own);
    // A form writes name=value: the equals sign and the value land in the last JSON text.
    const field = JSON.stringify({ payload, rest: '' }).slice(0, -2);
    const target = address('').replace('127.0.0.1', 'localhost') + 'api/tester/send';
    const attack = createServer((_req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/html' }).end(`<!doctype html><title>win</title>
        <iframe name="frame"></iframe>
        <form method="post" enctype="text/plain" target="frame" action="${target}"></form>
        <script type="module">
          const input = document.createElement('input');
          input.name = ${JSON.stringify(field)};
          input.value = '"}';
          document.forms[0].append(input);
          document.forms[0].submit();
          fetch(${JSON.stringify(target)}, {
            method: 'POST', mode: 'no-cors', credentials: 'include', body: ${JSON.stringify(JSON.stringify({ payload }))},
          }).catch(() => undefined);
        </script>`);
    }).listen(0, '127.0.0.1');
    await once(attack, 'listening');
    try {
      const { port } = attack.address() as AddressInfo;
      const { tolerate } = await browser.open(`http://127.0.0.1:${port}/`, {
        otherOrigins: [new URL(target).origin],
      });
      tolerate(/./);
      const refused = (): readonly string[] =>
        answered.filter((line) => line === 'POST /api/tester/send 403');
      await until(() => refused().length === 2);
      expect(answered).to.not.include('POST /api/tester/send 200');
      expect(scene.twilio.requests).to.be.empty;
    } finally {
      attack.closeAllConnections();
      attack.close();
    }
  });
});

/** Presses Tab until the element has the focus. If it never has, mocha's time-out fails the test. */
async function tabTo(page: Page, selector: string): Promise<void> {
  do await page.keyboard.press('Tab');
  while ((await page.locator(selector).and(page.locator(':focus')).count()) === 0);
}
