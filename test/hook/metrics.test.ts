import { expect } from 'chai';
import { Registry } from 'prom-client';
import type { EmulatedCall, EmulatedMessage } from '#lib/testing/index.js';
import { Closers } from '#harness/closers.js';
import { readPage, type MetricsPage } from '#harness/metrics-page.js';
import {
  ANA,
  BOB,
  CODE,
  commandOf,
  errorOf,
  HOOK_SECRET,
  isWhatsApp,
  startScene,
  TO_BOB,
  type Scene,
} from '#harness/scene.js';
import { until } from '#harness/until.js';
import { mustNotShow, witness } from '#harness/witness.js';

const EVA = {
  id: '00u1evalindqvist0001',
  login: 'eva.lindqvist@example.com',
  firstName: 'Evangelina',
  lastName: 'Lindqvist',
  phone: '+447700900789',
} as const;
const UNKNOWN_USER = '00u1nobody0000000001';
const TO_FRANCE = '+33612345678';
const DEADLINE_MS = 1000;

type Call = Parameters<Scene['call']>[0];

describe('the metrics of a day', function () {
  const closers = new Closers();
  let scene: Scene;
  let text: string;
  let page: MetricsPage;
  /** How often each thing happened. */
  const done = { asked: 0, repeated: 0, rejectedCalls: 0, blocked: 0, wrote: 0, signedIn: 0 };

  /** Makes a call. Resolves to the status of the answer. */
  const ask = async (call?: Call): Promise<string> => {
    done.asked += 1;
    const made = await scene.call(call);
    return commandOf(made)?.['status'] ?? (errorOf(made) === undefined ? 'nothing' : 'ERROR');
  };
  const areFinal = (items: readonly (EmulatedMessage | EmulatedCall)[]): boolean =>
    items.every(({ status }) => ['delivered', 'undelivered', 'completed'].includes(status));
  /** Waits until Twilio has posted all callbacks. */
  const settled = async (): Promise<void> => {
    await until(() => areFinal(scene.twilio.messages) && areFinal(scene.twilio.calls));
    await until(() => scene.twilio.callbacks.every(({ httpStatus }) => httpStatus !== undefined));
  };

  before(async () => {
    const registry = new Registry();
    scene = await startScene({
      hasCallbacks: true,
      hook: {
        metrics: registry,
        deadlineMs: DEADLINE_MS,
        guard: { perUser: false, perNumber: false, countries: { deny: ['FR'] } },
      },
      mount: (app, hook) => {
        app.use(hook);
        app.get('/metrics', async (_req, res) => {
          res.type(registry.contentType).send(await registry.metrics());
        });
      },
    });
    closers.add(scene, (opened) => opened.close());
    await scene.hook.ready();
    await scene.registerEventHook();
    scene.okta.requests.length = 0;
    await playDay();
    const response = await fetch(new URL('/metrics', scene.url));
    expect(response.headers.get('content-type')).to.match(/^text\/plain; version=0\.0\.4/);
    text = await response.text();
    page = readPage(text);
  });
  after(() => closers.closeAll());

  const playDay = async (): Promise<void> => {
    const { twilio, okta } = scene;
    // Codes that arrive, by each channel, and of several kinds.
    expect(await ask({ eventId: 'day-1' })).to.equal('SUCCESSFUL');
    expect(await ask({ ...TO_BOB, eventId: 'day-2' })).to.equal('SUCCESSFUL');
    expect(await ask({ ...TO_BOB, deliveryChannel: 'voice call' })).to.equal('SUCCESSFUL');
    expect(await ask({ requestType: 'password-reset' })).to.equal('SUCCESSFUL');
    // Okta asks again.
    done.repeated += 1;
    await scene.call({ eventId: 'day-1' });
    // Two are used.
    for (const { id } of [ANA, BOB]) {
      await okta.userSignedIn(id);
      done.signedIn += 1;
      await until(() => scene.of('code.used').length === done.signedIn);
    }
    await until(() => twilio.feedback.length === done.signedIn);
    // WhatsApp refuses, and the SMS goes; then the SMS is refused, too.
    twilio.refuseWith({ code: 63007, times: 1, match: isWhatsApp });
    expect(await ask()).to.equal('SUCCESSFUL');
    twilio.refuseWith({ code: 21610, times: 1 });
    expect(await ask(TO_BOB)).to.equal('ERROR');
    // Unreadable answers: Twilio accepted one message, as its callback says, and not the other.
    twilio.fault({ fault: { kind: 'truncated' }, times: 1 });
    expect(await ask(TO_BOB)).to.equal('PENDING');
    twilio.fault({ fault: { kind: 'reset' }, times: 1 });
    expect(await ask(TO_BOB)).to.equal('PENDING');
    // One that Twilio accepts after the answer to Okta.
    twilio.fault({ fault: { kind: 'slow', delayMs: DEADLINE_MS * 1.2 }, times: 1 });
    expect(await ask(TO_BOB)).to.equal('PENDING');
    await until(() => scene.of('attempt.settled').length === 2);
    // A blocked code to France, and a call with a wrong secret.
    done.blocked += 1;
    expect(await ask({ ...TO_BOB, phoneNumber: TO_FRANCE })).to.equal('PENDING');
    done.rejectedCalls += 1;
    await scene.call({ headers: { Authorization: 'of nobody' } });
    // One that fails after it was accepted is followed by an SMS.
    await settled();
    okta.addUser({ ...EVA, profile: { whatsAppOptIn: true } });
    twilio.joinSandbox(EVA.phone);
    twilio.failLater({ code: 63024, status: 'undelivered', times: 1, match: isWhatsApp });
    expect(await ask({ userId: EVA.id, login: EVA.login, phoneNumber: EVA.phone })).to.equal('SUCCESSFUL');
    await until(() => scene.of('failover.ended').length === 1);
    // Two users write.
    for (const [from, body] of [
      [ANA.phone, 'HELP'],
      [BOB.phone, 'who is this?'],
    ] as const) {
      done.wrote += 1;
      twilio.joinSandbox(from);
      await scene.write(body, { from });
    }
    // Okta does not know a user, and then its rate limit is used up.
    expect(await ask({ userId: UNKNOWN_USER })).to.equal('SUCCESSFUL');
    okta.setRateLimit({ limit: 100, remaining: 0, resetInSeconds: 60 });
    expect(await ask({ userId: UNKNOWN_USER })).to.equal('SUCCESSFUL');
    expect(await ask({ userId: UNKNOWN_USER })).to.equal('SUCCESSFUL');
    // Twilio goes down.
    await settled();
    twilio.fault({ fault: { kind: 'reset' }, times: 5 });
    for (let times = 0; times < 5; times += 1) expect(await ask(TO_BOB)).to.equal('PENDING');
    expect(await ask(TO_BOB)).to.equal('ERROR');
    await settled();
  };

  it('are valid Prometheus text, and contain no personal data, code or secret', () => {
    for (const { id, login, firstName, lastName, phone } of [ANA, BOB])
      mustNotShow(id, login, firstName, lastName, phone.slice(1));
    mustNotShow(
      CODE,
      HOOK_SECRET,
      EVA.id,
      EVA.login,
      EVA.phone.slice(1),
      UNKNOWN_USER,
      TO_FRANCE.slice(1),
      'day-1',
    );
    for (const { sid } of [...scene.twilio.messages, ...scene.twilio.calls]) mustNotShow(sid);
    witness(text);
    expect(page.families).to.have.length.greaterThan(15);
    for (const { help, type } of page.families) expect([help, type]).to.not.include('');
  });

  it('agree with the requests to Twilio and with the messages that it accepted', () => {
    const { twilio } = scene;
    const asked = twilio.requests.filter(
      ({ method, path }) => method === 'POST' && /\/(Messages|Calls)\.json$/.test(path),
    );
    expect(page.sum('attempts_total')).to.equal(
      asked.length + page.sum('attempts_total', { code: 'BREAKER_OPEN' }),
    );
    const accepted = [...twilio.messages.map(({ channel }) => channel), ...twilio.calls.map(() => 'voice')];
    for (const channel of ['whatsapp', 'sms', 'voice']) {
      const counted =
        page.sum('attempts_total', { channel, outcome: 'accepted' }) +
        page.sum('late_results_total', { channel, outcome: 'accepted' });
      const sent = accepted.filter((name) => name === channel).length;
      expect(counted, channel).to.equal(sent);
    }
    expect(page.sum('stage_duration_seconds_count', { stage: 'attempt' })).to.equal(asked.length);
  });

  it('agree with the phones: accepted messages arrive, except those reported as failed', () => {
    const phones = [ANA.phone, BOB.phone, EVA.phone];
    const got = phones.flatMap((phone) => scene.twilio.inbox(phone));
    // Replies to inbound messages are not codes.
    const codes = got.filter(({ text: shown }) => !/sign-in codes/.test(shown));
    const accepted =
      page.sum('attempts_total', { outcome: 'accepted' }) +
      page.sum('late_results_total', { outcome: 'accepted' });
    const failed = page.sum('message_statuses_total', { report: 'failed', status: 'undelivered' });
    expect(failed).to.equal(1);
    expect(accepted - failed).to.equal(codes.length);
    expect(page.sum('message_statuses_total', { status: 'delivered' })).to.equal(
      scene.twilio.messages.filter(({ status }) => status === 'delivered').length,
    );
  });

  it('agree with the calls of Okta and their answers', () => {
    const { asked, repeated, rejectedCalls, blocked } = done;
    expect(page.sum('codes_total')).to.equal(asked);
    expect(page.sum('stage_duration_seconds_count', { stage: 'call' })).to.equal(asked);
    expect(page.sum('budget_left_seconds_count')).to.equal(asked);
    expect(page.sum('repeats_total', { outcome: 'accepted' })).to.equal(repeated);
    expect(page.sum('rejected_calls_total', { code: 'CALLER_NOT_PROVEN' })).to.equal(rejectedCalls);
    expect(page.sum('guard_blocks_total', { rule: 'country', country: 'FR' })).to.equal(blocked);
    expect(page.sum('codes_total', { country: 'FR', channel: 'none', outcome: 'blocked' })).to.equal(blocked);
    expect(page.sum('codes_total', { request_type: 'password-reset', country: 'GB' })).to.equal(1);
    expect(page.values('codes_total', 'country')).to.deep.equal(['FR', 'GB', 'US']);
    expect(page.sum('codes_total', { outcome: 'blocked' })).to.equal(blocked);
    expect(page.sum('codes_total', { outcome: 'unknown' })).to.equal(
      page.sum('attempts_total', { outcome: 'unknown' }),
    );
    expect(page.sum('attempts_total', { outcome: 'refused', code: '63007' })).to.equal(1);
    expect(page.sum('attempts_total', { outcome: 'refused', code: '21610' })).to.equal(1);
  });

  it('agree with the number of profile requests to Okta', () => {
    const reads = scene.okta.requests.filter(({ path }) => path.startsWith('/api/v1/users/'));
    const isAsked = ['OKTA_RATE_LIMITED', 'OKTA_NOT_FOUND'];
    const refused = isAsked.reduce((sum, reason) => sum + page.sum('profile_reads_total', { reason }), 0);
    expect(page.sum('profile_reads_total', { source: 'okta' }) + refused).to.equal(reads.length);
    expect(page.sum('profile_reads_total', { source: 'cache' })).to.be.greaterThan(5);
    expect(page.sum('profile_reads_total', { reason: 'OKTA_RATE_LIMITED' })).to.equal(1);
    expect(page.sum('profile_reads_total', { reason: 'PAUSED' })).to.equal(1);
    expect(page.sum('okta_pauses_total', { reason: 'RATE_LIMITED' })).to.equal(1);
  });

  it('agree with the sign-ins, the inbound messages and the late failovers', () => {
    expect(page.sum('codes_used_total')).to.equal(done.signedIn).and.to.equal(scene.twilio.feedback.length);
    expect(page.sum('codes_used_total', { channel: 'whatsapp', country: 'GB' })).to.equal(1);
    expect(page.sum('inbound_messages_total')).to.equal(done.wrote);
    expect(page.sum('inbound_messages_total', { keyword: 'help' })).to.equal(1);
    const followed = { from_channel: 'whatsapp', channel: 'sms', outcome: 'accepted', code: 'none' };
    expect(page.sum('late_failovers_total', followed)).to.equal(1);
    expect(page.sum('late_failovers_total')).to.equal(1);
  });

  it('show the host with an open breaker, the state as up, and no call in flight', () => {
    const { host } = new URL(scene.twilio.baseUrl);
    const { host: oktaHost } = new URL(scene.okta.orgUrl);
    expect(page.values('breaker_state', 'host')).to.have.members([oktaHost, host]);
    expect(page.sum('breaker_state', { host: oktaHost })).to.equal(0);
    expect(page.sum('breaker_state', { host })).to.equal(2);
    expect(page.sum('breaker_openings_total', { host })).to.equal(1);
    expect(page.sum('attempts_total', { outcome: 'refused', code: 'BREAKER_OPEN' })).to.equal(1);
    expect(page.sum('state_up')).to.equal(1);
    expect(page.sum('state_losses_total')).to.equal(0);
    expect(page.sum('calls_in_flight')).to.equal(0);
  });
});

describe('a hook with metrics', () => {
  const closers = new Closers();
  afterEach(() => closers.closeAll());

  it('shares a registry with another hook, also after a first one is closed', async () => {
    const metrics = new Registry();
    const scenes: Scene[] = [];
    for (let number = 0; number < 3; number += 1) {
      scenes.push(closers.add(await startScene({ hook: { metrics } }), (opened) => opened.close()));
      if (number === 0) await scenes[0]?.hook.close();
    }
    for (const scene of scenes.slice(1)) await scene.call();
    expect(readPage(await metrics.metrics()).sum('codes_total', { outcome: 'accepted' })).to.equal(2);
    // Gauges show only hooks that are open.
    const shown = await metrics.metrics();
    for (const { okta } of scenes) {
      const isShown = shown.includes(`host="${new URL(okta.orgUrl).host}"`);
      expect(isShown).to.equal(okta !== scenes[0]?.okta);
    }
  });

  it('sends the code even if the metrics of the registry throw', async () => {
    const metrics = new Registry();
    const scene = closers.add(await startScene({ hook: { metrics } }), (opened) => opened.close());
    const registered = metrics.getMetricsAsArray();
    expect(registered).to.have.length.greaterThan(15);
    for (const metric of registered) {
      Object.assign(metric, {
        inc: () => {
          throw new Error('broken');
        },
        observe: () => {
          throw new Error('broken');
        },
      });
    }
    expect(commandOf(await scene.call())?.['status']).to.equal('SUCCESSFUL');
    expect(scene.log.at(-1)?.fields['event']).to.equal('request.answered');
  });
});
