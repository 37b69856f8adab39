import { expect } from 'chai';
import { request } from 'undici';
import { playBadDay, type BadDay, type BadDayOptions, type BadDayPhaseName } from '#lib/testing/demo.js';
import {
  startOktaEmulator,
  startTwilioEmulator,
  type FaultRule,
  type OktaEmulator,
  type RecordedRequest,
  type TwilioEmulator,
} from '#lib/testing/index.js';
import { asFaultRule } from '#lib/testing/server/answer.js';
import { RuleList } from '#lib/testing/server/faults.js';
import { until } from '#harness/until.js';
import { PHONE } from '../twilio/rest.js';

const PHASES: readonly BadDayPhaseName[] = [
  'all-well',
  'okta-slow',
  'okta-rate-limit',
  'twilio-brown-out',
  'whatsapp-fails-late',
  'callbacks-in-disorder',
  'connections-reset',
  'all-well-again',
];
const REQUESTS = 40;

describe('playBadDay', () => {
  let okta: OktaEmulator;
  let twilio: TwilioEmulator;
  let day: BadDay | undefined;
  const play = (options: BadDayOptions = {}): BadDay =>
    (day = playBadDay({ okta, twilio }, { phaseMs: Infinity, ...options }));

  /** Makes many calls, one after the other, and returns the status of each, or `broken`. */
  const outcomesOf = async (make: () => ReturnType<typeof request>): Promise<string[]> => {
    const outcomes: string[] = [];
    for (let count = 0; count < REQUESTS; count += 1) {
      const outcome = make().then(async ({ statusCode, body }) => {
        await body.text();
        return String(statusCode);
      });
      outcomes.push(await outcome.catch(() => 'broken'));
    }
    return outcomes;
  };
  const readUser = (): ReturnType<typeof request> =>
    request(`${okta.orgUrl}/api/v1/users/ana@example.com`, {
      headers: { authorization: `SSWS ${okta.apiToken}` },
    });
  const post = (form: Record<string, string>): ReturnType<typeof request> =>
    request(`${twilio.baseUrl}/2010-04-01/Accounts/${twilio.accountSid}/Messages.json`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${twilio.accountSid}:${twilio.authToken}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ To: PHONE, From: twilio.smsNumber, Body: 'code', ...form }).toString(),
    });
  const send = (): ReturnType<typeof request> => post({});

  beforeEach(async () => {
    [okta, twilio] = await Promise.all([startOktaEmulator(), startTwilioEmulator({ callbackDelayMs: 1 })]);
    okta.addUser({ login: 'ana@example.com', profile: {} });
    twilio.joinSandbox(PHONE);
  });
  afterEach(async () => {
    day?.stop();
    await Promise.all([okta.close(), twilio.close()]);
  });

  it('plays all phases in order by next(), and reports each to onPhase()', async () => {
    const reported: string[] = [];
    const { next, done } = play({ onPhase: ({ name, index }) => reported.push(`${index} ${name}`) });
    expect(day?.phase?.name).to.equal('all-well');
    for (const name of PHASES.slice(1)) expect(next()?.name).to.equal(name);
    expect(next()).to.equal(undefined);
    expect(day?.phase).to.equal(undefined);
    expect(next()).to.equal(undefined);
    const had = await done;
    expect(had.map(({ name }) => name)).to.deep.equal(PHASES);
    expect(reported).to.deep.equal(PHASES.map((name, index) => `${index} ${name}`));
    expect(new Set(had.map(({ description }) => description)).size).to.equal(PHASES.length);
  });

  it('plays all phases without next(), each for phaseMs', async () => {
    const had = await play({ phaseMs: 1 }).done;
    expect(had.map(({ name }) => name)).to.deep.equal(PHASES);
  });

  it('plays only the given phases in their order, and throws for an unknown name', async () => {
    const phases = ['connections-reset', 'all-well', 'connections-reset'] as const;
    expect((await play({ phases, phaseMs: 1 }).done).map(({ name }) => name)).to.deep.equal(phases);
    expect(() => play({ phases: ['full-moon' as BadDayPhaseName] })).to.throw('full-moon');
    expect(await play({ phases: [] }).done).to.deep.equal([]);
  });

  it('ends at stop(), removes its faults, and leaves later faults in place', async () => {
    const phases = ['okta-rate-limit', 'twilio-brown-out'] as const;
    const { done, stop, next } = play({ phases });
    next();
    stop();
    expect((await done).map(({ name }) => name)).to.deep.equal(phases);
    expect(day?.phase).to.equal(undefined);
    expect(new Set(await outcomesOf(send))).to.deep.equal(new Set(['201']));
    expect(new Set(await outcomesOf(readUser))).to.deep.equal(new Set(['200']));
    // A second stop() does not remove a fault that the test adds.
    twilio.fault({ kind: 'status', status: 500 });
    stop();
    expect((await send()).statusCode).to.equal(500);
  });

  it('ends when onPhase() calls stop()', async () => {
    const { done } = play({
      phaseMs: 1,
      onPhase: ({ index }) => {
        if (index === 1) day?.stop();
      },
    });
    expect(await done).to.have.length(2);
  });

  it('makes Okta answer 429 until the phase okta-rate-limit ends', async () => {
    const { next } = play({ phases: ['okta-rate-limit', 'all-well'] });
    expect((await readUser()).statusCode).to.equal(429);
    expect((await send()).statusCode).to.equal(201);
    next();
    expect((await readUser()).statusCode).to.equal(200);
  });

  it('fails most WhatsApp messages after their acceptance, but no SMS, in whatsapp-fails-late', async () => {
    play({ phases: ['whatsapp-fails-late'] });
    const whatsApp = { To: `whatsapp:${PHONE}`, From: `whatsapp:${twilio.sandboxNumber}` };
    expect(new Set(await outcomesOf(() => post(whatsApp)))).to.deep.equal(new Set(['201']));
    await outcomesOf(send);
    await until(() => twilio.messages.every(({ status }) => status === 'failed' || status === 'delivered'));
    const failed = twilio.messages.filter(({ status }) => status === 'failed');
    expect(new Set(failed.map(({ channel }) => channel))).to.deep.equal(new Set(['whatsapp']));
    expect(failed.length).to.be.within(REQUESTS / 2, REQUESTS - 5);
    expect(new Set(failed.map(({ errorCode }) => errorCode)).size).to.be.greaterThan(3);
  });

  it('repeats and reverses status callbacks and fails some messages in callbacks-in-disorder', async () => {
    play({ phases: ['callbacks-in-disorder'] });
    const callback = { StatusCallback: 'http://127.0.0.1:1/' };
    expect(new Set(await outcomesOf(() => post(callback)))).to.deep.equal(new Set(['201']));
    await until(() => twilio.messages.every(({ status }) => /^(un)?delivered$/.test(status)));
    const undelivered = twilio.messages.filter(({ status }) => status === 'undelivered');
    expect(undelivered.length).to.be.within(5, REQUESTS - 15);
    const orderOf = (sid: string): string =>
      twilio.callbacks
        .filter(({ params }) => params['MessageSid'] === sid)
        .map(({ params }) => (params['MessageStatus'] === 'sent' ? 's' : 'f'))
        .join('');
    // Reversed and repeated, only repeated, and normal.
    for (const order of ['ffss', 'sssfff', 'sf']) {
      await until(() => twilio.messages.some(({ sid }) => orderOf(sid) === order));
    }
  });

  it('resets some connections to Okta and to Twilio in connections-reset', async () => {
    play({ phases: ['connections-reset'] });
    const twilioOutcomes = await outcomesOf(send);
    expect(new Set(twilioOutcomes)).to.deep.equal(new Set(['201', 'broken']));
    expect(twilioOutcomes.filter((outcome) => outcome === 'broken').length).to.be.within(3, REQUESTS - 10);
    expect(new Set(await outcomesOf(readUser))).to.deep.equal(new Set(['200', 'broken']));
  });

  describe('random faults', () => {
    /** The fault of each of 200 requests to a vendor in a phase. The function only draws them and waits for none. */
    const drawFaults = (
      name: BadDayPhaseName,
      options: { seed?: number; vendor: 'okta' | 'twilio'; path: string; turn?: number },
    ): string[] => {
      let rules = new RuleList<FaultRule>(() => true);
      const fault: OktaEmulator['fault'] = (rule) => {
        rules.add(asFaultRule(rule));
      };
      const spied = {
        okta: options.vendor === 'okta' ? { ...okta, fault } : okta,
        twilio: options.vendor === 'twilio' ? { ...twilio, fault } : twilio,
      };
      const { next, stop } = playBadDay(spied, {
        seed: options.seed,
        phases: [name, name],
        phaseMs: Infinity,
      });
      for (let turn = 0; turn < (options.turn ?? 0); turn += 1) {
        rules = new RuleList<FaultRule>(() => true);
        next();
      }
      stop();
      return Array.from({ length: 200 }, () => {
        const made: RecordedRequest = { method: 'GET', path: options.path, headers: {}, body: '', at: 0 };
        const drawn = rules.take(made)?.fault;
        if (drawn === undefined) return 'well';
        return drawn.kind === 'slow'
          ? `slow ${drawn.delayMs}`
          : `${drawn.kind} ${String(drawn.delivered ?? false)}`;
      });
    };
    const USERS = '/api/v1/users/ana@example.com';
    const countEach = (faults: readonly string[]): Record<string, number> => {
      const counted: Record<string, number> = {};
      for (const fault of faults) counted[fault] = (counted[fault] ?? 0) + 1;
      return counted;
    };

    it('makes only the Users API of Okta slow in okta-slow', () => {
      const counted = countEach(drawFaults('okta-slow', { vendor: 'okta', path: USERS }));
      const kinds = ['hang false', 'slow 300', 'slow 600', 'slow 900', 'slow 1200', 'slow 1500'];
      expect(counted).to.have.all.keys(kinds);
      expect(counted['hang false']).to.be.within(10, 35);
      const tokens = drawFaults('okta-slow', { vendor: 'okta', path: '/oauth2/v1/token' });
      expect(new Set(tokens)).to.deep.equal(new Set(['well']));
    });

    it('makes Twilio fail, hang or answer late for Verify, too, in twilio-brown-out', () => {
      const counted = countEach(
        drawFaults('twilio-brown-out', { vendor: 'twilio', path: '/v2/Services/VA1' }),
      );
      const kinds = ['status false', 'hang false', 'hang true', 'slow 500', 'slow 1500', 'well'];
      expect(counted).to.have.all.keys(kinds);
      expect(counted['status false']).to.be.within(40, 80);
      expect(counted['well']).to.be.within(40, 80);
    });

    it('draws the same faults for the same seed, and other faults for another seed or a repeated phase', () => {
      for (const [name, vendor] of [
        ['okta-slow', 'okta'],
        ['twilio-brown-out', 'twilio'],
        ['connections-reset', 'okta'],
        ['connections-reset', 'twilio'],
      ] as const) {
        const first = drawFaults(name, { vendor, path: USERS, seed: 1 });
        expect(drawFaults(name, { vendor, path: USERS }), name).to.deep.equal(first);
        expect(drawFaults(name, { vendor, path: USERS, seed: 2 }), name).to.not.deep.equal(first);
        // The second turn of a phase draws other faults.
        expect(drawFaults(name, { vendor, path: USERS, turn: 1 }), name).to.not.deep.equal(first);
      }
    });
  });
});
