import { expect } from 'chai';
import sinon from 'sinon';
import type { StatePort } from '#lib/delivery/state.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import type { ConnectedChannel, HookEventOf, InboundOptions, Outcome } from '#lib/index.js';
import type { EmulatedInbound, InboundMessage } from '#lib/testing/index.js';
import { beforeRecords, watchRecords } from '#harness/records.js';
import {
  ANA,
  BOB,
  causesOf,
  channelOf as channelIn,
  scenes,
  TO_BOB,
  type HookOptions,
  type Scene,
} from '#harness/scene.js';
import { passTime, stopTime, warmUp } from '#harness/stopped-time.js';
import { defer, held, until } from '#harness/until.js';
import { mustNotShow } from '#harness/witness.js';

describe('the inbound route', () => {
  let scene: Scene;
  let now: number;
  let clock: sinon.SinonFakeTimers | undefined;
  before(warmUp);
  afterEach(() => clock?.restore());
  const startScene = scenes();

  const start = async (inbound?: InboundOptions, hook: HookOptions = {}): Promise<void> => {
    now = Date.now();
    scene = await startScene({ hasCallbacks: true, hook: { clock: () => now, inbound, ...hook } });
  };
  const write = (body: string, message?: Partial<InboundMessage>): Promise<EmulatedInbound> =>
    scene.write(body, message);
  const channelOf = async (call?: Parameters<Scene['call']>[0]): Promise<string | undefined> =>
    channelIn(await scene.call(call));
  const answered = (): HookEventOf<'request.answered'> | undefined => scene.of('request.answered').at(-1);
  const received = (): HookEventOf<'inbound.received'>[] => scene.of('inbound.received');

  it('turns WhatsApp off for a number on STOP and on again on START, with a reply and a log line', async () => {
    await start();
    expect(await channelOf()).to.equal('whatsapp');
    // STOP also leaves Twilio's sandbox.
    const stop = await write('Stop.');
    expect(stop.answer).to.include({ status: 200, contentType: 'text/xml; charset=utf-8' });
    expect(stop.replies).to.deep.equal([
      'You will get no more codes by WhatsApp. To get them here again, send the “join …” words of the sandbox, then START.',
    ]);
    expect(await channelOf()).to.equal('sms');
    expect(answered()?.skipped).to.deep.equal([{ channel: 'whatsapp', reason: 'STOPPED' }]);
    scene.twilio.joinSandbox(ANA.phone);
    expect((await write('START')).replies).to.deep.equal(['You will get your codes by WhatsApp again.']);
    expect(await channelOf()).to.equal('whatsapp');
    expect(
      received().map(({ channel, keyword, fromEnding }) => [channel, keyword, fromEnding]),
    ).to.deep.equal([
      ['whatsapp', 'stop', '23'],
      ['whatsapp', 'start', '23'],
    ]);
    expect(
      scene.log.map(({ message }) => message).filter((line) => line.includes('A user sent')),
    ).to.deep.equal([
      'okta-telephony-hook: A user sent STOP by WhatsApp and gets no codes there.',
      'okta-telephony-hook: A user sent START by WhatsApp and gets codes there again.',
    ]);
  });

  it('makes suppressions() list STOP and failures of a number in any spelling of E.164, and reject others', async () => {
    await start();
    const { hook } = scene;
    expect(await hook.suppressions(ANA.phone)).to.deep.equal([]);
    await write('STOP');
    scene.twilio.joinSandbox(ANA.phone);
    // It ends by the hook's clock, whatever that says.
    now += 86_400_000;
    const yearLater = new Date(now + 365 * 86_400_000);
    const [stopped, ...others] = await hook.suppressions(ANA.phone);
    now -= 86_400_000;
    expect(stopped).to.include({ channel: 'whatsapp', reason: 'stopped' });
    expect(Math.abs((stopped?.until.getTime() ?? 0) - yearLater.getTime())).to.be.below(60_000);
    expect(others).to.deep.equal([]);
    expect(await hook.suppressions(ANA.phone.replace('+44', '+440'))).to.have.length(1);
    await write('START');
    expect(await hook.suppressions(ANA.phone)).to.deep.equal([]);
    // 63024: the number is not on WhatsApp.
    scene.twilio.refuseWith({ code: 63024, times: 1 });
    await scene.call();
    const unreachable = await hook.suppressions(ANA.phone);
    expect(unreachable.map(({ channel, reason }) => [channel, reason])).to.deep.equal([
      ['whatsapp', 'unreachable'],
    ]);
    for (const [number, why] of [
      [ANA.phone.slice(1), '; it does not begin with + and the country code'],
      [undefined, ''],
    ] as const) {
      const problem = await hook.suppressions(number as string).catch((error: unknown) => error);
      expect(problem)
        .to.be.instanceOf(TypeError)
        .with.property('message', `number: it must be a phone number in E.164, such as +14155550123${why}`);
    }
  });

  it('obeys the last of STOP and START even if the clock jumps', async () => {
    await start();
    await write('STOP');
    scene.twilio.joinSandbox(ANA.phone);
    now -= 3_600_000;
    await write('START');
    expect(await channelOf({ eventTime: new Date(now) })).to.equal('whatsapp');
    now += 7_200_000;
    await write('STOP');
    scene.twilio.joinSandbox(ANA.phone);
    now -= 400 * 86_400_000;
    expect(await channelOf({ eventTime: new Date(now) })).to.equal('sms');
    // A year later by the clock alone.
    now += 800 * 86_400_000;
    expect(await channelOf({ eventTime: new Date(now) })).to.equal('sms');
  });

  it('turns WhatsApp off for the sender of STOP only', async () => {
    await start();
    scene.okta.updateUser(BOB.id, { whatsAppOptIn: true });
    scene.twilio.joinSandbox(BOB.phone);
    await write('STOP', { from: BOB.phone });
    expect(await channelOf()).to.equal('whatsapp');
    expect(await channelOf(TO_BOB)).to.equal('sms');
  });

  it('never opts a user in by START or YES, and never writes to Okta', async () => {
    await start();
    scene.twilio.joinSandbox(BOB.phone);
    const asked = scene.okta.requests.length;
    await write('START', { from: BOB.phone });
    await write('YES', { from: BOB.phone });
    expect(await channelOf(TO_BOB)).to.equal('sms');
    const since = scene.okta.requests.slice(asked);
    expect(since.map(({ method }) => method)).to.deep.equal(['GET']);
  });

  it('reads STOP and START in each of its languages', async () => {
    await start();
    for (const [language, stop, start_] of [
      ['Spanish', 'Baja', 'ALTA'],
      ['French', 'arrêt', 'Début'],
      ['German', '«Stopp»', 'anmelden!'],
      ['Portuguese', 'SAIR', 'voltar'],
      ['Japanese', '停止', '再開'],
      ['Hindi', 'बंद', 'शुरू'],
      ['Arabic', 'إيقاف', 'ابدأ'],
    ] as const) {
      await write(stop);
      expect(received().at(-1)?.keyword, language).to.equal('stop');
      scene.twilio.joinSandbox(ANA.phone);
      await write(start_);
      expect(received().at(-1)?.keyword, language).to.equal('start');
    }
  });

  it('uses the keywords and the replies of its options', async () => {
    await start({
      keywords: { stop: ['no más'], start: [] },
      replies: { stop: 'Hecho.', help: false, other: 'Nadie lee esto.' },
    });
    // The first reply is the sandbox's own.
    expect((await write('STOP')).replies.slice(1)).to.deep.equal(['Nadie lee esto.']);
    scene.twilio.joinSandbox(ANA.phone);
    expect((await write('No más!')).replies).to.deep.equal(['Hecho.']);
    expect((await write('HELP')).replies).to.deep.equal([]);
    expect(await channelOf()).to.equal('sms');
  });

  it('names the keywords of Twilio in reply to another one by SMS, once in ten minutes, unless Twilio replied', async () => {
    await start({ keywords: { stop: ['HALT'] } });
    const from = { from: BOB.phone, channel: 'sms' } as const;
    expect((await write('halt', from)).replies[0]).to.match(/Send STOP/);
    expect((await write('AYUDA', from)).replies).to.deep.equal([]);
    now += 600_000;
    expect((await write('AYUDA', from)).replies[0]).to.match(/Send STOP/);
    // Advanced Opt-Out has answered it: the ten minutes are over.
    now += 600_000;
    expect((await write('HALT', { ...from, params: { OptOutType: 'STOP' } })).replies).to.deep.equal([]);
  });

  it('leaves STOP by SMS to Twilio, which replies and blocks the number until START', async () => {
    await start();
    const stop = await write('STOP', { from: BOB.phone, channel: 'sms' });
    expect(stop.replies).to.deep.equal(['You will get no more messages. Reply START to resubscribe.']);
    const { okta, httpStatus } = await scene.call(TO_BOB);
    expect({ action: okta.action, httpStatus }).to.deep.equal({ action: 'error', httpStatus: 200 });
    // The hook skips a channel that Twilio blocks only if the plan has another one. Here it has none.
    await write('START', { from: BOB.phone, channel: 'sms' });
    expect(await channelOf(TO_BOB)).to.equal('sms');
  });

  for (const [what, body, reply] of [
    ['to a keyword', 'HELP', /STOP/],
    [
      'to other texts, so that two machines do not write to each other for ever',
      'Who is this?',
      /nobody reads/,
    ],
  ] as const) {
    it(`sends the same reply once in ten minutes ${what}`, async () => {
      await start();
      expect((await write(body)).replies[0]).to.match(reply);
      expect((await write(body)).replies).to.be.empty;
      expect((await write('START')).replies).to.have.lengthOf(1);
      expect((await write(body)).replies).to.have.lengthOf(1);
      // A clock that is set back does not prolong them.
      for (const ms of [600_000, -3_600_000]) {
        now += ms;
        expect((await write(body)).replies, String(ms)).to.have.lengthOf(1);
        expect((await write(body)).replies).to.be.empty;
      }
    });
  }

  it('counts the ten minutes for each sender and channel', async () => {
    await start();
    scene.twilio.joinSandbox(BOB.phone);
    const rcs = { channel: 'sms', params: { From: `rcs:${ANA.phone}` } } as const;
    for (const message of [{}, { from: BOB.phone }, rcs]) {
      expect((await write('Who is this?', message)).answer?.body).to.match(/nobody reads/);
    }
  });

  it('gives a text without a keyword to onMessage, unmasked, and sends the reply that it returns', async () => {
    const seen: unknown[] = [];
    await start({
      onMessage: (message) => {
        seen.push(message);
        return message.text === 'MAPLE-71' ? 'WhatsApp is on.' : undefined;
      },
    });
    const { sid, replies } = await write('MAPLE-71');
    expect(replies).to.deep.equal(['WhatsApp is on.']);
    expect(seen).to.deep.equal([
      {
        ...{ messageId: sid, channel: 'whatsapp', from: ANA.phone, externalUserId: undefined },
        ...{ repliedTo: undefined, text: 'MAPLE-71', isHandled: false },
      },
    ]);
    await write('HELP');
    expect(seen).to.have.lengthOf(1);
    expect((await write('x')).replies).to.have.lengthOf(1);
  });

  it('lifts STOP if onMessage says that a message counts as START', async () => {
    await start({
      onMessage: ({ text }) => (text === 'MAPLE-71' ? { text: 'On.', isStart: true } : undefined),
    });
    await write('STOP');
    scene.twilio.joinSandbox(ANA.phone);
    expect(await channelOf()).to.equal('sms');
    await write('Hm?');
    expect(await channelOf()).to.equal('sms');
    expect((await write('MAPLE-71')).replies).to.deep.equal(['On.']);
    expect(await channelOf()).to.equal('whatsapp');
  });

  describe('if onMessage takes longer than a reply can wait', () => {
    /** Lets the usual reply go out. Resolves to a function that then settles onMessage. */
    const late = async (): Promise<(answer: { readonly isStart: boolean }) => void> => {
      const answer = held<{ readonly isStart: boolean }>();
      await start({ onMessage: answer.run });
      clock = stopTime();
      await write('STOP');
      scene.twilio.joinSandbox(ANA.phone);
      clock.tick(10);
      const writing = write('MAPLE-71');
      await answer.called;
      expect((await passTime(clock, writing, 3_000)).replies[0]).to.match(/nobody reads/);
      clock.restore();
      expect(scene.of('extension.failed')[0]).to.include({ extension: 'inbound', count: 1 });
      expect(await channelOf()).to.equal('sms');
      return answer.resolve;
    };

    it('lifts STOP later even if another user has sent STOP since', async () => {
      const answer = await late();
      scene.twilio.joinSandbox(BOB.phone);
      await write('STOP', { from: BOB.phone });
      answer({ isStart: true });
      await until(async () => (await channelOf()) === 'whatsapp');
    });

    it('keeps a STOP that came after the message', async () => {
      const answer = await late();
      await write('STOP');
      answer({ isStart: true });
      await new Promise(setImmediate);
      expect(await channelOf()).to.equal('sms');
    });
  });

  it('quotes nothing of a message in an error of onMessage: only its class and its code are known', async () => {
    mustNotShow('Daughter', 'daughter', 'maple-71');
    await start({
      onMessage: ({ text, from = '' }) => {
        const [, , , whom = '', , password = ''] = text.split(' ');
        const error = new RangeError(
          `cannot call ${whom} of ${from.slice(3)} with ${password.toLowerCase()}`,
        );
        throw Object.assign(error, { code: 'NO_CALL' });
      },
    });
    expect((await write('Please call my Daughter with Maple-71')).replies).to.have.lengthOf(1);
    expect(scene.of('extension.failed')[0]).to.include({ reason: 'onMessage threw RangeError (NO_CALL)' });
  });

  for (const [what, onMessage] of [
    [
      'throws',
      () => {
        throw new Error(`of ${ANA.phone}`);
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
  ] as const) {
    it(`sends the usual reply and reports the failed extension if onMessage ${what}`, async () => {
      await start({ onMessage });
      expect((await write('Hm?')).replies).to.have.lengthOf(1);
      expect(scene.of('extension.failed')[0]).to.include({ extension: 'inbound', count: 1 });
    });
  }

  describe('for a hidden number', () => {
    const ID = 'US.13491208655302741918';
    const HIDDEN = { externalUserId: ID, isNumberHidden: true } as const;
    const lastSid = (): string => scene.twilio.messages.at(-1)?.sid ?? '';

    it('stores STOP for the user id, and applies it to the number when one message has both', async () => {
      await start();
      expect((await write('STOP', HIDDEN)).replies.at(-1)).to.match(/Your number is hidden/);
      expect(received().at(-1)).to.include({ channel: 'whatsapp', keyword: 'stop', fromEnding: undefined });
      expect(await channelOf()).to.equal('whatsapp');
      scene.twilio.joinSandbox(ANA.phone);
      await write('Hello?', { externalUserId: ID });
      expect(await channelOf()).to.equal('sms');
      // From then on, the hook finds the number by the id.
      await write('START', HIDDEN);
      expect(await channelOf()).to.equal('whatsapp');
      await write('STOP', HIDDEN);
      expect(await channelOf()).to.equal('sms');
      expect(received().map(({ fromEnding }) => fromEnding)).to.deep.equal([undefined, '23', '23', '23']);
    });

    it('finds the number by the message of the hook that the user replies to', async () => {
      await start();
      await channelOf();
      await write('STOP', { ...HIDDEN, repliesTo: lastSid() });
      expect(await channelOf()).to.equal('sms');
      scene.twilio.joinSandbox(ANA.phone);
      const asked = scene.twilio.requests.length;
      await write('START', HIDDEN);
      expect(scene.twilio.requests).to.have.lengthOf(asked);
      expect(await channelOf()).to.equal('whatsapp');
    });

    it('finds the number by a delivery report that has number and id', async () => {
      await start();
      await write('STOP', HIDDEN);
      const params = {
        ...{ MessageSid: `SM${'2'.repeat(32)}`, MessageStatus: 'read' },
        ...{ From: 'whatsapp:+14155238886', To: `whatsapp:${ANA.phone}`, ExternalUserId: ID },
      };
      const url = `${scene.url}/twilio/status`;
      const { status } = await fetch(url, {
        method: 'POST',
        headers: { 'x-twilio-signature': scene.twilio.sign(url, params) },
        body: new URLSearchParams(params),
      });
      expect(status).to.equal(204);
      expect(await channelOf()).to.equal('sms');
    });

    it('does not apply an old STOP of the id after a newer START of the number', async () => {
      await start();
      await write('STOP', HIDDEN);
      scene.twilio.joinSandbox(ANA.phone);
      await write('START');
      await write('Hello?', { externalUserId: ID });
      expect(await channelOf()).to.equal('whatsapp');
    });

    it('gives onMessage the id, and the number if it is known', async () => {
      const seen: unknown[] = [];
      await start({
        onMessage: ({ from, externalUserId }) => {
          seen.push([from, externalUserId]);
          return undefined;
        },
      });
      await write('one', HIDDEN);
      await channelOf();
      // An unknown message, an inbound message and a failed request to Twilio give no number.
      await write('two', { ...HIDDEN, repliesTo: `SM${'9'.repeat(32)}` });
      const inbound = scene.twilio.received[0]?.sid ?? '';
      const body = { direction: 'inbound', to: `whatsapp:${scene.twilio.sandboxNumber}` };
      scene.twilio.fault({
        fault: { kind: 'status', status: 200, body },
        match: ({ path }) => path.includes(inbound),
      });
      await write('three', { ...HIDDEN, repliesTo: inbound });
      const sid = lastSid();
      scene.twilio.fault({ fault: { kind: 'status', status: 503 }, match: ({ path }) => path.includes(sid) });
      await write('four', { ...HIDDEN, repliesTo: sid });
      scene.twilio.clearFaults();
      await write('five', { ...HIDDEN, repliesTo: sid });
      await write('six', HIDDEN);
      expect(seen).to.deep.equal([
        ...[1, 2, 3, 4].map(() => [undefined, ID]),
        ...[5, 6].map(() => [ANA.phone, ID]),
      ]);
    });

    it('lifts STOP if onMessage says that a message counts as START', async () => {
      await start({ onMessage: () => ({ text: 'On.', isStart: true }) });
      await write('STOP', HIDDEN);
      scene.twilio.joinSandbox(ANA.phone);
      expect((await write('MAPLE-71', HIDDEN)).replies).to.deep.equal(['On.']);
      await write('STOP', { externalUserId: 'US.2' });
      scene.twilio.joinSandbox(ANA.phone);
      await write('MAPLE-71', { externalUserId: ID });
      expect(await channelOf()).to.equal('whatsapp');
    });
  });

  it('turns SMS off on STOP by RCS and on again on START, without a reply that Twilio may have sent', async () => {
    await start();
    scene.okta.updateUser(ANA.id, { whatsAppOptIn: false });
    const rcs = { channel: 'sms', params: { From: `rcs:${ANA.phone}` } } as const;
    expect((await write('Hello?', rcs)).answer?.body).to.match(/nobody reads/);
    // As by SMS, a keyword that Twilio does not know turns nothing off.
    expect((await write('BAJA', rcs)).answer?.body).to.match(/Send STOP/);
    expect(await channelOf()).to.equal('sms');
    const stop = await write('STOP', { ...rcs, from: BOB.phone });
    expect(stop.answer?.body).to.match(/<Response\/>$/);
    expect(received().at(-1)).to.include({ channel: 'rcs', keyword: 'stop', fromEnding: '23' });
    expect(causesOf(await scene.call())).to.deep.equal(['STOPPED']);
    await write('START', { ...rcs, from: BOB.phone });
    expect(await channelOf()).to.equal('sms');
  });

  describe('with Advanced Opt-Out', () => {
    const APPROVED = '+447700900199';
    const RCS = { channel: 'rcs' } as const;
    const SMS = { channel: 'sms' } as const;

    beforeEach(async () => {
      scene = await startScene({
        twilio: { senders: [`whatsapp:${APPROVED}`] },
        hasCallbacks: true,
        hook: ({ twilio }) => ({
          sandboxNumber: undefined,
          senders: {
            whatsapp: { from: APPROVED, templates: { default: twilio.sandboxContentSid } },
            sms: twilio.smsNumber,
          },
        }),
      });
      scene.twilio.setAdvancedOptOut({ stop: ['BASTA'], start: ['Reanudar'], help: ['SOS'] });
    });
    /** Returns the replies of Twilio and of the hook. */
    const say = async (body: string, message: Partial<InboundMessage> = {}): Promise<readonly string[]> =>
      (await write(body, { ...(message.channel === undefined ? { to: APPROVED } : {}), ...message })).replies;
    const reasonOf = async (): Promise<string | undefined> => causesOf(await scene.call())[0];

    it('obeys the words that Twilio recognises on WhatsApp, and leaves the reply to Twilio', async () => {
      expect(await channelOf()).to.equal('whatsapp');
      expect(await say('Basta')).to.deep.equal(['You have opted out. Reply START to resubscribe.']);
      expect(await channelOf()).to.equal('sms');
      expect(answered()?.skipped).to.deep.equal([{ channel: 'whatsapp', reason: 'STOPPED' }]);
      expect(await say('SOS')).to.deep.equal(['Reply STOP to unsubscribe.']);
      expect(await channelOf()).to.equal('sms');
      expect(await say('REANUDAR')).to.deep.equal(['You have opted in again.']);
      expect(await channelOf()).to.equal('whatsapp');
    });

    it('also leaves the reply to words of its own to Twilio, and sends its reply to others', async () => {
      for (const body of ['STOP', 'HELP', 'START']) expect(await say(body)).to.have.lengthOf(1);
      // The hook knows this word, and Twilio does not.
      expect(await say('BAJA')).to.deep.equal([
        'You will get no more codes by WhatsApp. Send START to get them here again.',
      ]);
      expect((await say('Hello?'))[0]).to.match(/nobody reads/);
    });

    it('ends a STOP by RCS when the user opts in by a word of the org, by RCS or SMS', async () => {
      scene.okta.updateUser(ANA.id, { whatsAppOptIn: false });
      for (const message of [RCS, SMS]) {
        expect(await say('basta', RCS)).to.have.lengthOf(1);
        expect(await scene.hook.suppressions(ANA.phone)).to.have.lengthOf(1);
        expect(await reasonOf()).to.equal('STOPPED');
        expect(await say('reanudar', message)).to.have.lengthOf(1);
        expect(await channelOf()).to.equal('sms');
      }
    });

    it('reads what Twilio recognised before the text, and reports that Twilio has replied', async () => {
      for (const message of [{}, RCS, SMS]) {
        await say('BASTA', message);
        await say('SOS', message);
        await say('REANUDAR', message);
        // The word means something else to the hook.
        await say('STOP', { ...message, params: { OptOutType: 'START' } });
        await say('Hello?', message);
      }
      const seen = received().map(({ channel, keyword, isHandled }) => [channel, keyword, isHandled]);
      const keywords = ['stop', 'help', 'start', 'start', undefined];
      expect(seen).to.deep.equal(
        ['whatsapp', 'rcs', 'sms'].flatMap((channel) =>
          keywords.map((keyword) => [channel, keyword, keyword !== undefined]),
        ),
      );
      expect(await channelOf()).to.equal('whatsapp');
    });
  });

  it('takes a message at a URL with a query, as it is set at Twilio, and answers 403 for another query', async () => {
    await start();
    const query = '?tenant=acme&tag=a%20b+c&empty=&';
    const url = `${scene.url}/twilio/inbound${query}`;
    const stop = await write('STOP', { url });
    expect(stop.answer?.status).to.equal(200);
    expect(await channelOf()).to.equal('sms');
    const params = { ...stop.params, MessageSid: `SM${'3'.repeat(32)}` };
    for (const [other, status] of [
      [query, 200],
      ['', 403],
      ['?tenant=other', 403],
      [`${query}&more=1`, 403],
      [query.replace('%20', '+'), 403],
    ] as const) {
      const response = await fetch(`${scene.url}/twilio/inbound${other}`, {
        method: 'POST',
        headers: { 'x-twilio-signature': scene.twilio.sign(url, params) },
        body: new URLSearchParams(params),
      });
      expect(response.status, other).to.equal(status);
    }
  });

  describe('under attack', () => {
    const post = async (params: Record<string, string>, signature?: string): Promise<Response> => {
      const url = `${scene.url}/twilio/inbound`;
      return fetch(url, {
        method: 'POST',
        ...(signature === undefined ? {} : { headers: { 'x-twilio-signature': signature } }),
        body: new URLSearchParams(params),
      });
    };

    it('answers 403 to a message that is not signed, or signed for another text, number or route', async () => {
      await start();
      const stop = await write('hello');
      const forged = { ...stop.params, Body: 'STOP', MessageSid: `SM${'9'.repeat(32)}` };
      const elsewhere = scene.twilio.sign(`${scene.url}/twilio/status`, forged);
      for (const signature of [undefined, '', 'x', stop.signature, elsewhere]) {
        expect((await post(forged, signature)).status).to.equal(403);
      }
      expect((await post({ ...stop.params, From: `whatsapp:${BOB.phone}` }, stop.signature)).status).to.equal(
        403,
      );
      expect(await channelOf()).to.equal('whatsapp');
    });

    it('answers 403 if signed parameters are regrouped into other ones', async () => {
      await start();
      // The text contains the number of another user.
      const said = await write(`STOPFromwhatsapp:${ANA.phone}FromCityx`, { from: BOB.phone });
      const { Body: _, From: from = '', ...rest } = said.params;
      const forged = {
        ...rest,
        Body: 'STOP',
        From: `whatsapp:${ANA.phone}`,
        FromCity: `xFrom${from}`,
      };
      // Twilio's library accepts this signature.
      expect(scene.twilio.sign(`${scene.url}/twilio/inbound`, forged)).to.equal(said.signature);
      expect((await post(forged, said.signature)).status).to.equal(403);
      const silent = { ...rest, ApiVersion: `${rest['ApiVersion'] ?? ''}Body${said.body}`, From: from };
      expect((await post(silent, said.signature)).status).to.equal(403);
      expect(received()).to.deep.equal([]);
      expect(await channelOf()).to.equal('whatsapp');
    });

    it('ignores a replayed message and answers it with an empty reply', async () => {
      await start();
      const stop = await write('STOP');
      scene.twilio.joinSandbox(ANA.phone);
      await write('START');
      const again = await post(stop.params, stop.signature);
      expect([again.status, await again.text()]).to.deep.equal([
        200,
        '<?xml version="1.0" encoding="UTF-8"?><Response/>',
      ]);
      expect(received()).to.have.lengthOf(2);
      expect(await channelOf()).to.equal('whatsapp');
    });

    it('ignores a message without a phone number or message id, and rejects a large body and GET', async () => {
      await start();
      const url = `${scene.url}/twilio/inbound`;
      for (const params of [
        { From: 'whatsapp:12345', Body: 'STOP', MessageSid: `SM${'1'.repeat(32)}` },
        { From: `whatsapp:${ANA.phone}`, Body: 'STOP', MessageSid: 'nonsense' },
        { Body: 'STOP' },
        {},
      ] as Record<string, string>[]) {
        expect((await post(params, scene.twilio.sign(url, params))).status).to.equal(200);
      }
      const large = { Body: 'x'.repeat(70_000) };
      expect((await post(large, scene.twilio.sign(url, large))).status).to.equal(413);
      const asked = await fetch(url);
      expect([asked.status, asked.headers.get('allow')]).to.deep.equal([405, 'POST']);
      expect(received()).to.deep.equal([]);
      expect(await channelOf()).to.equal('whatsapp');
    });

    for (const [what, text, replies] of [
      ['some characters', 'On\u0007, \ud800Ana\uffff 👋', ['On, Ana 👋']],
      ['nothing but such characters', '\u0000\udfff', []],
    ] as const) {
      it(`replies without what XML cannot hold if onMessage returns ${what}, and logs none of it`, async () => {
        mustNotShow('On\u0007', 'Ana\uffff', 'Invalid character');
        await start({ onMessage: () => ({ text, isStart: true }) });
        await write('STOP');
        scene.twilio.joinSandbox(ANA.phone);
        const answered = await write('MAPLE-71');
        expect(answered.answer?.status).to.equal(200);
        expect(answered.replies).to.deep.equal(replies);
        expect(await channelOf()).to.equal('whatsapp');
      });
    }

    it('escapes the reply of onMessage', async () => {
      await start({ onMessage: ({ text }) => `<Message>${text}&` });
      expect((await write('</Response>')).replies).to.deep.equal(['<Message></Response>&']);
    });
  });

  describe('with a shared state', () => {
    const shared = (parts: Partial<StatePort>): StatePort => ({
      ...openMemoryState(),
      isShared: true,
      ...parts,
    });
    /** A claim that reads no suppressions. */
    const claimUnread: StatePort['claim'] = async (...args) => {
      const claim = await openMemoryState().claim(...args);
      return claim.isFirst ? { ...claim, hasRead: false } : claim;
    };

    /** A state that adds the recipient of each question about suppressions to a list. */
    const askedOf = (asked: string[], state: StatePort): StatePort =>
      beforeRecords(state, ['suppressions'], (names, how) => {
        if (how === 'read') asked.push(...names.map(({ key }) => key));
        return Promise.resolve();
      });

    it('obeys STOP by one further request to the state if the claim of a call does not say it', async () => {
      const stopped = { channel: 'whatsapp', reason: 'STOPPED', atMs: 0, untilMs: Infinity } as const;
      const asked: string[] = [];
      const state = shared({ claim: claimUnread });
      const value = { recipient: ANA.phone, entries: [stopped] };
      await state.update([{ kind: 'suppressions', key: ANA.phone }], () => ({
        next: [{ value, lifeMs: 60_000 }],
        result: undefined,
      }));
      await start(undefined, { state: askedOf(asked, state) });
      // A call that takes longer asks again before it sends.
      clock = stopTime();
      expect(await channelOf()).to.equal('sms');
      expect(asked).to.have.lengthOf(1);
      expect(answered()?.skipped).to.deep.equal([{ channel: 'whatsapp', reason: 'STOPPED' }]);
    });

    it('asks the state about another WhatsApp number only, because the claim covers the enrolled one', async () => {
      const asked: string[] = [];
      await start(undefined, {
        profile: { unverifiedPhoneAttribute: 'mobilePhone' },
        state: askedOf(asked, shared({})),
      });
      scene.okta.updateUser(ANA.id, { mobilePhone: BOB.phone });
      // A call that takes longer asks again before it sends.
      clock = stopTime();
      expect(await channelOf()).to.equal('whatsapp');
      expect(asked).to.deep.equal([BOB.phone]);
    });

    it('replies that a message counts as START only after the state has lifted STOP', async () => {
      const lifted = defer<undefined>();
      let isLifting = false;
      const memory = openMemoryState();
      const update: StatePort['update'] = async (names, transition) => {
        // Any message lifts what a provider reported. START also lifts STOP.
        let isStart = false;
        const watched = watchRecords(memory, ({ kind, next }) => {
          isStart ||= kind === 'suppressions' && JSON.stringify(next ?? {}).includes('STARTED');
        });
        const result = await watched.update(names, transition);
        if (isStart) {
          isLifting = true;
          await lifted.promise;
        }
        return result;
      };
      await start({ onMessage: () => ({ text: 'On.', isStart: true }) }, { state: shared({ update }) });
      // With stopped time, neither the time-out of the state nor the deadline of the call ends.
      clock = stopTime();
      let isAnswered = false;
      const writing = write('MAPLE-71').finally(() => {
        isAnswered = true;
      });
      await until(() => isLifting);
      await channelOf();
      expect(isAnswered).to.equal(false);
      lifted.resolve(undefined);
      expect((await writing).replies).to.deep.equal(['On.']);
    });

    it('answers 200 if the state drops what it is asked, or has lost its answer about a repeat', async () => {
      const nothing = (): Promise<undefined> => Promise.resolve(undefined);
      for (const state of [
        shared({ update: nothing, read: nothing }),
        shared({ claim: () => ({ isFirst: false, answer: Promise.resolve('lost') }) }),
      ]) {
        await start(undefined, { state });
        expect((await write('STOP')).answer?.status).to.equal(200);
      }
    });
  });

  it('sends a code by SMS if STOP comes while its text is composed', async () => {
    const text = held<string>();
    await start(undefined, { composeText: text.run, deadlineMs: 2800 });
    const calling = channelOf();
    await text.called;
    await write('STOP');
    // NTP sets the clock at just this moment.
    now += 30_000;
    text.resolve('Your code');
    expect(await calling).to.equal('sms');
    expect(scene.twilio.messages.map(({ channel }) => channel)).to.deep.equal(['sms']);
  });
});

describe('a number that WhatsApp does not reach', () => {
  let scene: Scene;
  let clock: sinon.SinonFakeTimers | undefined;
  before(warmUp);
  afterEach(() => clock?.restore());
  const startScene = scenes();
  const start = async (hook: HookOptions = {}): Promise<void> => {
    scene = await startScene({ hasCallbacks: true, hook });
  };
  const skipped = (): readonly string[] | undefined =>
    scene
      .of('request.answered')
      .at(-1)
      ?.skipped.map(({ channel, reason }) => `${channel}:${reason}`);
  const channelOf = async (call?: Parameters<Scene['call']>[0]): Promise<string | undefined> =>
    channelIn(await scene.call(call));
  const failOnce = (code: number): void => {
    scene.twilio.refuseWith({ code, times: 1 });
  };

  for (const [code, reason] of [
    [63024, 'NOT_REACHED'],
    [63014, 'OPTED_OUT'],
  ] as const) {
    it(`gets no WhatsApp message for a day after error ${code}`, async () => {
      await start();
      failOnce(code);
      expect(await channelOf()).to.equal('sms');
      const asked = scene.twilio.requests.length;
      expect(await channelOf()).to.equal('sms');
      expect(skipped()).to.deep.equal([`whatsapp:${reason}`]);
      expect(scene.twilio.requests).to.have.lengthOf(asked + 1);
      const aDayLater = performance.now() + 86_400_000;
      const monotonic = sinon.stub(performance, 'now').returns(aDayLater);
      try {
        expect(await channelOf()).to.equal('whatsapp');
      } finally {
        monotonic.restore();
      }
      expect(skipped()).to.deep.equal([]);
    });
  }

  it('gets no WhatsApp message after a failure in a status callback', async () => {
    await start({ lateFailover: false });
    scene.twilio.failLater({ code: 63024, status: 'undelivered', times: 1 });
    await scene.call();
    await until(() => scene.of('message.reported').some(({ status }) => status === 'undelivered'));
    expect(await channelOf()).to.equal('sms');
    expect(skipped()).to.deep.equal(['whatsapp:NOT_REACHED']);
  });

  it('gets no WhatsApp message after a refusal that comes after the answer to Okta', async () => {
    const sending = held<Outcome>();
    await start({ channels: { whatsapp: { send: sending.run } }, lateFailover: false });
    clock = stopTime();
    const calling = scene.call();
    await sending.called;
    expect((await passTime(clock, calling, 2_200)).okta.action).to.equal('pending');
    sending.resolve({ status: 'refused', code: 'GONE', reason: 'Gone', isNotReached: true });
    await until(() => scene.of('attempt.settled').length > 0);
    await scene.call();
    expect(skipped()).to.deep.equal(['whatsapp:NOT_REACHED']);
  });

  it('gets no WhatsApp message after a failure that lookUp found', async () => {
    const whatsapp: ConnectedChannel = {
      send: () => Promise.resolve({ status: 'accepted', transactionId: '1' }),
      lookUp: () => Promise.resolve({ status: 'failed', code: 'GONE', reason: 'Gone', isNotReached: true }),
    };
    await start({ channels: { whatsapp } });
    clock = stopTime();
    await scene.call();
    clock.tick(3_000);
    await until(() => scene.of('failover.ended').length > 0);
    await scene.call();
    expect(skipped()).to.deep.equal(['whatsapp:NOT_REACHED']);
  });

  it('still gets its codes by WhatsApp if there is no other channel', async () => {
    await start({ senders: undefined });
    failOnce(63003);
    await scene.call();
    expect(await channelOf()).to.equal('whatsapp');
    expect(skipped()).to.deep.equal([]);
  });

  it('still gets voice calls, and WhatsApp messages again after its owner writes by WhatsApp', async () => {
    await start();
    failOnce(63003);
    await scene.call();
    expect(await channelOf({ deliveryChannel: 'voice' })).to.equal('voice');
    expect(await channelOf()).to.equal('sms');
    await scene.write('Hello?');
    expect(await channelOf()).to.equal('whatsapp');
  });

  it('still gets WhatsApp messages after an error that is not about the number', async () => {
    await start();
    failOnce(63016);
    expect(await channelOf()).to.equal('sms');
    expect(await channelOf()).to.equal('whatsapp');
  });
});
