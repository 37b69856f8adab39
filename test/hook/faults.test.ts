import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type sinon from 'sinon';
import { Agent, type Dispatcher } from 'undici';
import { requireTwilio } from '#lib/channels/twilio/client.js';
import type { Fault, HookCall, OktaEmulator, TwilioEmulator } from '#lib/testing/index.js';
import { REFUSING_ORIGIN } from '#harness/free-port.js';
import { commandOf, errorOf, startScene, usualCredentials, type Scene } from '#harness/scene.js';
import { passTime, stopTime, warmUp } from '#harness/stopped-time.js';
import { isNightly } from '#harness/thoroughness.js';
import { until } from '#harness/until.js';

const DEADLINE_MS = 2200;
/** The part of it for the profile request. */
const PROFILE_MS = 800;
const SLOW_MS = 20;

/** What a user of the hook cares about: the answer to Okta, its provider and reason, and what was sent. */
interface Result {
  readonly httpStatus: number | undefined;
  readonly status: string;
  /** `channel:code` of each refusal. */
  readonly refused: string;
  readonly okta: string;
  /** The channel of each request to Twilio. */
  readonly asked: string;
}

function resultOf(call: HookCall, scene: Scene): Result {
  const command = commandOf(call);
  const causes = errorOf(call)?.errorCauses ?? [];
  const channelOf = (cause: Readonly<Record<string, string>>): string =>
    (cause['errorSummary'] ?? '').replace('Refused by ', '');
  return {
    httpStatus: call.httpStatus,
    status: command === undefined ? 'ERROR' : `${command['status']} by ${command['provider']}`,
    refused:
      command === undefined
        ? causes.map((cause) => `${channelOf(cause)}:${cause['reason']?.split(':')[0]}`).join()
        : (/;refused=(.*)$/.exec(command['transactionMetadata'] ?? '')?.[1] ?? ''),
    okta: call.okta.action,
    asked: scene.twilio.requests
      .map(({ form }) => {
        if (form === undefined) return 'unread';
        return String(form['To']).startsWith('whatsapp:') ? 'whatsapp' : 'sms';
      })
      .join(' '),
  };
}

/** For a dispatcher that sends nothing. */
const CONTROLLER: Dispatcher.DispatchController = {
  aborted: false,
  paused: false,
  reason: null,
  abort: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
};

type OktaCondition = readonly [title: string, misbehave: (okta: OktaEmulator) => void];
const FINE: OktaCondition = ['fine', () => undefined];
const BAD_OKTAS: readonly OktaCondition[] = [
  ...[401, 403, 404, 429, 500].map((status): OktaCondition => [
    String(status),
    (okta) => {
      okta.fault({ kind: 'status', status, body: { errorCode: 'E0000011', errorSummary: 'No' } });
    },
  ]),
  [
    'HTML',
    (okta) => {
      okta.fault({ kind: 'html', status: 200 });
    },
  ],
  ...(['hang', 'reset', 'drip', 'truncated', 'endless', 'redirect'] as const).map((kind): OktaCondition => [
    kind,
    (okta) => {
      okta.fault({ kind });
    },
  ]),
];

/**
 * How Twilio answers every request, and the result with the channels of the plan. test/channels/twilio/outcome.test.ts says which
 * answers are refusals.
 */
type TwilioCondition = readonly [
  title: string,
  misbehave: (twilio: TwilioEmulator) => void,
  expected: (plan: readonly string[]) => Omit<Result, 'httpStatus'>,
];

const accepted: TwilioCondition[2] = ([first = '']) => ({
  status: 'SUCCESSFUL by TWILIO',
  refused: '',
  okta: 'sent',
  asked: first,
});
const unknown: TwilioCondition[2] = ([first = '']) => ({
  status: 'PENDING by TWILIO',
  refused: '',
  okta: 'pending',
  asked: first,
});
const refusedByAll =
  (code: string): TwilioCondition[2] =>
  (plan) => ({
    status: 'ERROR',
    refused: plan.map((channel) => `${channel}:${code}`).join(),
    okta: 'error',
    asked: plan.join(' '),
  });
const refusedAtOnce =
  (code: string): TwilioCondition[2] =>
  ([first = '']) =>
    refusedByAll(code)([first]);
const blocked: TwilioCondition[2] = ([first = '']) => ({
  status: 'PENDING by GUARD',
  refused: `${first}:30450`,
  okta: 'pending',
  asked: first,
});

const fault =
  (how: Fault): TwilioCondition[1] =>
  (twilio) => {
    twilio.fault(how);
  };
const refuse =
  (code: number): TwilioCondition[1] =>
  (twilio) => {
    twilio.refuseWith({ code });
  };

const TWILIOS: readonly TwilioCondition[] = [
  ['fine', () => undefined, accepted],
  ['400, a wrong number', refuse(21211), refusedAtOnce('21211')],
  // An opt-out applies to its channel only.
  ['400, an opt-out', refuse(21610), refusedByAll('21610')],
  ['400, a fraud block', refuse(30450), blocked],
  ['401, bad credentials', refuse(20003), refusedAtOnce('20003')],
  ['429', refuse(20429), refusedByAll('20429')],
  // Anything between the gateway and Twilio may answer without a code, also after Twilio has the message.
  [
    'a page with 503, though the phone gets it',
    fault({ kind: 'html', status: 503, delivered: true }),
    unknown,
  ],
  ['hang', fault({ kind: 'hang' }), unknown],
  ['hang, though the phone gets it', fault({ kind: 'hang', delivered: true }), unknown],
  ['reset', fault({ kind: 'reset' }), unknown],
  [
    'reset before the body was read',
    fault({ kind: 'resetOnConnect' }),
    (plan) => ({ ...unknown(plan), asked: 'unread' }),
  ],
  ['drip', fault({ kind: 'drip' }), unknown],
  ['truncated', fault({ kind: 'truncated' }), unknown],
  ['endless', fault({ kind: 'endless' }), unknown],
  ['malformed', fault({ kind: 'malformed' }), unknown],
  ['slow, but in time', fault({ kind: 'slow', delayMs: SLOW_MS }), accepted],
  ['redirect', fault({ kind: 'redirect' }), unknown],
];

/** One condition for each kind of answer. A quick run combines only these with an Okta that hangs. */
const EACH_KIND: readonly string[] = [
  'fine',
  '400, a wrong number',
  '400, a fraud block',
  '429',
  'hang',
  'reset',
  'slow, but in time',
];

/** An Okta that hangs leaves Twilio the least time. Any other one changes only the plan. */
const quickConditionsFor = (okta: string): readonly string[] =>
  okta === 'hang' ? EACH_KIND : ['fine', 'hang'];

/** The faults of Okta and Twilio that never end. */
const ENDLESS: readonly string[] = ['hang', 'hang, though the phone gets it', 'drip', 'endless'];

describe('the hook with a faulty Okta or Twilio', () => {
  let scenes: readonly Scene[] = [];
  let clock: sinon.SinonFakeTimers | undefined;
  before(warmUp);
  afterEach(async () => {
    clock?.restore();
    await Promise.all(scenes.map((scene) => scene.close()));
  });

  /** Calls one hook for each Twilio condition, all with the same Okta condition, at once. */
  async function expectRow(
    [okta, misbehave]: OktaCondition,
    plan: readonly string[],
    twilios: readonly TwilioCondition[],
  ): Promise<void> {
    scenes = await Promise.all(twilios.map(() => startScene({ hook: { deadlineMs: DEADLINE_MS } })));
    clock = stopTime();
    const answers = new Map<string, HookCall>();
    const cells = twilios.map(([title, spoil, expectedOf], index) => {
      const scene = scenes[index] as Scene;
      misbehave(scene.okta);
      spoil(scene.twilio);
      const result = scene.call().then((call) => {
        answers.set(title, call);
        return [title, resultOf(call, scene)] as const;
      });
      const expected = [title, { httpStatus: 200, ...expectedOf(plan) }] as const;
      return { title, scene, result, expected };
    });
    const untilEach = (isThere: (cell: (typeof cells)[number]) => boolean): Promise<void> =>
      until(() => cells.every((cell) => answers.has(cell.title) || isThere(cell)));

    if (ENDLESS.includes(okta)) {
      await untilEach(({ scene }) => scene.okta.requests.length > 0);
      clock.tick(PROFILE_MS);
    }
    await untilEach(({ scene }) => scene.twilio.requests.length > 0);
    clock.tick(SLOW_MS);
    await untilEach(({ title }) => ENDLESS.includes(title));
    // All calls began in the same moment of this clock.
    clock.tick(DEADLINE_MS - SLOW_MS - (ENDLESS.includes(okta) ? PROFILE_MS : 0));
    const results = await Promise.all(cells.map(({ result }) => result));
    expect(Object.fromEntries(results)).to.deep.equal(
      Object.fromEntries(cells.map(({ expected }) => expected)),
    );
    for (const { title, scene } of cells) {
      const { twilio } = scene;
      expect(twilio.messages.length, `${title}: messages sent`).to.be.at.most(1);
      expect(twilio.redirectHits + scene.okta.redirectHits, `${title}: redirects`).to.equal(0);
      expect(twilio.calls, `${title}: calls`).to.be.empty;
    }
  }

  it('gives the right answer to each fault of Twilio, by WhatsApp and then by SMS', () =>
    expectRow(FINE, ['whatsapp', 'sms'], TWILIOS));

  it('is tested with one Twilio condition of each kind in quick runs', () => {
    const chosen = TWILIOS.filter(([title]) => EACH_KIND.includes(title));
    expect(chosen).to.have.length(EACH_KIND.length);
    const results = (conditions: readonly TwilioCondition[]): ReadonlySet<string> =>
      new Set(conditions.map(([, , expectedOf]) => expectedOf(['sms']).status));
    expect(results(chosen)).to.deep.equal(results(TWILIOS));
  });

  for (const condition of BAD_OKTAS) {
    it(`gives the right answer by SMS if Okta's API gives ${condition[0]}`, () =>
      expectRow(
        condition,
        ['sms'],
        isNightly ? TWILIOS : TWILIOS.filter(([title]) => quickConditionsFor(condition[0]).includes(title)),
      ));
  }
});

describe('the hook with an unreachable Twilio', () => {
  let clock: sinon.SinonFakeTimers | undefined;
  afterEach(() => {
    clock?.restore();
  });
  const unreachable = async (baseUrl: string | undefined, dispatcher?: Dispatcher): Promise<Result> => {
    const scene = await startScene({
      hook: ({ okta, twilio }) => {
        const usual = usualCredentials(okta, twilio);
        return {
          dispatcher,
          credentials: { twilio: { ...usual.twilio, baseUrl: baseUrl ?? twilio.baseUrl } },
        };
      },
    });
    try {
      if (dispatcher === undefined) return resultOf(await scene.call(), scene);
      clock = stopTime();
      return resultOf(await passTime(clock, scene.call(), DEADLINE_MS), scene);
    } finally {
      clock?.restore();
      await scene.close();
    }
  };
  const listen = async (): Promise<{ port: number; close: () => void }> => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return { port, close: () => server.close() };
  };
  const REFUSED = {
    httpStatus: 200,
    status: 'ERROR',
    refused: 'whatsapp:UNREACHABLE,sms:UNREACHABLE',
    okta: 'error',
    asked: '',
  };

  it('answers UNREACHABLE, not PENDING, if the connection is refused', async () => {
    expect(await unreachable(REFUSING_ORIGIN)).to.deep.equal(REFUSED);
  });

  it('answers UNREACHABLE if the host name is not found', async () => {
    expect(await unreachable('https://twilio.invalid')).to.deep.equal(REFUSED);
  });

  it('answers UNREACHABLE if TLS fails', async () => {
    const { port, close } = await listen();
    expect(await unreachable(`https://127.0.0.1:${port}`)).to.deep.equal(REFUSED);
    close();
  });

  it('answers UNREACHABLE within the deadline if every connect hangs', async () => {
    // Connects to Okta hang, too, so the hook cannot read the profile.
    const agent = new Agent({ connect: () => undefined });
    expect(await unreachable(undefined, agent)).to.deep.equal({ ...REFUSED, refused: 'sms:UNREACHABLE' });
    await agent.destroy();
  });

  it('sends by the next provider if the connect to Twilio hangs', async () => {
    const agent = new Agent({ connect: () => undefined });
    const scene = await startScene({
      hook: {
        dispatcher: agent,
        channels: {
          sms: [
            {
              connect: ({ twilio }) => ({
                provider: 'TWILIO',
                send: async (_message, context) => {
                  const port = requireTwilio(twilio, 'sms');
                  const { kind } = await port.call((client) => client.messages('SM1').fetch(), context);
                  return { status: 'refused', code: kind, reason: 'stalled' };
                },
              }),
              send: () => Promise.resolve({ status: 'unknown', reason: 'not connected' }),
            },
            { provider: 'OTHER', send: () => Promise.resolve({ status: 'accepted', transactionId: '1' }) },
          ],
        },
      },
    });
    clock = stopTime();
    const call = await passTime(clock, scene.call(), DEADLINE_MS);
    clock.restore();
    expect(resultOf(call, scene)).to.include({
      status: 'SUCCESSFUL by OTHER',
      refused: 'sms:not-sent',
    });
    await scene.close();
    await agent.destroy();
  });

  it('sends by the next channel if its provider is reachable', async () => {
    const scene = await startScene({
      hook: ({ okta, twilio }) => ({
        credentials: {
          twilio: { ...usualCredentials(okta, twilio).twilio, baseUrl: REFUSING_ORIGIN },
        },
        channels: { sms: { send: () => Promise.resolve({ status: 'accepted', transactionId: '1' }) } },
      }),
    });
    expect(resultOf(await scene.call(), scene)).to.include({
      status: 'SUCCESSFUL by SMS',
      refused: 'whatsapp:UNREACHABLE',
    });
    await scene.close();
  });
});

describe('a second request for one message', () => {
  const LONG_DEADLINE_MS = 2800;
  const REFUSED_AFTER_MS = 1800;

  it('counts as not sent if it waits for a connection at the deadline, so that Okta may send the code', async () => {
    const agent = new Agent();
    let calls = 0;
    /** Refuses the callback URL late, and has no connection left for the request without it. */
    const scene = await startScene({
      hook: ({ twilio }) => ({
        publicUrl: 'https://id.acme.example/okta/telephony',
        deadlineMs: LONG_DEADLINE_MS,
        sandboxNumber: undefined,
        dispatcher: {
          dispatch: (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => {
            if (options.origin !== twilio.baseUrl) return agent.dispatch(options, handler);
            calls += 1;
            if (calls === 1) {
              handler.onRequestStart?.(CONTROLLER, {});
              setTimeout(() => {
                handler.onResponseStart?.(CONTROLLER, 400, {});
                handler.onResponseData?.(CONTROLLER, Buffer.from('{"code":21609}'));
                handler.onResponseEnd?.(CONTROLLER, {});
              }, REFUSED_AFTER_MS);
            }
            return true;
          },
        },
      }),
    });
    const clock = stopTime();
    try {
      const calling = scene.call();
      await until(() => calls === 1);
      clock.tick(REFUSED_AFTER_MS);
      await until(() => calls === 2);
      await clock.tickAsync(LONG_DEADLINE_MS - REFUSED_AFTER_MS);
      expect(resultOf(await calling, scene)).to.include({ status: 'ERROR', refused: 'sms:UNREACHABLE' });
    } finally {
      clock.restore();
      await scene.close();
    }
    await agent.destroy();
  });
});
