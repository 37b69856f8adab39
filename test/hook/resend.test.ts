import { expect } from 'chai';
import { Registry } from 'prom-client';
import type { ConnectedChannel, HookEventOf, Outcome } from '#lib/index.js';
import { redisState } from '#lib/state/redis/index.js';
import { Closers } from '#harness/closers.js';
import { startGatewayBeside, type GatewayBeside } from '#harness/gateway-beside.js';
import { readPage } from '#harness/metrics-page.js';
import { needRedis, startRedis, type RedisServer } from '#harness/redis-server.js';
import { ANA, BOB, scenes, type HookOptions, type Scene } from '#harness/scene.js';
import { endTime, stopTime } from '#harness/stopped-time.js';
import { defer, until } from '#harness/until.js';

/** The next route of a code that a user requests again, as docs/deliver/resend.md describes it. */

type Call = NonNullable<Parameters<Scene['call']>[0]>;

const REFUSED: Outcome = { status: 'refused', code: 'NO', reason: 'Not today' };
const UNKNOWN: Outcome = { status: 'unknown', reason: 'No answer' };
const OTHER_PHONE = '+447700900456';

const withoutUser = (payload: Record<string, unknown>): void => {
  const { data } = payload as { data: { userProfile?: unknown } };
  delete data.userProfile;
};

/** A provider whose messages the test can see, and on which it reports. */
class Route {
  readonly name: string;
  /** The messages by their ids, with the references of their attempts. */
  readonly sent: { readonly id: string; readonly reference: string }[] = [];
  outcome: Outcome | Promise<Outcome> | undefined;
  readonly #reports: ConnectedChannel['reports'];

  constructor(name: string, reports: ConnectedChannel['reports'] = 'deliveries') {
    this.name = name;
    this.#reports = reports;
  }

  get last(): { readonly id: string; readonly reference: string } {
    return this.sent.at(-1) ?? expect.fail(`${this.name} has sent nothing`);
  }

  channel(): ConnectedChannel {
    return {
      provider: this.name,
      reports: this.#reports,
      send: (_message, { reference }) => {
        const id = `${this.name}-${this.sent.length + 1}`;
        this.sent.push({ id, reference });
        return Promise.resolve(this.outcome ?? { status: 'accepted', transactionId: id });
      },
      receive: {
        handle: ({ rawBody }) => ({ status: 204, reports: JSON.parse(rawBody.toString()) as [] }),
      },
    };
  }
}

describe('a code that its user requests again', () => {
  const startScene = scenes();
  let scene: Scene;
  let one: Route;
  let two: Route;
  let three: Route;
  const REQUESTED_AT = Date.parse('2026-12-01T12:00:00Z');
  /** Three steps: one provider of WhatsApp, and two of SMS. */
  const start = async (hook: HookOptions = {}): Promise<void> => {
    scene = await startScene({
      hasCallbacks: true,
      hook: {
        sandboxNumber: undefined,
        senders: {},
        channels: { whatsapp: one.channel(), sms: [two.channel(), three.channel()] },
        clock: () => REQUESTED_AT,
        ...hook,
      },
    });
  };
  beforeEach(() => {
    [one, two, three] = [new Route('ONE'), new Route('TWO'), new Route('THREE')];
  });

  /** Requests a code, some seconds after the first one. */
  const request = async (eventId: string, afterSeconds = 0, call: Call = {}): Promise<void> => {
    const eventTime = new Date(REQUESTED_AT + afterSeconds * 1000);
    await scene.call({ eventId, eventTime, ...call });
  };
  const report = async (
    route: Route,
    status: 'delivered' | 'failed',
    by: 'id' | 'reference' = 'id',
    url = scene.url,
  ): Promise<void> => {
    const { id, reference } = route.last;
    const path = { ONE: 'whatsapp', TWO: 'sms', THREE: 'sms/1' }[route.name] ?? '';
    const failure = status === 'failed' ? { code: 'LOST', reason: 'Lost', moveOn: true } : {};
    const named = by === 'id' ? { transactionId: id } : { reference };
    const { status: answered } = await fetch(`${url}/callbacks/${path}`, {
      method: 'POST',
      body: JSON.stringify([{ ...named, status, ...failure }]),
    });
    expect(answered).to.equal(204);
  };
  const answered = (eventId: string): HookEventOf<'request.answered'> =>
    scene.of('request.answered').findLast((event) => event.eventId === eventId) ?? expect.fail(eventId);
  /** The provider that was tried first for an event, and the event that it asks again for. */
  const routeOf = (eventId: string): readonly [string | undefined, string | undefined] => {
    const { attempts, resendOf } = answered(eventId);
    return [attempts[0]?.provider, resendOf];
  };
  const settled = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));

  /** What happens to the first code before the second one is requested. */
  const CASES: readonly {
    readonly title: string;
    readonly before?: () => void;
    readonly hook?: HookOptions;
    readonly first?: Call;
    readonly then?: () => Promise<unknown>;
    readonly second?: Call;
    readonly afterSeconds?: number;
    /** The provider that is tried first, and whether the event says that the first code was asked for again. */
    readonly goes: 'ONE' | 'TWO' | 'THREE';
    readonly isResend: boolean;
  }[] = [
    { title: 'nothing says that it was delivered', goes: 'TWO', isResend: true },
    { title: 'the user asks again at once', afterSeconds: 0, goes: 'TWO', isResend: true },
    { title: 'it is 600 s old', afterSeconds: 600, goes: 'TWO', isResend: true },
    { title: 'it is older than 600 s', afterSeconds: 601, goes: 'ONE', isResend: false },
    {
      title: 'it is older than resend.withinSeconds',
      hook: { resend: { withinSeconds: 20 } },
      afterSeconds: 21,
      goes: 'ONE',
      isResend: false,
    },
    {
      title: 'resend.nextRoute is false',
      hook: { resend: { nextRoute: false } },
      goes: 'ONE',
      isResend: false,
    },
    { title: 'it was delivered', then: () => report(one, 'delivered'), goes: 'ONE', isResend: false },
    {
      title: 'it was delivered, as a report with only its reference says',
      then: () => report(one, 'delivered', 'reference'),
      goes: 'ONE',
      isResend: false,
    },
    {
      title: 'it was delivered, with lateFailover: false',
      hook: { lateFailover: false },
      then: () => report(one, 'delivered'),
      goes: 'ONE',
      isResend: false,
    },
    {
      title: 'it was not delivered, with lateFailover: false',
      hook: { lateFailover: false },
      then: () => report(one, 'failed'),
      goes: 'TWO',
      isResend: true,
    },
    {
      title: 'late failover has sent it by the next provider',
      then: async () => {
        await report(one, 'failed');
        await until(() => scene.of('failover.ended').length === 1);
      },
      goes: 'THREE',
      isResend: true,
    },
    {
      title: 'late failover has sent it, and the first message arrived after all',
      then: async () => {
        await report(one, 'failed');
        await until(() => scene.of('failover.ended').length === 1);
        await report(one, 'delivered');
      },
      goes: 'ONE',
      isResend: false,
    },
    {
      title: 'the first provider refused it',
      before: () => {
        one.outcome = REFUSED;
      },
      goes: 'THREE',
      isResend: true,
    },
    {
      title: 'every provider refused it',
      before: () => {
        for (const route of [one, two, three]) route.outcome = REFUSED;
      },
      goes: 'ONE',
      isResend: false,
    },
    {
      title: 'its outcome is unknown',
      before: () => {
        one.outcome = UNKNOWN;
      },
      goes: 'ONE',
      isResend: false,
    },
    {
      title: 'its outcome was unknown, and a report says that it was delivered',
      before: () => {
        one.outcome = UNKNOWN;
      },
      then: () => report(one, 'delivered', 'reference'),
      goes: 'ONE',
      isResend: false,
    },
    {
      title: 'the user has signed in with it',
      then: async () => {
        await scene.registerEventHook();
        await scene.okta.userSignedIn(ANA.id, { published: new Date(REQUESTED_AT + 10_000) });
        await until(() => scene.of('code.used').length === 1);
      },
      goes: 'ONE',
      isResend: false,
    },
    {
      title: 'it is for another request type',
      second: { requestType: 'mfa-enrollment' },
      goes: 'ONE',
      isResend: false,
    },
    { title: 'it is for another phone', second: { phoneNumber: OTHER_PHONE }, goes: 'ONE', isResend: false },
    {
      title: 'it is of another user',
      second: { userId: BOB.id, login: BOB.login },
      goes: 'TWO',
      isResend: false,
    },
    { title: 'it is a preview', first: { preview: true }, goes: 'ONE', isResend: false },
    {
      title: 'the second one is a preview',
      second: { preview: true },
      goes: 'ONE',
      isResend: false,
    },
    {
      title: 'its channel reports no deliveries',
      before: () => {
        one = new Route('ONE', 'failures');
      },
      goes: 'ONE',
      isResend: false,
    },
    {
      title: 'Okta reports no used codes',
      hook: { credentials: { eventHook: false } },
      goes: 'TWO',
      isResend: true,
    },
    {
      title: 'Okta names no user',
      first: { change: withoutUser },
      second: { change: withoutUser },
      goes: 'THREE',
      isResend: true,
    },
  ];

  for (const { title, before, hook, first, then, second, afterSeconds = 30, goes, isResend } of CASES) {
    it(`goes by ${goes === 'ONE' ? 'the same route' : goes} if ${title}`, async () => {
      before?.();
      await start(hook);
      await request('event-1', 0, first);
      await then?.();
      await settled();
      for (const route of [one, two, three]) route.outcome = undefined;
      await request('event-2', afterSeconds, second);
      expect(routeOf('event-2')).to.deep.equal([goes, isResend ? 'event-1' : undefined]);
    });
  }

  it('goes round the order, one route further each time', async () => {
    await start();
    for (let at = 1; at <= 5; at += 1) await request(`event-${at}`, at * 30);
    const routes = [1, 2, 3, 4, 5].map((at) => routeOf(`event-${at}`));
    expect(routes.map(([name]) => name)).to.deep.equal(['ONE', 'TWO', 'THREE', 'ONE', 'TWO']);
    expect(routes.map(([, resendOf]) => resendOf)).to.deep.equal([
      undefined,
      'event-1',
      'event-2',
      'event-3',
      'event-4',
    ]);
    expect(scene.of('channels.planned').map(({ channels }) => channels[0])).to.deep.equal([
      'whatsapp',
      'sms',
      'sms',
      'whatsapp',
      'sms',
    ]);
  });

  it('tries the routes in the new order, with those up to the earlier one at the end', async () => {
    await start();
    await request('event-1');
    for (const route of [two, three]) route.outcome = REFUSED;
    await request('event-2', 30);
    expect(answered('event-2').attempts.map(({ provider }) => provider)).to.deep.equal([
      'TWO',
      'THREE',
      'ONE',
    ]);
    expect(scene.of('channels.planned')[1]).to.deep.include({
      channels: ['sms', 'whatsapp'],
      resendOf: 'event-1',
      resendOfChannel: 'whatsapp',
    });
  });

  it('is no other code with a single route', async () => {
    await start({ channels: { sms: one.channel() } });
    await request('event-1');
    await request('event-2', 30);
    expect(routeOf('event-2')).to.deep.equal(['ONE', undefined]);
    expect(scene.of('channels.planned')[1]).to.deep.include({ channels: ['sms'], resendOf: undefined });
  });

  it('moves nothing if the earlier route is not in the order any more', async () => {
    let whatsapp = 100;
    await start({ rollout: () => ({ whatsapp }) });
    await request('event-1');
    whatsapp = 0;
    await request('event-2', 30);
    expect(routeOf('event-2')).to.deep.equal(['TWO', undefined]);
  });

  it('is no repeat of the same event', async () => {
    await start();
    await request('event-1');
    await request('event-1', 0);
    expect(scene.of('request.answered').map(({ isRepeat, resendOf }) => [isRepeat, resendOf])).to.deep.equal([
      [false, undefined],
      [true, undefined],
    ]);
    expect([one, two, three].map(({ sent }) => sent.length)).to.deep.equal([1, 0, 0]);
  });

  it('is no voice call', async () => {
    const calls = new Route('ONE');
    await start({ channels: { whatsapp: two.channel(), voice: [calls.channel(), three.channel()] } });
    for (const eventId of ['event-1', 'event-2']) await request(eventId, 30, { deliveryChannel: 'CALL' });
    expect(routeOf('event-2')).to.deep.equal(['ONE', undefined]);
  });

  it('goes by the same route if the report on the earlier one came before the answer to its send', async () => {
    await start();
    const sending = defer<Outcome>();
    one.outcome = sending.promise;
    const first = request('event-1');
    await until(() => one.sent.length === 1);
    await report(one, 'delivered');
    sending.resolve({ status: 'accepted', transactionId: one.last.id });
    await first;
    one.outcome = undefined;
    await settled();
    await request('event-2', 30);
    expect(routeOf('event-2')).to.deep.equal(['ONE', undefined]);
  });

  it('takes the next route within the list of the country of the number', async () => {
    const sms = { default: [one.channel(), two.channel()], IN: [three.channel(), two.channel()] };
    await start({ channels: { sms } });
    for (let at = 1; at <= 3; at += 1)
      await request(`event-${at}`, at * 30, { phoneNumber: '+919876543210' });
    expect([1, 2, 3].map((at) => routeOf(`event-${at}`))).to.deep.equal([
      ['THREE', undefined],
      ['TWO', 'event-1'],
      ['THREE', 'event-2'],
    ]);
    await request('event-4', 120);
    expect(routeOf('event-4')).to.deep.equal(['ONE', undefined]);
    expect(scene.of('channels.planned')[1]).to.deep.include({
      providersOf: { sms: 'IN' },
      resendOf: 'event-1',
      resendOfChannel: 'sms',
    });
  });

  describe('by a channel that is asked for its deliveries', () => {
    const asked = (): ConnectedChannel => ({
      provider: 'ONE',
      reports: 'deliveries',
      send: () => Promise.resolve({ status: 'accepted', transactionId: 'ONE-1' }),
      lookUp: () => Promise.resolve({ status: 'delivered' }),
    });
    const channels = (): HookOptions['channels'] => ({ whatsapp: asked(), sms: two.channel() });

    it('goes by the same route once it says that the earlier one was delivered', async () => {
      await start({ channels: channels() });
      await scene.hook.ready();
      const clock = stopTime();
      await request('event-1');
      clock.tick(3_000);
      await until(() => scene.of('message.reported').length === 1);
      endTime(clock);
      await request('event-2', 30);
      expect(routeOf('event-2')).to.deep.equal(['ONE', undefined]);
    });

    it('goes by the same route if nothing asks it, because late failover is off', async () => {
      await start({ channels: channels(), lateFailover: false });
      await request('event-1');
      await request('event-2', 30);
      expect(routeOf('event-2')).to.deep.equal(['ONE', undefined]);
    });
  });

  it('is told by log, metric and event', async () => {
    const metrics = new Registry();
    await start({ metrics });
    await request('event-1');
    await request('event-2', 30);
    await request('event-3', 60);
    const line = (message: string): string =>
      scene.log.filter(({ fields }) => fields['eventId'] === message).at(-1)?.message ?? '';
    expect(line('event-1')).to.not.include('again');
    expect(line('event-2')).to.include(
      'The user asked again, and nothing says that the code by WhatsApp arrived: this one went by SMS first.',
    );
    expect(line('event-3')).to.include(
      'nothing says that the code by SMS arrived: this one went by another provider first.',
    );
    expect(answered('event-2')).to.include({ resendOf: 'event-1', resendOfChannel: 'whatsapp' });
    const page = readPage(await metrics.metrics());
    expect(page.sum('resends_total')).to.equal(2);
    expect(page.sum('resends_total', { channel: 'whatsapp' })).to.equal(1);
    expect(page.sum('resends_total', { channel: 'sms' })).to.equal(1);
  });

  describe('of gateways on one Redis', () => {
    let redis: RedisServer;
    let other: GatewayBeside;
    const closers = new Closers();
    const servers = new Closers();
    before(async function () {
      needRedis(this);
      redis = servers.add(await startRedis(), (server) => server.close());
    });
    after(() => servers.closeAll());
    afterEach(() => closers.closeAll());
    beforeEach(async () => {
      await redis.admin.flushall();
      await start({ state: shared() });
      await startOther([two, three]);
      await scene.hook.ready();
    });
    const shared = () =>
      redisState({ connection: redis.url, encryptionKeys: [Buffer.alloc(32, 7).toString('base64')] });
    /** Starts the other gateway with these providers of SMS. */
    const startOther = async (sms: readonly Route[]): Promise<void> => {
      const beside = await startGatewayBeside(scene, {
        sandboxNumber: undefined,
        senders: {},
        guard: { perUser: false, perNumber: false },
        channels: { whatsapp: one.channel(), sms: sms.map((route) => route.channel()) },
        publicUrl: 'https://id.example.com/okta/telephony',
        clock: () => REQUESTED_AT,
        state: shared(),
      });
      other = closers.add(beside, (gateway) => gateway.close());
      await other.hook.ready();
    };
    /** The other gateway reports an event before Redis has it. Redis answers each of its commands in turn. */
    const written = async (): Promise<void> => {
      for (let commands = 0; commands < 5; commands += 1) await other.hook.suppressions(ANA.phone);
    };
    const routeThere = (eventId: string): readonly (string | undefined)[] => {
      for (const event of other.events)
        if (event.type === 'request.answered' && event.eventId === eventId)
          return [event.attempts[0]?.provider, event.resendOf];
      return [];
    };

    it('goes by the next route, whichever of them sent the earlier one', async () => {
      await request('event-1');
      await written();
      await request('event-2', 30, { url: other.url });
      expect(routeThere('event-2')).to.deep.equal(['TWO', 'event-1']);
      await written();
      await request('event-3', 60);
      expect(routeOf('event-3')).to.deep.equal(['THREE', 'event-2']);
    });

    it('goes by the same route if the report came to the other one', async () => {
      await request('event-1');
      await report(one, 'delivered', 'id', other.url);
      await until(() => other.events.some(({ type }) => type === 'message.reported'));
      await written();
      await request('event-2', 30);
      expect(routeOf('event-2')).to.deep.equal(['ONE', undefined]);
    });

    it('goes by the same route if the report came to the other one, which knows an older one', async () => {
      await request('event-1', 0, { url: other.url });
      await report(one, 'delivered', 'id', other.url);
      await written();
      await request('event-2', 30);
      expect(routeOf('event-2')).to.deep.equal(['ONE', undefined]);
      await report(one, 'delivered', 'id', other.url);
      await until(() => other.events.filter(({ type }) => type === 'message.reported').length === 2);
      await written();
      await request('event-3', 60);
      expect(routeOf('event-3')).to.deep.equal(['ONE', undefined]);
    });

    it('goes by the same route if the other one heard of its use, also a while later', async () => {
      await scene.registerEventHook(`${other.url}/events`);
      await request('event-1');
      await scene.okta.userSignedIn(ANA.id, { published: new Date(REQUESTED_AT + 10_000) });
      await until(() => other.events.some(({ type }) => type === 'code.used'));
      await written();
      await request('event-2', 300);
      expect(routeOf('event-2')).to.deep.equal(['ONE', undefined]);
    });

    it('goes by the first step if the provider of the earlier one has another place there', async () => {
      await startOther([three, two]);
      const withoutWhatsApp: Call = { userId: BOB.id, login: BOB.login };
      await request('event-1', 0, withoutWhatsApp);
      expect(routeOf('event-1')).to.deep.equal(['TWO', undefined]);
      await written();
      await request('event-2', 30, { ...withoutWhatsApp, url: other.url });
      expect(routeThere('event-2')).to.deep.equal(['THREE', undefined]);
    });

    it('goes by the next route while Redis is lost, if the same one sent the earlier one', async () => {
      await request('event-1');
      await written();
      await redis.close();
      await request('event-2', 30);
      expect(routeOf('event-2')).to.deep.equal(['TWO', 'event-1']);
      redis = servers.add(await startRedis(), (server) => server.close());
    });
  });
});
