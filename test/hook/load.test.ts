import { once } from 'node:events';
import { expect } from 'chai';
import type sinon from 'sinon';
import { Agent, type Dispatcher } from 'undici';
import type { HookCall } from '#lib/testing/index.js';
import { makeHookPayload } from '#lib/testing/okta/hooks/hook-payload.js';
import { openRaw, rawRequest, type RawConnection } from '#harness/raw-http.js';
import { ANA, BOB, commandOf, CODE, errorOf, HOOK_SECRET, startScene, type Scene } from '#harness/scene.js';
import { stopTime, warmUp } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';

const DEADLINE_MS = 2200;

describe('calls that one turn of the event loop reads', () => {
  it('request their profiles together', async () => {
    const order: string[] = [];
    const agent = new Agent();
    const scene = await startScene({
      hook: {
        dispatcher: {
          dispatch: (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => {
            if (options.path.startsWith('/api/v1/users/')) order.push('profile');
            return agent.dispatch(options, handler);
          },
        },
      },
      mount: (app, hook) => {
        app.use((_req, _res, next) => {
          order.push('call');
          next();
        });
        app.use(hook);
      },
    });
    try {
      const [one, other] = [await openAccepted(scene), await openAccepted(scene)];
      one.socket.write(callFor(ANA, scene));
      other.socket.write(callFor(BOB, scene));
      await Promise.all([one.waitFor(1), other.waitFor(1)]);
      expect(order).to.deep.equal(['call', 'call', 'profile', 'profile']);
    } finally {
      await scene.close();
      await agent.close();
    }
  });
});

/** A connection that the gateway has accepted, so that it reads what comes at once. */
async function openAccepted({ server }: Scene): Promise<RawConnection> {
  const accepted = once(server, 'connection');
  const connection = await openRaw(server);
  await accepted;
  return connection;
}

/** The bytes of a hook call. */
function callFor({ id, login, phone }: typeof ANA | typeof BOB, { okta, url }: Scene): string {
  const user = { userId: id, login, phoneNumber: phone, otpCode: CODE };
  const body = JSON.stringify(makeHookPayload(user, undefined, { orgUrl: okta.orgUrl, now: Date.now() }));
  const headers = [
    ['Authorization', HOOK_SECRET],
    ['Content-Type', 'application/json'],
    ['Content-Length', String(Buffer.byteLength(body))],
  ] as const;
  return rawRequest(new URL(url).pathname, headers, body);
}

describe('the hook under load', () => {
  let scene: Scene;
  let clock: sinon.SinonFakeTimers;
  before(warmUp);
  let users: number;
  /** Another user for each call: the codes of one user would supersede each other. */
  const nextUser = (): { readonly userId: string; readonly login: undefined } => {
    users += 1;
    return { userId: `00u${String(users).padStart(17, '0')}`, login: undefined };
  };
  beforeEach(async () => {
    users = 0;
    scene = await startScene({ hook: { deadlineMs: DEADLINE_MS } });
    clock = stopTime();
  });
  afterEach(async () => {
    clock.restore();
    await scene.close();
  });

  it('answers 140 calls in time while Twilio hangs for half of them', async () => {
    const isHanging = (phoneNumber: unknown): boolean => Number(String(phoneNumber).at(-1)) % 2 === 1;
    scene.twilio.fault({ fault: { kind: 'hang' }, match: ({ form }) => isHanging(form?.['To']) });
    const already = scene.twilio.requests.length;
    let answered = 0;
    const calling = Promise.all(
      Array.from({ length: 140 }, async (_value, index) => {
        const phoneNumber = `+1202555${String(index).padStart(4, '0')}`;
        const call = await scene.call({ ...nextUser(), phoneNumber });
        answered += 1;
        return { call, isHung: isHanging(phoneNumber) };
      }),
    );
    // No call waits for the connection of another one, also with more than the 64 of a usual pool, and half of them are answered at once.
    await until(() => scene.twilio.requests.length === already + 140 && answered === 70);
    clock.tick(DEADLINE_MS);
    const calls = await calling;
    const wanted = { hung: 'PENDING', answered: 'SUCCESSFUL' };
    for (const { call, isHung } of calls) {
      expect(call.httpStatus).to.equal(200);
      expect(commandOf(call)?.['status']).to.equal(isHung ? wanted.hung : wanted.answered);
    }
    expect(scene.twilio.messages.filter(({ channel }) => channel === 'sms')).to.have.length(70);
    expect(scene.hook.status()).to.deep.include({ inFlight: 0, detached: 70 });
  });

  describe('while Twilio is down', () => {
    const call = (): Promise<HookCall> => scene.call({ ...nextUser(), phoneNumber: BOB.phone });
    const breakerState = (): string | undefined =>
      scene.hook.status().breakers[new URL(scene.twilio.baseUrl).host];
    const takeDown = async (): Promise<void> => {
      const already = scene.twilio.requests.length;
      scene.twilio.fault({ kind: 'hang' });
      const calling = Promise.all(Array.from({ length: 5 }, call));
      await until(() => scene.twilio.requests.length === already + 5);
      clock.tick(DEADLINE_MS);
      const calls = await calling;
      expect(calls.map((made) => commandOf(made)?.['status'])).to.deep.equal(Array(5).fill('PENDING'));
    };

    it('opens the breaker after five unknown outcomes, so that Okta sends the code itself', async () => {
      await takeDown();
      expect(breakerState()).to.equal('open');
      const asked = scene.twilio.requests.length;
      const refused = await Promise.all(Array.from({ length: 20 }, call));
      for (const made of refused) {
        expect(errorOf(made)?.errorCauses?.map(({ reason }) => reason?.split(':')[0])).to.deep.equal([
          'BREAKER_OPEN',
        ]);
      }
      expect(scene.twilio.requests).to.have.length(asked);
      const durations = scene.events.flatMap((event) =>
        event.type === 'attempt.ended' && event.code === 'BREAKER_OPEN' ? [event.durationMs] : [],
      );
      expect(durations).to.have.length(20);
      // For a user who opted in.
      expect(errorOf(await scene.call())?.errorCauses?.map(({ errorSummary }) => errorSummary)).to.deep.equal(
        ['Refused by whatsapp', 'Refused by sms'],
      );
    });
  });
});
