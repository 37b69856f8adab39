import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import supertest from 'supertest';
import { CONSENT_VERSION } from '../../example/preferences/consent.js';
import { createGateway, type Gateway, type GatewayOptions } from '../../example/gateway.js';
import type { OktaCredential, OktaTelephonyHookOptions } from '#lib/index.js';
import {
  startOktaEmulator,
  startTwilioEmulator,
  type EmulatedInbound,
  type OktaEmulator,
  type TwilioEmulator,
} from '#lib/testing/index.js';
import { ANA, BOB } from '#harness/scene.js';
import { LOGIN, signedIn } from '#harness/signed-in.js';
import { passTime, stopTime, warmUp } from '#harness/stopped-time.js';
import { defer, until } from '#harness/until.js';
import { mustNotShow, witness } from '#harness/witness.js';

const HOOK_SECRET = 'hook-secret-of-the-preferences';
const MINUTE_MS = 60_000;
const USUAL_REPLY = /HELP|codes|only/i;

type Browser = ReturnType<typeof supertest.agent>;

/** The first group of the pattern in a page. */
function found(html: string, pattern: RegExp): string {
  return pattern.exec(html)?.[1] ?? expect.fail(`the page has no ${String(pattern)}`);
}
const csrfTokenIn = (html: string): string => found(html, /name="csrfToken" value="([^"]+)"/);
const wordIn = (html: string): string => found(html, /class="word">([^<]+)</);

/** A proxy to Okta that can hold a call. */
interface HeldOkta {
  readonly orgUrl: string;
  /** Holds the next call of the method. */
  hold(): void;
  /** Resolves when a call is held. */
  readonly holds: Promise<void>;
  /** Forwards the held call. */
  release(): void;
  close(): void;
}

async function startHeldOkta(orgUrl: string, method: string): Promise<HeldOkta> {
  const holds = defer<undefined>();
  const released = defer<undefined>();
  let isHolding = false;
  const server = createServer((req, res) => {
    void (async () => {
      const body = await text(req);
      if (isHolding && req.method === method) {
        isHolding = false;
        holds.resolve(undefined);
        await released.promise;
      }
      const answer = await fetch(`${orgUrl}${req.url ?? ''}`, {
        method: req.method ?? '',
        headers: {
          authorization: req.headers.authorization ?? '',
          'content-type': req.headers['content-type'] ?? '',
        },
        ...(req.method === 'POST' ? { body } : {}),
      });
      res.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
    })().catch(() => res.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    orgUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold: () => {
      isHolding = true;
    },
    holds: holds.promise,
    release: () => {
      released.resolve(undefined);
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe('the preference page of the example', () => {
  let okta: OktaEmulator;
  let twilio: TwilioEmulator;
  let gateway: Gateway;
  let server: Server;
  let publicUrl: string;
  let ownToken: string;
  let held: HeldOkta | undefined;
  let now: number;
  let log: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[];

  const hookOptions = (): OktaTelephonyHookOptions => {
    const note = (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      witness([message, fields]);
      log.push({ message, fields });
    };
    return {
      credentials: {
        hook: { scheme: 'header', secrets: [HOOK_SECRET] },
        okta: { orgUrl: okta.orgUrl, apiToken: okta.apiToken },
        twilio: {
          accountSid: twilio.accountSid,
          apiKeySid: twilio.apiKeySid,
          apiKeySecret: twilio.apiKeySecret,
          authToken: twilio.authToken,
          baseUrl: twilio.baseUrl,
        },
      },
      publicUrl,
      sandboxNumber: twilio.sandboxNumber,
      senders: { sms: twilio.smsNumber },
      logger: { info: note, warn: note, error: note },
      clock: () => now,
    };
  };
  /** With a time limit that no slow machine exceeds. */
  const preferencesOf = (credential: OktaCredential): GatewayOptions['preferences'] => ({
    credential,
    whatsAppNumber: twilio.sandboxNumber,
    sandboxWords: `join ${twilio.joinCode}`,
    timeoutMs: 60_000,
  });
  /** Replaces the gateway before. */
  const serve = async (options: Partial<GatewayOptions> = {}): Promise<void> => {
    const before = gateway as Gateway | undefined;
    server.removeAllListeners('request');
    gateway = createGateway({
      hook: hookOptions(),
      login: LOGIN,
      preferences: preferencesOf({ orgUrl: okta.orgUrl, apiToken: ownToken }),
      ...options,
    });
    server.on('request', gateway.app);
    await before?.hook.close();
  };

  before(warmUp);
  beforeEach(async () => {
    held = undefined;
    now = Date.now();
    log = [];
    const clock = (): number => now;
    [okta, twilio] = await Promise.all([
      startOktaEmulator({ clock, apiTokenRoles: ['READ_ONLY_ADMIN'] }),
      startTwilioEmulator({ clock }),
    ]);
    ownToken = okta.addApiToken(['USER_ADMIN']);
    okta.setAttribute('whatsAppOptIn', { title: 'Codes by WhatsApp', type: 'boolean' });
    okta.addUser({ ...ANA, profile: { mobilePhone: ANA.phone, whatsAppOptIn: true } });
    okta.addUser({ ...BOB, profile: { mobilePhone: '+1 (202) 555-0142', nickName: 'Bobby' } });
    for (const { phone } of [ANA, BOB]) twilio.joinSandbox(phone);
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') expect.fail('no port');
    publicUrl = `http://127.0.0.1:${address.port}/okta/telephony`;
    await serve();
    mustNotShow(
      ANA.phone,
      BOB.phone,
      ANA.login,
      BOB.login,
      BOB.firstName,
      ownToken,
      okta.apiToken,
      HOOK_SECRET,
    );
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    held?.close();
    await Promise.all([gateway.hook.close(), okta.close(), twilio.close()]);
  });

  const asBob = (): Promise<Browser> => signedIn(server, { id: BOB.id, csrfToken: 'of-bob' });
  const asAna = (): Promise<Browser> => signedIn(server, { id: ANA.id, csrfToken: 'of-ana' });
  const pageOf = async (browser: Browser, path = '/preferences'): Promise<string> => {
    const { text } = await browser.get(path).expect(200);
    witness(text);
    return text;
  };
  const choose = async (browser: Browser, channel: string): Promise<supertest.Response> => {
    const text = await pageOf(browser);
    const [, textVersion = ''] = /name="textVersion" value="([^"]+)"/.exec(text) ?? [];
    return browser
      .post('/preferences')
      .type('form')
      .send({ channel, textVersion, csrfToken: csrfTokenIn(text) });
  };
  const askForWord = async (browser: Browser): Promise<string> => {
    expect((await choose(browser, 'whatsapp')).headers['location']).to.equal('/preferences');
    return wordIn(await pageOf(browser));
  };
  const write = (body: string, from: string = BOB.phone, channel: 'sms' | 'whatsapp' = 'whatsapp') =>
    twilio.receive({ channel, from, body, url: `${publicUrl}/twilio/inbound` });
  const replyTo = async (sent: Promise<EmulatedInbound>): Promise<string> => {
    const { replies } = await sent;
    const text = replies.join('\n');
    witness(text);
    return text;
  };
  /** The channel of Bob's next code. */
  const nextCodeBy = async (): Promise<string | undefined> => {
    await okta.callHook({
      url: publicUrl,
      headers: { authorization: HOOK_SECRET },
      userId: BOB.id,
      phoneNumber: BOB.phone,
    });
    return twilio.messages.at(-1)?.channel;
  };
  const isOn = (): unknown => okta.users.find(({ id }) => id === BOB.id)?.profile['whatsAppOptIn'];
  const writes = (): string[] =>
    okta.requests
      .filter(({ method, path }) => method === 'POST' && path.startsWith('/api/v1/users/'))
      .map(({ headers }) => headers.authorization ?? '');

  it('says that codes come by SMS after STOP or a failed WhatsApp message, and how to undo it', async () => {
    const ana = await asAna();
    expect(await pageOf(ana)).to.match(/by <strong>WhatsApp/);
    await write('STOP', ANA.phone);
    const link = `https://wa.me/${twilio.sandboxNumber.slice(1)}?text=`;
    const undo = (text: string): string => `<a href="${link}${encodeURIComponent(text)}">${text}</a>`;
    const join = `join ${twilio.joinCode}`;
    expect(await pageOf(ana))
      .to.match(/by <strong>SMS</)
      .and.match(
        /You have stopped our messages by WhatsApp, so no code goes there until \d+ \w+ \d{4} at \d\d:\d\d UTC\./,
      )
      .and.include(`${undo(join)}, then ${undo('START')}`)
      .and.include('from the phone whose number ends in 23')
      .and.include('Turn WhatsApp off')
      .and.not.include('Get codes by SMS only');
    for (const text of [join, 'START']) await write(text, ANA.phone);
    expect(await pageOf(ana))
      .to.match(/by <strong>WhatsApp/)
      .and.not.match(/class="notice"/);

    twilio.failLater({ code: 63024, times: 1 });
    const call = { userId: ANA.id, phoneNumber: ANA.phone, headers: { authorization: HOOK_SECRET } };
    await okta.callHook({ url: publicUrl, ...call });
    await until(async () => (await pageOf(ana)).includes('did not reach your phone by WhatsApp'));
    expect(await pageOf(ana))
      .to.match(/by <strong>SMS</)
      .and.include(`send ${undo('START')} to`);
    await write('START', ANA.phone);
    expect(await pageOf(ana)).to.match(/by <strong>WhatsApp/);
  });

  it('says that no code comes by text if Twilio refuses SMS after a STOP', async () => {
    twilio.refuseWith({ code: 21610, times: 1 });
    await nextCodeBy();
    expect(await pageOf(await asBob())).to.match(
      /No code reaches you by text now.*stopped our messages by SMS.*send START by SMS/s,
    );
  });

  it('ends an earlier STOP with the word that turns WhatsApp on', async () => {
    const bob = await asBob();
    await write('STOP');
    twilio.joinSandbox(BOB.phone);
    expect(await replyTo(write(await askForWord(bob)))).to.match(/WhatsApp is on/);
    now += 61_000;
    expect(await nextCodeBy()).to.equal('whatsapp');
  });

  it("turns WhatsApp on after a word from the user's WhatsApp account, and off without a word", async () => {
    const bob = await asBob();
    await bob.get('/account').expect(/href="\/preferences"/);
    const before = await pageOf(bob);
    expect(before)
      .to.match(/by <strong>SMS<\/strong>/)
      .and.match(/number that ends in 42/);
    // The consent text comes before the button.
    expect(before.indexOf('What you agree to')).to.be.below(before.indexOf('Agree, and get codes'));
    expect(await nextCodeBy()).to.equal('sms');

    const word = await askForWord(bob);
    const waiting = await pageOf(bob);
    expect(word).to.match(/^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/);
    expect(waiting)
      .to.include(`https://wa.me/${twilio.sandboxNumber.slice(1)}?text=${word}`)
      .and.include('once, for ten minutes');
    expect(isOn()).to.equal(undefined);

    const isWaiting = async (): Promise<string> => (await bob.get('/preferences/waiting').expect(200)).text;
    expect(await isWaiting()).to.equal('yes');
    expect(await replyTo(write(` ${word.toLowerCase().replace('-', ' ')}. `))).to.match(/^WhatsApp is on/);
    expect(isOn()).to.equal(true);
    expect(await isWaiting()).to.equal('no');
    expect(await pageOf(bob)).to.match(/by <strong>WhatsApp<\/strong>/);
    now += MINUTE_MS;
    expect(await nextCodeBy()).to.equal('whatsapp');

    expect((await choose(bob, 'sms')).headers['location']).to.equal('/preferences');
    expect(isOn()).to.equal(false);
    expect(await pageOf(bob)).to.match(/by <strong>SMS<\/strong>/);
    now += MINUTE_MS;
    expect(await nextCodeBy()).to.equal('sms');
    // The rest of the profile is unchanged.
    expect(okta.users.find(({ id }) => id === BOB.id)?.profile).to.include({ nickName: 'Bobby' });
  });

  it("writes to Okta with its own credential, never with the hook's", async () => {
    const bob = await asBob();
    await replyTo(write(await askForWord(bob)));
    await choose(bob, 'sms');
    await nextCodeBy();
    expect(writes()).to.deep.equal([`SSWS ${ownToken}`, `SSWS ${ownToken}`]);
    const hooks = okta.requests.filter(({ headers }) => headers.authorization === `SSWS ${okta.apiToken}`);
    expect(hooks).not.to.be.empty;
    expect(hooks.filter(({ method }) => method !== 'GET')).to.deep.equal([]);
    // The hook's credential has no permission to write.
    await serve({ preferences: preferencesOf({ orgUrl: okta.orgUrl, apiToken: okta.apiToken }) });
    const again = await asBob();
    expect(await replyTo(write(await askForWord(again)))).to.match(/could not be saved/);
    expect(isOn()).to.equal(false);
  });

  it('accepts only the newest word, once, within ten minutes and over WhatsApp', async () => {
    const bob = await asBob();
    const first = await askForWord(bob);
    await choose(bob, 'sms');
    const word = await askForWord(bob);
    expect(word).not.to.equal(first);
    expect(await replyTo(write(first)))
      .to.match(USUAL_REPLY)
      .and.not.match(/is on/);
    expect(await replyTo(write(word, BOB.phone, 'sms'))).not.to.match(/is on/);
    expect(isOn()).to.equal(undefined);

    now += 10 * MINUTE_MS;
    expect(await replyTo(write(word))).not.to.match(/is on/);
    expect(await pageOf(bob)).not.to.include(word);
    expect(isOn()).to.equal(undefined);

    const good = await askForWord(bob);
    now += 10 * MINUTE_MS - 1;
    expect(await replyTo(write(good))).to.match(/is on/);
    await choose(bob, 'sms');
    expect(await replyTo(write(good))).not.to.match(/is on/);
    expect(isOn()).to.equal(false);
  });

  it('refuses a word from another number, and still accepts it from the right one', async () => {
    const bob = await asBob();
    const word = await askForWord(bob);
    const reply = await replyTo(write(word, ANA.phone));
    expect(reply).to.equal(await replyTo(write('Hello?', BOB.phone)));
    expect(isOn()).to.equal(undefined);
    expect(await replyTo(write(word))).to.match(/is on/);
  });

  it('says what to do if WhatsApp hides the number, and accepts the word only as a reply', async () => {
    const bob = await asBob();
    const word = await askForWord(bob);
    expect(await pageOf(bob)).to.match(/send the word as a reply to a message/);
    const hidden = {
      ...({ channel: 'whatsapp', from: BOB.phone, url: `${publicUrl}/twilio/inbound` } as const),
      ...{ externalUserId: 'US.13491208655302741918', isNumberHidden: true },
    };
    expect(await replyTo(twilio.receive({ ...hidden, body: word }))).not.to.match(/is on/);
    expect(isOn()).to.equal(undefined);
    okta.updateUser(BOB.id, { whatsAppOptIn: true });
    await nextCodeBy();
    okta.updateUser(BOB.id, { whatsAppOptIn: undefined });
    const { sid = '', channel } = twilio.messages.at(-1) ?? {};
    expect(channel).to.equal('whatsapp');
    expect(await replyTo(twilio.receive({ ...hidden, body: word, repliesTo: sid }))).to.match(/is on/);
  });

  it("refuses a word from a number that is no longer in the user's profile", async () => {
    const bob = await asBob();
    const word = await askForWord(bob);
    okta.updateUser(BOB.id, { mobilePhone: '+12025550199' });
    expect(await pageOf(bob))
      .to.match(/by <strong>SMS/)
      .and.not.include(word);
    expect(await replyTo(write(word))).not.to.match(/is on/);
    expect(isOn()).to.equal(undefined);
  });

  it('accepts a word from the number in the form that WhatsApp writes', async () => {
    const numbers = [
      ['+52 55 1234 5678', '+5215512345678'],
      ['+54 11 1234-5678', '+5491112345678'],
      ['+55 31 98765-4321', '+553187654321'],
      // Numbers in São Paulo keep the ninth digit.
      ['+55 11 98765-4321', '+5511987654321'],
    ];
    for (const [dialled = '', written = ''] of numbers) {
      mustNotShow(dialled, written);
      okta.updateUser(BOB.id, { mobilePhone: dialled, whatsAppOptIn: false });
      twilio.joinSandbox(written);
      expect(await replyTo(write(await askForWord(await asBob()), written)), written).to.match(/is on/);
    }
  });

  it('logs each consent and withdrawal by user id, without the phone number', async () => {
    const bob = await asBob();
    await write(await askForWord(bob));
    await choose(bob, 'sms');
    const lines = log.filter(({ message }) => message === 'A user chose how codes come');
    const textVersion = lines[0]?.fields['textVersion'];
    const at = new Date(now).toISOString();
    expect(textVersion).to.match(/^[0-9a-f]{12}$/);
    expect(lines.map(({ fields }) => fields)).to.deep.equal([
      { userId: BOB.id, consent: 'given', by: 'word', numberEnding: '42', textVersion, at },
      { userId: BOB.id, consent: 'withdrawn', by: 'page', at },
    ]);
    // WhatsApp is off already: this withdraws nothing.
    await choose(bob, 'sms');
    expect(log.filter(({ message }) => message === 'A user chose how codes come')).to.have.length(2);
  });

  it('shows a word only to its own user', async () => {
    const word = await askForWord(await asBob());
    const ana = await asAna();
    okta.updateUser(ANA.id, { whatsAppOptIn: false });
    expect(await pageOf(ana)).to.not.include(word);
    // Another browser of the same user shows it.
    expect(await pageOf(await asBob())).to.include(word);
    await choose(ana, 'sms');
    expect(await replyTo(write(word))).to.match(/is on/);
    expect(okta.users.find(({ id }) => id === ANA.id)?.profile).to.include({ whatsAppOptIn: false });
  });

  it('redirects a visitor to the login, with the page as the way back, and calls no API of Okta', async () => {
    const visitor = supertest(server);
    await visitor
      .get('/preferences?from=mail')
      .expect(303)
      .expect('Location', '/login?to=%2Fpreferences%3Ffrom%3Dmail');
    await visitor.post('/preferences').send('channel=sms').expect(303).expect('Location', '/login');
    expect(okta.requests).to.deep.equal([]);
  });

  it('refuses a form of another site, of another session or for another consent text', async () => {
    okta.updateUser(BOB.id, { whatsAppOptIn: true });
    const bob = await asBob();
    const ana = await asAna();
    const csrfToken = csrfTokenIn(await pageOf(bob));
    const post = (form: object) => bob.post('/preferences').type('form').send(form);
    await post({ channel: 'sms' }).set('Origin', 'https://evil.example').expect(403);
    await post({ channel: 'sms', csrfToken: csrfTokenIn(await pageOf(ana)) }).expect(403);
    await post({ csrfToken }).expect(409);
    await post({ channel: 'whatsapp', csrfToken, textVersion: 'an-old-one' }).expect(409, /text has changed/);
    expect(isOn()).to.equal(true);
    expect(writes()).to.deep.equal([]);
  });

  it('offers no word to a user without a mobile number that has a country code', async () => {
    for (const mobilePhone of [null, '202 555 0142', 'none']) {
      okta.updateUser(BOB.id, { mobilePhone });
      const bob = await asBob();
      expect(await pageOf(bob))
        .to.match(/no mobile number with a country code/)
        .and.not.match(/Agree, and/);
      const csrfToken = csrfTokenIn((await bob.get('/account')).text);
      await bob
        .post('/preferences')
        .type('form')
        .send({ channel: 'whatsapp', csrfToken, textVersion: CONSENT_VERSION })
        .expect('Location', '/preferences');
      expect(await pageOf(bob)).to.not.match(/class="word"/);
    }
  });

  it('says that Okta does not answer or save, and accepts the same word once Okta works again', async () => {
    const bob = await asBob();
    const word = await askForWord(bob);
    okta.fault({ kind: 'status', status: 500, body: { errorSummary: BOB.login } });
    const { text } = await bob.get('/preferences').expect(503, /Okta does not answer/);
    witness(text);
    expect(await replyTo(write(word))).to.match(/could not be saved/);
    okta.clearFaults();
    okta.fault({ fault: { kind: 'html', status: 502 }, match: ({ method }) => method === 'POST', times: 1 });
    expect(await replyTo(write(word))).to.match(/could not be saved/);
    expect(isOn()).to.equal(undefined);
    expect(await replyTo(write(word))).to.match(/is on/);
    expect(log.map(({ message }) => message)).to.include('WhatsApp could not be turned on');
  });

  /** A proxy to Okta that can hold the next call of this method until the test releases it. */
  const holdNext = async (method: 'GET' | 'POST'): Promise<HeldOkta> => {
    held = await startHeldOkta(okta.orgUrl, method);
    await serve({ preferences: preferencesOf({ orgUrl: held.orgUrl, apiToken: ownToken }) });
    return held;
  };
  const recorded = (): unknown[] =>
    log
      .filter(({ message }) => message === 'A user chose how codes come')
      .map(({ fields }) => fields['consent']);
  /** Resolves when the gateway has cancelled the word. The array keeps `await` from waiting for its later answer. */
  const cancel = async (browser: Browser): Promise<Promise<supertest.Response>[]> => {
    const answer = choose(browser, 'sms');
    await until(async () => !/class="word"/.test(await pageOf(browser)));
    return [answer];
  };

  it('does not turn WhatsApp on if the user cancels while the gateway reads the profile for the word', async () => {
    const okta = await holdNext('GET');
    const bob = await asBob();
    const word = await askForWord(bob);
    okta.hold();
    const reply = replyTo(write(word));
    await okta.holds;
    const cancelling = await cancel(bob);
    okta.release();
    expect(await reply).not.to.match(/WhatsApp is on|again/);
    await Promise.all(cancelling);
    expect(await replyTo(write(word))).not.to.match(/is on/);
    expect(writes()).to.deep.equal([]);
    expect(recorded()).to.deep.equal([]);
  });

  it('turns WhatsApp off again if the user cancels while the gateway writes the opt-in', async () => {
    const okta = await holdNext('POST');
    const bob = await asBob();
    const word = await askForWord(bob);
    okta.hold();
    const reply = replyTo(write(word));
    await okta.holds;
    const cancelling = await cancel(bob);
    okta.release();
    expect(await reply).not.to.match(/WhatsApp is on/);
    await Promise.all(cancelling);
    expect(isOn()).to.equal(false);
    expect(recorded()).to.deep.equal(['given', 'withdrawn']);
    expect(await pageOf(bob)).to.match(/by <strong>SMS/);
  });

  it('does not accept a word again that the user cancelled while the write to Okta failed', async () => {
    const held = await holdNext('POST');
    const bob = await asBob();
    const word = await askForWord(bob);
    okta.fault({
      fault: { kind: 'status', status: 500 },
      match: ({ method }) => method === 'POST',
      times: 1,
    });
    held.hold();
    const reply = replyTo(write(word));
    await held.holds;
    const cancelling = await cancel(bob);
    held.release();
    expect(await reply).not.to.match(/send the word again/);
    await Promise.all(cancelling);
    expect(await pageOf(bob)).not.to.match(/class="word"/);
    expect(await replyTo(write(word))).not.to.match(/is on/);
    expect(isOn()).to.equal(false);
  });

  it('shows no word if the user chooses SMS while the gateway makes the word', async () => {
    const okta = await holdNext('GET');
    const bob = await asBob();
    const csrfToken = csrfTokenIn((await bob.get('/account')).text);
    const post = (channel: string) =>
      bob.post('/preferences').type('form').send({ channel, textVersion: CONSENT_VERSION, csrfToken });
    okta.hold();
    const asking = post('whatsapp').then();
    await okta.holds;
    const choosing = post('sms').then();
    okta.release();
    await Promise.all([asking, choosing]);
    expect(await pageOf(bob)).not.to.match(/class="word"/);
  });

  /** Okta saves the next write, but its answer is lost. */
  const loseAnswer = (): void => {
    okta.fault({ fault: { kind: 'truncated' }, match: ({ method }) => method === 'POST', times: 1 });
  };

  it("logs a choice that Okta may have saved even if Okta's answer is lost", async () => {
    const bob = await asBob();
    await write('STOP');
    twilio.joinSandbox(BOB.phone);
    const word = await askForWord(bob);
    loseAnswer();
    expect(await replyTo(write(word))).to.match(/could not be saved/);
    expect(isOn()).to.equal(true);
    expect(recorded()).to.deep.equal(['given']);
    expect(await pageOf(bob)).to.match(/by <strong>WhatsApp/);
    // The STOP is over, as the log and the page say.
    expect(await nextCodeBy()).to.equal('whatsapp');

    const page = await pageOf(bob);
    okta.requests.length = 0;
    loseAnswer();
    const form = { channel: 'sms', csrfToken: csrfTokenIn(page) };
    await bob.post('/preferences').type('form').send(form).expect(503);
    expect(isOn()).to.equal(false);
    expect(recorded()).to.deep.equal(['given', 'withdrawn']);
    expect(await pageOf(bob)).to.match(/by <strong>SMS/);
  });

  it('says that a failed withdrawal may not be saved, still shows WhatsApp, and accepts a second try', async () => {
    const bob = await asBob();
    await replyTo(write(await askForWord(bob)));
    const form = { channel: 'sms', csrfToken: csrfTokenIn(await pageOf(bob)) };
    okta.fault({ kind: 'status', status: 500 });
    await bob
      .post('/preferences')
      .type('form')
      .send(form)
      .expect(503, /may not be saved/);
    okta.clearFaults();
    expect(log.at(-1)).to.deep.include({ message: 'The preference page could not use Okta' });
    expect(log.at(-1)?.fields).to.include({ userId: BOB.id, method: 'POST' });
    // The log has the user's choice, and the page shows what Okta has.
    expect(recorded()).to.deep.equal(['given', 'withdrawn']);
    expect(await pageOf(bob)).to.match(/by <strong>WhatsApp/);
    await bob.post('/preferences').type('form').send(form).expect(303);
    expect(isOn()).to.equal(false);
    expect(await pageOf(bob)).to.match(/by <strong>SMS/);
  });

  it('withdraws a consent whose write to Okta failed', async () => {
    const bob = await asBob();
    const word = await askForWord(bob);
    okta.fault({ fault: { kind: 'html', status: 502 }, match: ({ method }) => method === 'POST', times: 1 });
    expect(await replyTo(write(word))).to.match(/could not be saved/);
    await choose(bob, 'sms');
    expect(isOn()).to.equal(false);
    expect(recorded()).to.deep.equal(['given', 'withdrawn']);
  });

  it('ends an earlier STOP even if Okta answers only after the reply to the word is due', async () => {
    const okta = await holdNext('GET');
    const bob = await asBob();
    await write('STOP');
    twilio.joinSandbox(BOB.phone);
    const word = await askForWord(bob);
    okta.hold();
    const time = stopTime();
    try {
      const writing = write(word);
      await okta.holds;
      expect(await replyTo(passTime(time, writing, 3_000))).to.match(USUAL_REPLY);
    } finally {
      time.restore();
    }
    okta.release();
    await until(() => isOn() === true);
    await until(async () => {
      now += 61_000;
      return (await nextCodeBy()) === 'whatsapp';
    });
    expect(recorded()).to.deep.equal(['given']);
  });

  it('answers 404 if its credential is not set', async () => {
    await serve({ preferences: undefined });
    const bob = await asBob();
    await bob.get('/preferences').expect(404);
    const { text } = await bob.get('/account').expect(200);
    expect(text).not.to.include('preferences');
  });
});
