import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { exportJWK } from 'jose';
import { expect } from 'chai';
import supertest from 'supertest';
import { CONSENT_VERSION } from '../../example/consent.js';
import { createGateway, type Gateway, type GatewayOptions } from '../../example/gateway.js';
import {
  ConfigurationError,
  type OktaCredential,
  type OktaTelephonyHookOptions,
  type ReceivedMessage,
} from '#lib/index.js';
import {
  startOktaEmulator,
  startTwilioEmulator,
  type EmulatedInbound,
  type OktaEmulator,
  type TwilioEmulator,
} from '#lib/testing/index.js';
import { ANA, BOB } from '#harness/scene.js';
import { mustNotShow, witness } from '#harness/witness.js';

const HOOK_SECRET = 'hook-secret-of-the-preferences';
const PASSWORDS = { ana: 'password-made-at-random-1', bob: 'password-made-at-random-2' };
const MINUTE_MS = 60_000;
const USUAL_REPLY = /HELP|codes|only/i;

type Browser = ReturnType<typeof supertest.agent>;

/** What stands on a page behind a pattern. */
function found(html: string, pattern: RegExp): string {
  return pattern.exec(html)?.[1] ?? expect.fail(`the page has no ${String(pattern)}`);
}
const csrfTokenIn = (html: string): string => found(html, /name="csrfToken" value="([^"]+)"/);
const wordIn = (html: string): string => found(html, /class="word">([^<]+)</);

describe('the preference page of the example', () => {
  let okta: OktaEmulator;
  let twilio: TwilioEmulator;
  let gateway: Gateway;
  let server: Server;
  let publicUrl: string;
  let ownToken: string;
  let now: number;
  let log: { readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[];
  const others: ReceivedMessage[] = [];

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
      inbound: {
        onMessage: (message) => {
          others.push(message);
          return undefined;
        },
      },
    };
  };
  /** Takes the place of the one before. */
  const serve = async (options: Partial<GatewayOptions> = {}): Promise<void> => {
    const before = gateway as Gateway | undefined;
    server.removeAllListeners('request');
    gateway = createGateway({
      hook: hookOptions(),
      sessionSecret: 'session-secret-of-the-preferences',
      accounts: [
        { username: 'ana', password: PASSWORDS.ana, oktaUserId: ANA.id },
        { username: 'bob', password: PASSWORDS.bob, oktaUserId: BOB.id },
        { username: 'nobody', password: PASSWORDS.bob },
      ],
      preferences: { credential: { orgUrl: okta.orgUrl, apiToken: ownToken } },
      ...options,
    });
    server.on('request', gateway.app);
    await before?.hook.close();
  };

  beforeEach(async () => {
    now = Date.now();
    log = [];
    others.length = 0;
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
    mustNotShow(...Object.values(PASSWORDS));
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await Promise.all([gateway.hook.close(), okta.close(), twilio.close()]);
  });

  const logIn = async (username: string, password: string): Promise<Browser> => {
    const browser = supertest.agent(server);
    const csrfToken = csrfTokenIn((await browser.get('/login')).text);
    await browser
      .post('/login')
      .type('form')
      .send({ username, password, csrfToken })
      .expect('Location', '/account');
    return browser;
  };
  const asBob = (): Promise<Browser> => logIn('bob', PASSWORDS.bob);
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
    expect((await choose(browser, 'whatsapp')).headers['location']).to.equal('/preferences?waiting');
    return wordIn(await pageOf(browser, '/preferences?waiting'));
  };
  const write = (body: string, from: string = BOB.phone, channel: 'sms' | 'whatsapp' = 'whatsapp') =>
    twilio.receive({ channel, from, body, url: `${publicUrl}/twilio/inbound` });
  const replyTo = async (sent: Promise<EmulatedInbound>): Promise<string> => {
    const { replies } = await sent;
    const text = replies.join('\n');
    witness(text);
    return text;
  };
  /** By which channel the next code comes to Bob. */
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

  it('takes an earlier STOP back by the word that turns WhatsApp on', async () => {
    const bob = await asBob();
    await write('STOP');
    twilio.joinSandbox(BOB.phone);
    expect(await replyTo(write(await askForWord(bob)))).to.match(/WhatsApp is on/);
    now += 61_000;
    expect(await nextCodeBy()).to.equal('whatsapp');
  });

  it('turns WhatsApp on by a word from the own WhatsApp account, and off at once', async () => {
    const bob = await asBob();
    await bob.get('/account').expect(/href="\/preferences"/);
    const before = await pageOf(bob);
    expect(before)
      .to.match(/by <strong>SMS<\/strong>/)
      .and.match(/number that ends in 42/)
      .and.not.match(/http-equiv/);
    // Whoever agrees has had the text before the button.
    expect(before.indexOf('id="consent"')).to.be.below(before.indexOf('Agree, and get codes'));
    expect(await nextCodeBy()).to.equal('sms');

    const word = await askForWord(bob);
    const waiting = await pageOf(bob, '/preferences?waiting');
    expect(word).to.match(/^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/);
    expect(waiting)
      .to.include(`https://wa.me/${twilio.sandboxNumber.slice(1)}?text=${word}`)
      .and.include('10 minutes more')
      .and.match(/http-equiv="refresh" content="10; url=\/preferences\?waiting"/);
    expect(isOn()).to.equal(undefined);

    expect(await replyTo(write(` ${word.toLowerCase().replace('-', ' ')}. `))).to.match(/^WhatsApp is on/);
    expect(isOn()).to.equal(true);
    const after = await pageOf(bob, '/preferences?waiting');
    expect(after)
      .to.match(/by <strong>WhatsApp<\/strong>/)
      .and.match(/consent given by a word from the WhatsApp number that ends in 42 \(text [0-9a-f]{12}\)/)
      .and.not.match(/http-equiv/);
    now += MINUTE_MS;
    expect(await nextCodeBy()).to.equal('whatsapp');

    expect((await choose(bob, 'sms')).headers['location']).to.equal('/preferences');
    expect(isOn()).to.equal(false);
    expect(await pageOf(bob)).to.match(/by <strong>SMS<\/strong>[\s\S]*consent withdrawn on this page/);
    now += MINUTE_MS;
    expect(await nextCodeBy()).to.equal('sms');
    // Nothing else of the profile was touched.
    expect(okta.users.find(({ id }) => id === BOB.id)?.profile).to.include({ nickName: 'Bobby' });
  });

  it('writes by a credential of its own, never by the one of the hook', async () => {
    const bob = await asBob();
    await replyTo(write(await askForWord(bob)));
    await choose(bob, 'sms');
    await nextCodeBy();
    expect(writes()).to.deep.equal([`SSWS ${ownToken}`, `SSWS ${ownToken}`]);
    const hooks = okta.requests.filter(({ headers }) => headers.authorization === `SSWS ${okta.apiToken}`);
    expect(hooks).not.to.be.empty;
    expect(hooks.filter(({ method }) => method !== 'GET')).to.deep.equal([]);
    // It could not even if it wanted to.
    await serve({ preferences: { credential: { orgUrl: okta.orgUrl, apiToken: okta.apiToken } } });
    const again = await asBob();
    expect(await replyTo(write(await askForWord(again)))).to.match(/could not be saved/);
    expect(isOn()).to.equal(false);
  });

  for (const requireDpop of [false, true]) {
    it(`writes as a service app${requireDpop ? ' whose tokens are bound to a key' : ''}`, async () => {
      const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const scopes = ['okta.users.read', 'okta.users.manage'];
      const clientId = '0oapreferences0001d7';
      okta.registerServiceApp({ clientId, publicJwk: await exportJWK(keys.publicKey), scopes, requireDpop });
      const pem = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      const credential: OktaCredential = {
        orgUrl: okta.orgUrl,
        clientId,
        privateKey: requireDpop
          ? JSON.stringify(await exportJWK(keys.privateKey))
          : pem.replaceAll('\n', '\\n'),
      };
      await serve({ preferences: { credential } });
      expect(await replyTo(write(await askForWord(await asBob())))).to.match(/^WhatsApp is on/);
      expect(isOn()).to.equal(true);
      expect(writes()).to.have.length(1);
      expect(writes()[0]).to.match(requireDpop ? /^DPoP / : /^Bearer /);
      // One token serves them all.
      const asked = okta.requests.filter(({ path }) => path === '/oauth2/v1/token');
      expect(asked).to.have.length(requireDpop ? 3 : 1);
      okta.revokeTokens();
      await (await asBob()).get('/preferences').expect(503);
      await (await asBob()).get('/preferences').expect(200);
    });
  }

  it('takes a word once, within ten minutes, the last one that was shown, over WhatsApp only', async () => {
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
    expect(await pageOf(bob, '/preferences?waiting')).to.match(/role="alert">The word ran out/);
    expect(await pageOf(bob)).to.not.match(/role="alert"/);
    expect(isOn()).to.equal(undefined);

    const good = await askForWord(bob);
    now += 10 * MINUTE_MS - 1;
    expect(await replyTo(write(good))).to.match(/is on/);
    await choose(bob, 'sms');
    expect(await replyTo(write(good))).not.to.match(/is on/);
    expect(isOn()).to.equal(false);
  });

  it('takes no word from another number, and the right one still may come', async () => {
    const bob = await asBob();
    const word = await askForWord(bob);
    const reply = await replyTo(write(word, ANA.phone));
    expect(reply).to.equal(await replyTo(write('Hello?', BOB.phone)));
    expect(isOn()).to.equal(undefined);
    expect(await replyTo(write(word))).to.match(/is on/);
  });

  it('says what to do where WhatsApp hides the number, and takes the word as a reply', async () => {
    const bob = await asBob();
    const word = await askForWord(bob);
    expect(await pageOf(bob, '/preferences?waiting')).to.match(/send the word as a reply to a message/);
    const hidden = {
      ...({ channel: 'whatsapp', from: BOB.phone, url: `${publicUrl}/twilio/inbound` } as const),
      ...{ externalUserId: 'US.13491208655302741918', isNumberHidden: true },
    };
    const sent = await replyTo(twilio.receive({ ...hidden, body: word }));
    expect(sent).to.match(/does not show us your number/);
    expect(await replyTo(twilio.receive({ ...hidden, body: '0000-0000' }))).to.equal(sent);
    expect(await replyTo(twilio.receive({ ...hidden, body: 'Hello?' }))).to.not.match(/does not show/);
    expect(isOn()).to.equal(undefined);
    okta.updateUser(BOB.id, { whatsAppOptIn: true });
    await nextCodeBy();
    okta.updateUser(BOB.id, { whatsAppOptIn: undefined });
    const { sid = '', channel } = twilio.messages.at(-1) ?? {};
    expect(channel).to.equal('whatsapp');
    expect(await replyTo(twilio.receive({ ...hidden, body: word, repliesTo: sid }))).to.match(/is on/);
  });

  it('takes no word of a number that the user does not have any more', async () => {
    const bob = await asBob();
    const word = await askForWord(bob);
    okta.updateUser(BOB.id, { mobilePhone: '+12025550199' });
    expect(await pageOf(bob))
      .to.match(/by <strong>SMS/)
      .and.not.include(word);
    expect(await replyTo(write(word))).not.to.match(/is on/);
    expect(isOn()).to.equal(undefined);
  });

  it('hears no more words from a number that tries them', async () => {
    const bob = await asBob();
    const word = await askForWord(bob);
    for (const end of '01234') await write(`AAAA-AAA${end}`);
    expect(await replyTo(write(word))).not.to.match(/is on/);
    expect(isOn()).to.equal(undefined);
    // What is no word is no attempt, and a while later it is heard again.
    now += 10 * MINUTE_MS;
    const next = await askForWord(bob);
    for (const chat of ['Hi', 'is this', 'the right number', 'for', 'my', 'word?']) await write(chat);
    expect(await replyTo(write(next))).to.match(/is on/);
  });

  it('knows the number as WhatsApp writes it', async () => {
    const numbers = [
      ['+52 55 1234 5678', '+5215512345678'],
      ['+54 11 1234-5678', '+5491112345678'],
      ['+55 31 98765-4321', '+553187654321'],
      // São Paulo's keep the ninth digit.
      ['+55 11 98765-4321', '+5511987654321'],
    ];
    for (const [dialled = '', written = ''] of numbers) {
      mustNotShow(dialled, written);
      okta.updateUser(BOB.id, { mobilePhone: dialled, whatsAppOptIn: false });
      twilio.joinSandbox(written);
      expect(await replyTo(write(await askForWord(await asBob()), written)), written).to.match(/is on/);
    }
  });

  it('keeps what was agreed to: on the page its own, in the log by user id, never a number', async () => {
    const bob = await asBob();
    const ana = await logIn('ana', PASSWORDS.ana);
    await write(await askForWord(bob));
    await choose(bob, 'sms');
    const lines = log.filter(({ message }) => message === 'A user changed how codes come');
    const textVersion = lines[0]?.fields['textVersion'];
    const at = new Date(now).toISOString();
    expect(textVersion).to.match(/^[0-9a-f]{12}$/);
    expect(lines.map(({ fields }) => fields)).to.deep.equal([
      { userId: BOB.id, consent: 'given', textVersion, how: { by: 'word', numberEnding: '42' }, at },
      { userId: BOB.id, consent: 'withdrawn', textVersion, how: { by: 'page' }, at },
    ]);
    expect(await pageOf(ana)).to.match(/Nothing on this page so far/);
    // Off again what is off already: nothing was withdrawn.
    await choose(bob, 'sms');
    expect(log.filter(({ message }) => message === 'A user changed how codes come')).to.have.length(2);
  });

  it('shows a word to nobody but the user whose it is', async () => {
    const word = await askForWord(await asBob());
    const ana = await logIn('ana', PASSWORDS.ana);
    okta.updateUser(ANA.id, { whatsAppOptIn: false });
    expect(await pageOf(ana, '/preferences?waiting')).to.not.include(word);
    // In another browser of the same user it is there.
    expect(await pageOf(await asBob())).to.include(word);
    await choose(ana, 'sms');
    expect(await replyTo(write(word))).to.match(/is on/);
    expect(okta.users.find(({ id }) => id === ANA.id)?.profile).to.include({ whatsAppOptIn: false });
  });

  it('leads to the login whoever is not logged in, and shows nothing to who is nobody at Okta', async () => {
    await supertest(server).get('/preferences').expect(303).expect('Location', '/login');
    await supertest(server).post('/preferences').send('channel=sms').expect(303).expect('Location', '/login');
    const nobody = await logIn('nobody', PASSWORDS.bob);
    await nobody.get('/preferences').expect(403, /nobody at Okta/);
    await nobody.post('/preferences').type('form').send({ channel: 'sms' }).expect(403);
    expect(okta.requests).to.deep.equal([]);
  });

  it('takes no form of another site, of another session or for another text', async () => {
    okta.updateUser(BOB.id, { whatsAppOptIn: true });
    const bob = await asBob();
    const ana = await logIn('ana', PASSWORDS.ana);
    const csrfToken = csrfTokenIn(await pageOf(bob));
    const post = (form: object) => bob.post('/preferences').type('form').send(form);
    await post({ channel: 'sms' }).set('Origin', 'https://evil.example').expect(403);
    await post({ channel: 'sms', csrfToken: csrfTokenIn(await pageOf(ana)) }).expect(403);
    await post({ channel: 'voice', csrfToken }).expect(400);
    await post({ csrfToken }).expect(400);
    await post({ channel: 'whatsapp', csrfToken, textVersion: 'an-old-one' }).expect(409, /text has changed/);
    expect(isOn()).to.equal(true);
    expect(writes()).to.deep.equal([]);
  });

  it('offers no word to who has no number that a word could come from', async () => {
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

  it('says so when Okta cannot be asked, and takes the word again', async () => {
    const bob = await asBob();
    const word = await askForWord(bob);
    okta.fault({ kind: 'status', status: 500, body: { errorSummary: BOB.login } });
    const { text } = await bob.get('/preferences').expect(503, /cannot be asked at the moment/);
    witness(text);
    expect(await replyTo(write(word))).to.match(/could not be saved/);
    okta.clearFaults();
    okta.fault({ fault: { kind: 'html', status: 502 }, match: ({ method }) => method === 'POST', times: 1 });
    expect(await replyTo(write(word))).to.match(/could not be saved/);
    expect(isOn()).to.equal(undefined);
    expect(await replyTo(write(word))).to.match(/is on/);
    expect(log.map(({ message }) => message)).to.include('WhatsApp could not be turned on');
  });

  it('hands on what is none of its words, and whatever comes where there is no page', async () => {
    const word = await askForWord(await asBob());
    await write('Where is my code?');
    await write(word);
    expect(others.map(({ text }) => text)).to.deep.equal(['Where is my code?']);
    await serve({ preferences: undefined });
    await write(word);
    expect(others).to.have.length(2);
  });

  it('is not there without its credential', async () => {
    await serve({ preferences: undefined });
    const bob = await asBob();
    await bob.get('/preferences').expect(404);
    const { text } = await bob.get('/account').expect(200);
    expect(text).not.to.include('preferences');
  });

  it('refuses a hook to which no word could come', async () => {
    const { publicUrl: _url, sandboxNumber: _number, ...hook } = hookOptions();
    try {
      await serve({ hook });
      expect.fail('it was taken');
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      expect(error.problems.join('\n')).to.match(/publicUrl is missing[\s\S]*sandboxNumber or/);
    }
  });
});
