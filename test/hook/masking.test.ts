import { expect } from 'chai';
import type sinon from 'sinon';
import type { ConnectedChannel, Outcome } from '#lib/index.js';
import { openMemoryState } from '#lib/state/memory/memory-state.js';
import { watchRecords } from '#harness/records.js';
import { CODE, startScene, type HookOptions, type Scene, type SceneOptions } from '#harness/scene.js';
import { stopTime, warmUp } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';
import { expectNoSecrets, mustNotShow, withPlainDigits } from '#harness/witness.js';

/** A user whom only the profile names: Okta's request has the id alone. */
const ZOE = {
  id: '00u1zqvexley00000001',
  login: 'zq.vexley@example.com',
  firstName: 'Zenobia',
  lastName: 'Vexley',
  middleName: 'Quillon',
  phone: '+447700900144',
  otherPhone: '+4532123456',
} as const;

/** Everything that a channel or a function may repeat, in the spellings that people and providers use. */
const LEAKS = [
  ...['204981', '204-981', '2, 0, 4, 9, 8, 1', '２０４９８１', Buffer.from(CODE).toString('hex')],
  ...[ZOE.phone, '07700 900144', '07700/900/144', '07700 - 900 - 144', '07700\u2011900\u2011144'],
  ...['32\u201312\u201334\u201356', "32'12'34'56"],
  ...[ZOE.login, 'zq.vexley', ZOE.firstName, ZOE.lastName.toUpperCase(), ZOE.middleName],
];
/** As they would stand in a text without separators. */
const HIDDEN = ['204981', '900144', '123456', '323034393831', 'vexley', 'zenobia', 'quillon'];
const LEAK = LEAKS.join('; ');

describe('what a channel or a function says', () => {
  let scene: Scene;
  let clock: sinon.SinonFakeTimers | undefined;
  before(warmUp);
  afterEach(async () => {
    clock?.restore();
    clock = undefined;
    await scene.close();
  });

  const start = async (hook: Exclude<SceneOptions['hook'], undefined>): Promise<void> => {
    scene = await startScene({
      hook: (vendors) => ({
        sandboxNumber: undefined,
        senders: undefined,
        ...(typeof hook === 'function' ? hook(vendors) : hook),
      }),
    });
    const { middleName, otherPhone } = ZOE;
    scene.okta.addUser({ ...ZOE, profile: { middleName, mobilePhone: otherPhone } });
    mustNotShow(ZOE.login, ZOE.firstName, ZOE.lastName, middleName, ZOE.phone.slice(1), otherPhone.slice(1));
    // Okta's profile comes in time on any machine.
    clock = stopTime();
  };
  /** Okta names the user by the id alone. */
  const withoutNames = (payload: Record<string, unknown>): unknown => {
    const data = payload['data'] as object;
    return { ...payload, data: { ...data, userProfile: { userId: ZOE.id } } };
  };
  const call = (): ReturnType<Scene['call']> =>
    scene.call({ userId: ZOE.id, login: ZOE.login, phoneNumber: ZOE.phone, change: withoutNames });
  const shown = (...others: readonly unknown[]): string =>
    withPlainDigits(JSON.stringify([scene.log, scene.events, ...others]))
      .replaceAll(ZOE.id, '')
      .replaceAll(/"at":\d+/g, '')
      .toLowerCase();
  const expectHidden = (...others: readonly unknown[]): void => {
    expectNoSecrets();
    const text = shown(...others);
    const compact = text.replace(/[^\p{L}\p{N}]/gu, '');
    for (const hidden of HIDDEN) expect(compact.includes(hidden), hidden).to.equal(false);
  };

  const channelOf = (send: ConnectedChannel['send']): HookOptions => ({ channels: { sms: { send } } });
  const answering = (outcome: Outcome): HookOptions => channelOf(() => Promise.resolve(outcome));
  const accepted = answering({ status: 'accepted', transactionId: 'T1' });
  const refused = { status: 'refused', code: 'NO', reason: 'no' } as const;
  const boom = (): never => {
    throw new Error(LEAK);
  };
  const failing = (): Promise<never> => Promise.reject(new Error(LEAK));
  const cases: readonly (readonly [who: string, hook: HookOptions, action: string])[] = [
    ["a channel's reason", answering({ ...refused, reason: LEAK }), 'error'],
    ["a channel's remedy", answering({ ...refused, remedy: LEAK }), 'error'],
    ["a channel's unknown outcome", answering({ status: 'unknown', reason: LEAK }), 'pending'],
    ['a channel that throws', channelOf(boom), 'pending'],
    ['a channel that rejects', channelOf(failing), 'pending'],
    ['chooseChannels that throws', { ...accepted, chooseChannels: boom }, 'sent'],
    ['composeText that throws', { ...accepted, composeText: boom }, 'sent'],
    ['composeText that rejects', { ...accepted, composeText: failing }, 'sent'],
  ];
  for (const [who, hook, action] of cases) {
    it(`is masked if it comes from ${who}, also a name that only the profile has`, async () => {
      await start(hook);
      const made = await call();
      expect(made.okta.action).to.equal(action);
      // Of an error of `send`, only the class is shown.
      expect(shown(made.body)).to.match(/…|the channel threw/);
      expectHidden(made.body);
    });
  }

  it('is masked in each code and id', async () => {
    let said = '';
    const ids: ConnectedChannel['send'] = () =>
      Promise.resolve({ status: 'accepted', transactionId: `m-${said}`, providerRequestId: `r-${said}` });
    const codes: ConnectedChannel['send'] = () =>
      Promise.resolve({ ...refused, code: `E_${said}`, cause: 'busy' });
    await start({
      channels: { sms: { send: codes }, line: { send: ids } },
      chooseChannels: () => ['line', 'sms'],
    });
    for (const leak of LEAKS) {
      said = leak;
      const made = await call();
      expect(made.okta.action, leak).to.equal('sent');
      expectHidden(made.body);
    }
  });

  it('is masked in what a look-up says, and in the attempts after it', async () => {
    let lookUp: ConnectedChannel['lookUp'] = failing;
    const send: ConnectedChannel['send'] = () => Promise.resolve({ status: 'accepted', transactionId: 'T1' });
    await start({
      channels: {
        line: { send, lookUp: (...args) => lookUp?.(...args) ?? failing() },
        sms: { send: () => Promise.resolve({ ...refused, code: ZOE.lastName, reason: LEAK }) },
      },
      senders: { voice: '+12025550100' },
      chooseChannels: () => ['line', 'sms'],
    });
    await call();
    clock?.tick(3_000);
    await until(() => scene.of('extension.failed').length > 0);
    lookUp = () => Promise.resolve({ status: 'failed', code: ZOE.firstName, reason: LEAK, remedy: LEAK });
    clock?.tick(5_000);
    await until(() => scene.of('failover.ended').length > 0);
    expect(shown()).to.include('…');
    expectHidden();
  });

  it('is masked in a look-up of the channel, even if no function that follows gets the profile', async () => {
    const failed = { status: 'failed', code: 'GONE', reason: `${ZOE.lastName} is away` } as const;
    const send: ConnectedChannel['send'] = () => Promise.resolve({ status: 'accepted', transactionId: 'T1' });
    const profiles: unknown[] = [];
    await start(({ twilio }) => ({
      channels: { line: { send, lookUp: () => Promise.resolve(failed) } },
      senders: { sms: twilio.smsNumber },
      chooseChannels: () => ['line', 'sms'],
      state: watchRecords(openMemoryState(), ({ kind, next }) => {
        if (kind === 'message' && next?.value.status === 'waiting') profiles.push(next.value.receipt.profile);
      }),
    }));
    scene.okta.updateUser(ZOE.id, { department: 'Cartography', displayName: ZOE.firstName });
    await call();
    clock?.tick(3_000);
    await until(() => scene.of('failover.ended').length > 0);
    expect(shown()).to.include('… is away');
    expectHidden();
    // The receipt keeps nothing else of the profile.
    const { login, firstName, lastName, middleName, otherPhone: mobilePhone } = ZOE;
    const email = login;
    const kept = { login, email, firstName, lastName, middleName, displayName: firstName, mobilePhone };
    expect(profiles).to.deep.equal([kept]);
  });

  describe('about a short number', () => {
    for (const [country, number, national] of [
      ['Singapore', '+6581234567', '8123 4567'],
      ['Norway', '+4740612345', '406 12 345'],
      ['Denmark', '+4532123456', '32 12 34 56'],
      ['Hong Kong', '+85251234567', '5123 4567'],
      ['Iceland', '+3546111234', '611-1234'],
      ['Costa Rica', '+50683123456', '8312/3456'],
      ['Niue', '+6838884012', '888 4012'],
    ] as const) {
      it(`of ${country} is masked in its national form`, async () => {
        const compact = national.replace(/\D/g, '');
        mustNotShow(national, compact, number.slice(1));
        const refusing: ConnectedChannel['send'] = () =>
          Promise.resolve({
            ...refused,
            code: `NO_${compact}`,
            reason: `no ${national}, not now`,
            cause: 'busy',
          });
        const id = `true_${national}_3EB0`;
        await start({
          channels: {
            line: { send: refusing },
            sms: { send: () => Promise.resolve({ status: 'accepted', transactionId: id }) },
          },
          chooseChannels: () => ['line', 'sms'],
        });
        const made = await scene.call({ userId: ZOE.id, login: ZOE.login, phoneNumber: number });
        expect(made.okta.action).to.equal('sent');
        expect(shown(made.body)).to.include('no …, not now');
        expect(shown(made.body).replace(/[^a-z0-9]/g, '')).to.not.include(compact);
      });
    }
  });
});

describe('the ids of a call', () => {
  it('are digests if they have a number that cannot be dialled, in any digits', async () => {
    const scene = await startScene();
    try {
      for (const [given, inIds] of [
        ['07700 900123', '07700-900-123'],
        ['07700 900123', '٠٧٧٠٠٩٠٠١٢٣'],
        ['０７７００ ９００１２３', '7700900123'],
        ['0770O 900123', '0770O900123'],
      ] as const) {
        mustNotShow('7700900123', '0770O900123', '07700-900-123');
        const call = await scene.call({
          phoneNumber: given,
          change: (payload) => ({
            ...payload,
            eventId: `event-${inIds}`,
            requestType: `com.example.${inIds}`,
            data: { ...(payload['data'] as object), context: { request: { id: `req-${inIds}` } } },
          }),
        });
        expect(call.okta.action).to.equal('error');
        const text = withPlainDigits(JSON.stringify([scene.log, scene.events, call.body]));
        expect(text.replace(/[^a-z0-9]/gi, '')).to.not.match(/7700900123|770o900123/i);
      }
    } finally {
      await scene.close();
    }
  });
});
