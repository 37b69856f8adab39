import { expect } from 'chai';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Agent, request } from 'undici';
import {
  startOktaEmulator,
  startTwilioEmulator,
  type Fault,
  type TwilioEmulator,
} from '#lib/testing/index.js';
import { rejection } from '../local.js';

const PHONE = '+4915112345678';

describe('faults of the emulators', () => {
  let twilio: TwilioEmulator;
  let agent: Agent;

  beforeEach(async () => {
    twilio = await startTwilioEmulator();
    agent = new Agent();
  });
  afterEach(async () => {
    await agent.destroy();
    await twilio.close();
  });

  const post = (signal?: AbortSignal) =>
    request(`${twilio.baseUrl}/2010-04-01/Accounts/${twilio.accountSid}/Messages.json`, {
      dispatcher: agent,
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${twilio.accountSid}:${twilio.authToken}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ To: PHONE, From: twilio.smsNumber, Body: 'code' }).toString(),
      signal: signal ?? null,
    });
  const postFaulty = (fault: Fault, signal?: AbortSignal) => {
    twilio.fault({ fault, times: 1 });
    return post(signal);
  };
  const isDelivered = (): boolean => twilio.inbox(PHONE).length > 0;

  /** What the caller sees: the status and the body, or the code of the error, whether in place of the answer or within its body. */
  const seenAfter = async (fault: Fault): Promise<string> => {
    try {
      const { statusCode, body } = await postFaulty(fault);
      const text = await body.text().catch((error: unknown) => (error as { readonly code: string }).code);
      return `${statusCode} ${text}`;
    } catch (error) {
      return (error as { readonly code: string }).code;
    }
  };
  const unavailable = { kind: 'status', status: 503, body: { code: 20503 } } as const;
  for (const [fault, seen, isSent] of [
    [unavailable, /^503 \{"code":20503\}$/, false],
    [{ ...unavailable, delivered: true }, /^503 /, true],
    [{ kind: 'html', status: 502 }, /^502 <html>/, false],
    [{ kind: 'reset' }, /^ECONNRESET$/, false],
    [{ kind: 'reset', delivered: true }, /^ECONNRESET$/, true],
    [{ kind: 'truncated' }, /^201 UND_ERR_SOCKET$/, true],
    [{ kind: 'malformed' }, /^201 [^]*[^}]$/, true],
    [{ kind: 'empty' }, /^201 $/, true],
    [{ kind: 'empty', status: 204, delivered: false }, /^204 $/, false],
    [{ kind: 'slow', delayMs: 5 }, /^201 \{.*\}$/, true],
  ] as const satisfies readonly (readonly [Fault, RegExp, boolean])[]) {
    it(`${isSent ? 'delivers' : 'does not deliver'} the message of ${JSON.stringify(fault)}`, async () => {
      expect(await seenAfter(fault)).to.match(seen);
      expect(isDelivered()).to.equal(isSent);
      expect(twilio.requests[0]?.form).to.include({ To: PHONE });
    });
  }

  it('answers with the headers of a status fault', async () => {
    const { headers } = await postFaulty({ ...unavailable, headers: { 'retry-after': '1' } });
    expect(headers['retry-after']).to.equal('1');
  });

  it('never answers for a hang fault, and delivers the message only with delivered: true', async () => {
    for (const delivered of [false, true]) {
      const giveUp = new AbortController();
      const pending = rejection(postFaulty({ kind: 'hang', delivered }, giveUp.signal));
      const count = twilio.requests.length;
      while (twilio.requests.length === count) await new Promise((resolve) => setImmediate(resolve));
      giveUp.abort();
      expect(await pending).to.have.property('name', 'AbortError');
      expect(isDelivered()).to.equal(delivered);
    }
  });

  it('resets the connection before it reads the body for resetOnConnect', async () => {
    twilio.fault({ kind: 'resetOnConnect' });
    const { hostname, port } = new URL(twilio.baseUrl);
    const socket = connect(Number(port), hostname);
    socket.write('POST /2010-04-01/x HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n');
    const [error] = (await once(socket, 'error').catch((caught: unknown) => [caught])) as unknown[];
    expect(error).to.have.property('code', 'ECONNRESET');
    expect(twilio.requests).to.have.length(1);
    expect(twilio.requests[0]).to.include({ body: '', method: 'POST' });
  });

  it('answers with single bytes without end for a drip fault, and delivers the message', async () => {
    const { statusCode, body } = await postFaulty({ kind: 'drip', everyMs: 1 });
    expect(statusCode).to.equal(201);
    let size = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size >= 5) break;
    }
    expect(size).to.be.within(5, 50);
    expect(isDelivered()).to.equal(true);
  });

  it('sends an endless body, and serves the next request after the reader stops', async () => {
    const { statusCode, body } = await postFaulty({ kind: 'endless' });
    expect(statusCode).to.equal(201);
    let size = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > 4_000_000) break;
    }
    expect((await post()).statusCode).to.equal(201);
  });

  it('redirects to a path that counts each visit, or to the location of the fault', async () => {
    const { statusCode, headers } = await postFaulty({ kind: 'redirect' });
    expect(statusCode).to.equal(302);
    expect(twilio.redirectHits).to.equal(0);
    await request(new URL(String(headers['location']), twilio.baseUrl), { dispatcher: agent });
    expect(twilio.redirectHits).to.equal(1);
    const elsewhere = await postFaulty({ kind: 'redirect', location: 'http://127.0.0.1:1/' });
    expect(elsewhere.headers['location']).to.equal('http://127.0.0.1:1/');
    expect(isDelivered()).to.equal(false);
  });

  it('applies the rules in their order, only to matching requests and at most as often as their times', async () => {
    twilio.fault({
      fault: { kind: 'status', status: 500 },
      match: ({ form }) => String(form?.['To']).startsWith('whatsapp:'),
    });
    twilio.fault({ fault: { kind: 'status', status: 501 }, times: 2 });
    twilio.fault({ kind: 'status', status: 502 });
    const statuses: number[] = [];
    for (let time = 0; time < 4; time += 1) {
      const { statusCode, body } = await post();
      await body.dump();
      statuses.push(statusCode);
    }
    expect(statuses).to.deep.equal([501, 501, 502, 502]);
    twilio.clearFaults();
    expect((await post()).statusCode).to.equal(201);
  });

  it('answers 500 with the error if the match function of a rule throws', async () => {
    twilio.fault({
      fault: { kind: 'hang' },
      match: () => {
        throw new Error('mistake in the test');
      },
    });
    const { statusCode, body } = await post();
    expect(statusCode).to.equal(500);
    expect(await body.json()).to.deep.equal({ emulatorError: 'Error: mistake in the test' });
  });

  it('throws a TypeError for an unknown key or kind, and answers the next request without a fault', async () => {
    const okta = await startOktaEmulator();
    const kinds =
      'A fault needs a kind: status, html, hang, reset, resetOnConnect, drip, truncated, endless, redirect, malformed, empty, slow.';
    for (const [add, fault, message] of [
      [
        twilio.faultCallbacks,
        { delayMS: 5 },
        'faultCallbacks() does not take delayMS (did you mean delayMs?). It takes delayMs, copies, isReversed, isHeld, match, times.',
      ],
      [
        twilio.fault,
        { fault: { kind: 'hang' }, time: 1 },
        'fault() does not take time (did you mean times?). It takes fault, times, match.',
      ],
      [
        twilio.fault,
        { kind: 'slow', delayMs: 5, times: 1 },
        'a fault of the kind slow does not take times. It takes kind, delivered, delayMs.',
      ],
      [
        twilio.fault,
        { fault: { kind: 'hang', delayMs: 5 } },
        'a fault of the kind hang does not take delayMs. It takes kind, delivered.',
      ],
      [twilio.fault, { kind: 'toString' }, kinds],
      [twilio.fault, { times: 1 }, kinds],
      [okta.faultKeys, { kind: 'slow', delay: 5 }, 'does not take delay'],
    ] as const) {
      expect(() => {
        (add as (wrong: object) => void)(fault);
      }).to.throw(TypeError, message);
    }
    expect((await post()).statusCode).to.equal(201);
    await okta.close();
  });
});
