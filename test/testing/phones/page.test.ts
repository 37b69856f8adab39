import { once } from 'node:events';
import { Agent, createServer, request, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import express from 'express';
// @ts-expect-error -- the alias of Express 4 brings no types
import untypedExpress4 from 'express4';
import { oktaTelephonyHook, type HookEvent, type TelephonyHook } from '#lib/index.js';
import {
  createPhonesPage,
  startDemoOrg,
  type DemoOrg,
  type PhonesPage,
  type PhonesPageOptions,
} from '#lib/testing/demo.js';
import type { PersonView, PhonesState } from '#lib/testing/phones/api.js';
import { Phones } from '#lib/testing/server/phones.js';
import { until } from '#harness/until.js';

const ANA = '00uana0silveira00001';
const BOB = '00ubob0montgomery001';
const CHLOE = '00uchloe0laurent0001';

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

describe('createPhonesPage', () => {
  let org: DemoOrg;
  let hook: TelephonyHook;
  let page: PhonesPage;
  let server: Server;
  let port: number;
  const events: HookEvent[] = [];
  /** The phones as another provider reaches them. */
  let byVonage: Phones;

  /** Sends a request with any headers. fetch does not allow all of them, such as Host. */
  const ask = async (
    method: string,
    path: string,
    { headers = {}, body }: { headers?: Record<string, string>; body?: string } = {},
  ): Promise<Answer> => {
    const asking = request({ host: '127.0.0.1', port, method, path, agent: false, headers });
    asking.end(body);
    const [answer] = (await once(asking, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of answer.setEncoding('utf8')) text += String(chunk);
    return { status: answer.statusCode ?? 0, headers: answer.headers, text };
  };
  const own = (): Record<string, string> => ({
    'content-type': 'application/json',
    'sec-fetch-site': 'same-origin',
  });
  const post = async (name: string, body: object): Promise<Answer> =>
    ask('POST', `/phones/api/${name}`, { headers: own(), body: JSON.stringify(body) });
  const state = async (): Promise<PhonesState> =>
    JSON.parse((await ask('GET', '/phones/api/state')).text) as PhonesState;
  const person = async (id: string): Promise<PersonView> =>
    (await state()).people.find((one) => one.id === id)!;
  const signIn = async (userId: string, more: object = {}): Promise<PersonView> => {
    const question = { userId, requestType: 'mfa-verification', by: 'sms', ...more };
    expect((await post('sign-in', question)).status).to.equal(200);
    return person(userId);
  };

  const start = async (
    mount: (handler: PhonesPage) => Parameters<typeof createServer>[1],
    options: Pick<PhonesPageOptions, 'insecureRemoteAccess'> = {},
  ): Promise<void> => {
    page = createPhonesPage({
      okta: org.okta,
      twilio: org.twilio,
      emulators: { Vonage: byVonage },
      links: [{ title: 'Console', href: '/admin' }],
      // The hook is created after the page.
      hook: { suppressions: (number) => hook.suppressions(number) },
      ...options,
    });
    server = createServer(mount(page)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  };
  const startInGateway = async (): Promise<void> => {
    const app = express();
    await start((phones) => app.use('/phones', phones));
    const url = `http://127.0.0.1:${port}/okta/telephony`;
    const silent = (): undefined => undefined;
    hook = oktaTelephonyHook({
      ...org.hookOptions(url),
      // Each code shows the fault of its switch.
      resend: { nextRoute: false },
      logger: { info: silent, warn: silent, error: silent },
      onEvent: (event) => events.push(event),
    });
    app.use(hook);
    await org.connectHook(url);
  };

  beforeEach(async () => {
    events.length = 0;
    org = await startDemoOrg();
    byVonage = new Phones();
  });
  afterEach(async () => {
    page.close();
    server.closeAllConnections();
    server.close();
    await org.close();
  });

  describe('with a gateway', () => {
    beforeEach(startInGateway);
    afterEach(async () => {
      // Before the hook: its close() waits for requests that hang at an emulator.
      await org.close();
      await hook.close();
    });

    it('shows a sign-in and an entered code that did not come from the page', async () => {
      const { otpCode } = await org.okta.callHook({ userId: ANA, deliveryChannel: 'VOICE_CALL' });
      const { signIn: shown } = await person(ANA);
      expect(shown?.attempts.map(({ channel }) => channel)).to.deep.equal(['voice']);
      expect(shown?.answer).to.include({ action: 'sent' });
      await org.okta.enterCode(ANA, otpCode);
      expect((await person(ANA)).signIn?.entered).to.deep.equal({ isReported: true });
    });

    it('takes STOP, the join words and START from a phone, shows the replies and switches the channel', async () => {
      await post('write', { userId: ANA, channel: 'whatsapp', text: 'Hello?' });
      const [question, reply] = (await person(ANA)).items;
      expect(question).to.include({ isOwn: true, text: 'Hello?', channel: 'whatsapp' });
      expect(reply).to.include({ isOwn: false, channel: 'whatsapp' });
      await post('write', { userId: ANA, channel: 'whatsapp', text: 'STOP' });
      expect((await person(ANA)).isInSandbox).to.equal(false);
      expect((await person(ANA)).items.map(({ text }) => text).join(' ')).to.match(
        /left the sandbox\. Send join amber-lake .*“join …” words of the sandbox, then START/,
      );
      await until(async () => (await person(ANA)).suppressions[0]?.reason === 'stopped');
      // The hook's own end differs by a millisecond from read to read, which is no change of the page.
      expect(((await person(ANA)).suppressions[0]?.until ?? 1) % 1000).to.equal(0);
      expect((await signIn(ANA)).items.at(-1)?.channel).to.equal('sms');
      const { sandbox } = JSON.parse((await ask('GET', '/phones/api/about')).text) as {
        sandbox: { joinWords: string; link: string; qrCode: string[] };
      };
      expect(sandbox.link).to.equal('https://wa.me/14155238886?text=join%20amber-lake');
      expect(sandbox.qrCode.every((row) => row.length === sandbox.qrCode.length)).to.equal(true);
      for (const text of [sandbox.joinWords, 'START']) {
        await post('write', { userId: ANA, channel: 'whatsapp', text });
      }
      await until(async () => (await person(ANA)).suppressions.length === 0);
      expect((await signIn(ANA)).items.at(-1)?.channel).to.equal('whatsapp');
    });

    it("sends Okta's text in the language of each person", async () => {
      expect((await signIn(CHLOE)).items.at(-1)?.text).to.match(/^Votre code est \d{6}$/);
      expect((await signIn(BOB)).items.at(-1)?.text).to.match(/^Your code is \d{6}$/);
    });

    it('posts a read receipt for a WhatsApp message, and answers 404 for an unknown SID', async () => {
      const { items } = await signIn(ANA);
      expect((await post('read', { sid: items.at(-1)?.sid })).status).to.equal(200);
      expect((await person(ANA)).items.at(-1)?.status).to.equal('read');
      await until(() => org.twilio.callbacks.some(({ params }) => params['EventType'] === 'READ'));
      expect((await post('read', { sid: 'SM0' })).status).to.equal(404);
    });

    it('causes the fault of each switch while it is on, and turns it off again', async () => {
      const set = (id: string, isOn: boolean): Promise<Answer> => post('fault', { id, isOn });
      const outcomes: Record<string, unknown> = {};
      const ids = (await state()).faults.map(({ id }) => id);
      // Last, because the hook makes no requests to Okta for a while after a 429.
      ids.push(...ids.splice(ids.indexOf('okta-rate-limit'), 1));
      for (const id of ids) {
        await set(id, true);
        const { signIn: made } = await signIn(id === 'sms-undelivered' || id === 'landline' ? BOB : ANA);
        const sent = made?.attempts
          .map(({ channel, status, errorCode }) =>
            status === 'refused' ? `${channel} refused ${String(errorCode)}` : channel,
          )
          .join(', ');
        outcomes[id] = `${made?.answer?.action ?? ''}: ${sent ?? ''}`;
        expect((await state()).faults.filter(({ isOn }) => isOn)).to.have.length(1);
        await set(id, false);
        if (id === 'whatsapp-undelivered' || id === 'template-paused') {
          // The SMS that follows later would count for the next switch.
          await until(async () => (await person(ANA)).signIn?.attempts.length === 2);
          await post('write', { userId: ANA, channel: 'whatsapp', text: 'START' });
        }
      }
      expect(outcomes).to.deep.equal({
        // The hook has no cached profile yet.
        'okta-slow': 'sent: sms',
        'okta-failing': 'sent: sms',
        'codes-run-out': 'sent: whatsapp',
        'whatsapp-refused': 'sent: whatsapp refused 63007, sms',
        'whatsapp-undelivered': 'sent: whatsapp',
        'template-paused': 'sent: whatsapp',
        landline: 'error: sms refused 21635',
        'sms-undelivered': 'sent: sms',
        'twilio-down': 'error: whatsapp refused 20503, sms refused 20503',
        'twilio-hangs': 'pending: ',
        'twilio-silent': 'pending: whatsapp',
        'connections-reset': 'pending: ',
        'callbacks-missing': 'sent: whatsapp',
        'callbacks-late': 'sent: whatsapp',
        'callbacks-reversed': 'sent: whatsapp',
        'callbacks-twice': 'sent: whatsapp',
        // The profile of Ana is cached by now.
        'okta-rate-limit': 'sent: whatsapp',
      });
    }).timeout(60_000);

    for (const [id, posted] of [
      ['callbacks-reversed', ['delivered', 'sent']],
      ['callbacks-twice', ['sent', 'sent', 'delivered', 'delivered']],
    ] as const) {
      it(`posts ${posted.join(', ')} with ${id} on, and the hook reports each status once`, async () => {
        await post('fault', { id, isOn: true });
        await signIn(BOB);
        await until(() => org.twilio.callbacks.length === posted.length);
        await until(() => org.twilio.callbacks.every(({ httpStatus }) => httpStatus === 204));
        const statuses = org.twilio.callbacks.map(({ params }) => params['MessageStatus']);
        expect(statuses).to.deep.equal(posted);
        const reported = events.filter(({ type }) => type === 'message.reported');
        expect(reported).to.have.lengthOf(2);
      });
    }

    it('shows the messages of another provider on the same phones, at once', async () => {
      const stream = request({ port, host: '127.0.0.1', path: '/phones/api/stream', agent: false }).end();
      const [answer] = (await once(stream, 'response')) as [IncomingMessage];
      let streamed = '';
      answer.setEncoding('utf8').on('data', (text: string) => (streamed += text));
      await until(() => /^event: state$/m.test(streamed));
      const { phone } = await person(BOB);
      await signIn(BOB);
      byVonage.deliver(phone, { channel: 'sms', text: 'Code by Vonage', at: Date.now() + 1, sid: 'v-1' });
      await until(() => streamed.includes('Code by Vonage'));
      stream.destroy();
      const { items } = await person(BOB);
      expect(items.map((item) => item.with)).to.deep.equal([org.twilio.smsNumber, 'Vonage']);
      expect(items[1]).to.include({ sid: 'v-1', channel: 'sms', isOwn: false, text: 'Code by Vonage' });
      expect((await person(ANA)).items).to.deep.equal([]);
    });

    it('makes a code expire after 15 seconds with codes-run-out on', async () => {
      await post('fault', { id: 'codes-run-out', isOn: true });
      const before = Date.now();
      const { signIn: made } = await signIn(BOB);
      expect(made?.expiresAt).to.be.within(before + 15_000, Date.now() + 15_000);
    });

    it('turns every switch off to play the bad day, and stops it when somebody turns a switch on', async () => {
      await post('fault', { id: 'twilio-down', isOn: true });
      await post('bad-day', { isOn: true });
      expect((await state()).badDay).to.include({ isPlaying: true, current: 'all-well' });
      expect((await state()).faults.some(({ isOn }) => isOn)).to.equal(false);
      await post('fault', { id: 'twilio-down', isOn: true });
      expect((await state()).badDay.isPlaying).to.equal(false);
      const heard: string[] = [];
      const day = page.playBadDay(({ name }) => heard.push(name), Number.POSITIVE_INFINITY);
      day.next();
      expect((await state()).badDay.current).to.equal('okta-slow');
      await post('bad-day', { isOn: false });
      expect(heard).to.deep.equal(['all-well', 'okta-slow']);
      expect((await state()).badDay.isPlaying).to.equal(false);
    });

    it('lets everybody sign in and enter codes while the bad day is played, and ends by itself', async () => {
      const entered = new Set<string>();
      org.okta.onCodeEntered((userId, { problem }) => {
        if (problem === undefined) entered.add(userId);
      });
      const isEverybodyServed = (): boolean => {
        const numbers = new Set(org.twilio.messages.map(({ to }) => to));
        return numbers.size === org.people.length && org.twilio.calls.length > 0 && entered.size > 0;
      };
      // On a busy machine a short day may end before everybody has had a turn.
      for (let phaseMs = 240; !isEverybodyServed(); phaseMs *= 2) {
        expect(await page.playBadDay(undefined, phaseMs).done).to.have.length(8);
        expect((await state()).badDay.isPlaying).to.equal(false);
      }
    });

    it('streams deliveries and changes in Okta to an open page until close()', async () => {
      const stream = request({ port, host: '127.0.0.1', path: '/phones/api/stream', agent: false }).end();
      const [answer] = (await once(stream, 'response')) as [IncomingMessage];
      expect(answer.headers).to.include({ 'content-type': 'text/event-stream; charset=utf-8' });
      let streamed = '';
      answer.setEncoding('utf8').on('data', (text: string) => (streamed += text));
      await until(() => /^event: state$/m.test(streamed));
      const call = await org.okta.callHook({ userId: ANA });
      await until(() => streamed.includes(call.otpCode));
      // The emulator has no event for a delivery, so the page polls.
      await until(() => /"status":"delivered"/.test(streamed));
      // Nor for a profile that changes in Okta.
      org.okta.updateUser(BOB, { whatsAppOptIn: true });
      await until(
        () =>
          streamed.split('"hasOptedIn":true').length > 3 &&
          /"id":"00ubob[^}]*"hasOptedIn":true/.test(streamed),
      );
      page.close();
      await once(answer, 'end');
    });
  });

  describe('without a gateway', () => {
    it('answers 409 to a sign-in without an active hook', async () => {
      await start((phones) => express().use('/phones', phones));
      const { status, text } = await post('sign-in', {
        userId: ANA,
        requestType: 'mfa-verification',
        by: 'sms',
      });
      expect(status).to.equal(409);
      expect(text).to.match(/no active telephony hook/);
      expect((await person(ANA)).signIn).to.equal(undefined);
      // Without a webhook only Twilio itself replies.
      expect((await post('write', { userId: BOB, channel: 'sms', text: 'HELP' })).status).to.equal(200);
    });

    it('answers 403 to writes from another site and to any request with a foreign Host header', async () => {
      await start((phones) => express().use('/phones', phones));
      const body = JSON.stringify({ userId: BOB, hasOptedIn: true });
      const json = { 'content-type': 'application/json' };
      const host = `127.0.0.1:${port}`;
      // The console's tests have every kind of origin.
      const refused: Record<string, string>[] = [
        json,
        { ...json, 'sec-fetch-site': 'cross-site', origin: `http://${host}` },
        { ...json, origin: 'http://evil.example' },
        { 'content-type': 'text/plain', 'sec-fetch-site': 'same-origin' },
        { 'content-type': 'application/json-patch', 'sec-fetch-site': 'same-origin' },
        { ...own(), host: 'evil.example' },
        { ...own(), host: `127.0.0.1.evil.example:${port}` },
      ];
      for (const headers of refused) {
        const { status } = await ask('POST', '/phones/api/opt-in', { headers, body });
        expect(status, JSON.stringify(headers)).to.equal(403);
      }
      expect((await person(BOB)).hasOptedIn).to.equal(false);
      for (const headers of [
        own(),
        { ...json, origin: `http://${host}` },
        { ...own(), host: `localhost:${port}` },
      ]) {
        expect((await ask('POST', '/phones/api/opt-in', { headers, body })).status).to.equal(200);
      }
      for (const path of ['/phones/', '/phones/api/state', '/phones/api/stream', '/phones/assets/main.css']) {
        expect((await ask('GET', path, { headers: { host: 'evil.example' } })).status).to.equal(403);
        const { status } = await ask('GET', path, { headers: { 'sec-fetch-site': 'cross-site' } });
        // A link on another site may open the page.
        if (path === '/phones/') expect(status).to.equal(200);
        else expect(status, path).to.equal(403);
      }
    });

    it('answers other machines only with insecureRemoteAccess, and never for a foreign Host header', async () => {
      let from: string | undefined;
      const mount =
        (phones: PhonesPage): Parameters<typeof createServer>[1] =>
        (req, res) => {
          // Only this machine can send a request here, so the test sets the address.
          Object.defineProperty(req.socket, 'remoteAddress', { value: from });
          phones(req, res);
        };
      const body = JSON.stringify({ userId: BOB, hasOptedIn: true });
      const asked = async (headers: Record<string, string> = {}): Promise<number[]> => [
        (await ask('GET', '/', { headers })).status,
        (await ask('GET', '/api/state', { headers })).status,
        (await ask('GET', '/assets/main.css', { headers })).status,
        (await ask('POST', '/api/opt-in', { headers: { ...own(), ...headers }, body })).status,
      ];
      await start(mount);
      for (from of ['192.0.2.7', '::ffff:192.0.2.7', '2001:db8::1', '::ffff:1.127.0.1', undefined]) {
        expect(await asked(), from).to.deep.equal([403, 403, 403, 403]);
      }
      expect(org.okta.users[1]?.profile['whatsAppOptIn']).to.not.equal(true);
      for (from of ['127.0.0.1', '127.8.9.1', '::ffff:127.0.0.1', '::1']) {
        expect(await asked(), from).to.deep.equal([200, 200, 200, 200]);
      }
      expect((await ask('GET', '/')).text).to.include('Nothing leaves this machine.');
      page.close();
      server.close();

      await start(mount, { insecureRemoteAccess: true });
      from = '192.0.2.7';
      expect(await asked()).to.deep.equal([200, 200, 200, 200]);
      expect(await asked({ host: 'evil.example' })).to.deep.equal([403, 403, 403, 403]);
      expect((await ask('GET', '/')).text)
        .to.include('Whoever reaches this address sees the codes.')
        .and.not.include('Nothing leaves this machine');
    });

    it("reads Twilio's messages once for each request of the state, however many people there are", async () => {
      let reads = 0;
      const { messages } = org.twilio;
      const twilio: DemoOrg['twilio'] = {
        ...org.twilio,
        get messages() {
          reads += 1;
          return messages;
        },
      };
      org = { ...org, twilio };
      await start((phones) => express().use('/phones', phones));
      const readsOfState = async (): Promise<number> => {
        reads = 0;
        await state();
        return reads;
      };
      expect(await readsOfState()).to.equal(1);
      for (let n = 10; n < 40; n += 1) {
        const profile = { mobilePhone: `+4477009009${n}` };
        org.okta.addUser({ login: `user${n}@example.com`, profile });
      }
      expect((await state()).people).to.have.length(33);
      expect(await readsOfState()).to.equal(1);
    });

    it('answers a HEAD request for the stream at once, and serves the next request on its connection', async () => {
      await start((phones) => express().use('/phones', phones));
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const from = async (method: string, path: string): Promise<IncomingMessage> => {
        const asking = request({ host: '127.0.0.1', port, method, path: `/phones/api/${path}`, agent }).end();
        const [answer] = (await once(asking, 'response')) as [IncomingMessage];
        answer.resume();
        return answer;
      };
      try {
        const head = await from('HEAD', 'stream');
        expect(head.statusCode).to.equal(200);
        expect(head.headers['content-type']).to.match(/^text\/event-stream/);
        expect((await from('GET', 'about')).statusCode).to.equal(200);
        expect((await from('GET', 'stream')).statusCode).to.equal(200);
      } finally {
        agent.destroy();
      }
    });

    it('answers 400 or 404 to requests that its page does not make, and names the allowed methods', async () => {
      await start((phones) => express().use('/phones', phones));
      const wrong: [string, object][] = [
        ['sign-in', { userId: 'nobody', requestType: 'mfa-verification', by: 'sms' }],
        ['sign-in', { userId: ANA, requestType: 'mfa-verification', by: 'pigeon' }],
        ['sign-in', { userId: ANA, requestType: 'x.y', by: 'sms' }],
        ['code', { userId: ANA, code: 42 }],
        ['code', { userId: ANA, code: '1'.repeat(21) }],
        ['write', { userId: ANA, channel: 'voice', text: 'x' }],
        ['write', { userId: ANA, channel: 'sms', text: 'x'.repeat(1601) }],
        ['opt-in', { userId: ANA, hasOptedIn: 'yes' }],
        ['fault', { id: 'no-such-fault', isOn: true }],
        ['fault', { id: 'twilio-down' }],
        ['bad-day', {}],
      ];
      for (const [name, body] of wrong) expect((await post(name, body)).status, name).to.equal(400);
      const send = (body: string): Promise<Answer> =>
        ask('POST', '/phones/api/fault', { headers: own(), body });
      expect((await send('{')).status).to.equal(400);
      expect((await send(JSON.stringify({ id: 'x'.repeat(70_000) }))).status).to.equal(400);
      expect((await ask('GET', '/phones/api/fault')).headers['allow']).to.equal('POST');
      expect((await ask('PUT', '/phones/api/state')).headers['allow']).to.equal('GET, HEAD');
      expect((await ask('GET', '/phones/api/nothing')).status).to.equal(404);
      expect((await ask('GET', '/phones/assets/../index.js')).status).to.equal(404);
    });

    it('works under a path of Express 4 after a body parser, and at the root of a plain Node.js server', async () => {
      const app4 = (untypedExpress4 as typeof express)();
      app4.use(express.json());
      app4.use('/some/where', (req, res, next) => {
        page(req, res, next);
      });
      app4.use((_req, res) => {
        res.status(418).end();
      });
      await start(() => app4);
      const { status, headers } = await ask('GET', '/some/where?text=a');
      expect([status, headers.location]).to.deep.equal([308, './where/?text=a']);
      expect((await ask('GET', '/some/where/')).headers['content-security-policy']).to.match(
        /default-src 'none'/,
      );
      expect((await ask('GET', '/some/where/elsewhere')).status).to.equal(418);
      const body = JSON.stringify({ id: 'landline', isOn: true });
      expect((await ask('POST', '/some/where/api/fault', { headers: own(), body })).status).to.equal(200);
      server.close();

      await start((phones) => (req, res) => {
        phones(req, res);
      });
      expect((await ask('GET', '/')).text)
        .to.match(/<h1>Phones/)
        .and.include('<a href="/admin">Console</a>');
      const script = await ask('GET', '/assets/main.js');
      expect(script.headers['content-type']).to.match(/^text\/javascript/);
      expect((await ask('GET', '/elsewhere')).status).to.equal(404);
      const fromOtherSite = { headers: { 'sec-fetch-site': 'cross-site' } };
      expect((await ask('GET', '/?text=a', fromOtherSite)).status).to.equal(200);
      expect((await ask('GET', '/api/state', fromOtherSite)).status).to.equal(403);
    });
  });
});
