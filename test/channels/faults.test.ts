import { expect } from 'chai';
import { Agent } from 'undici';
import type sinon from 'sinon';
import type { Fault } from '#lib/testing/index.js';
import { commandOf, type Scene } from '#harness/scene.js';
import { stopTime, warmUp } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';
import { sendBy } from './message.js';
import { DEADLINE_MS, startGateway, SUBJECTS, type Provider, type Subject } from './subjects.js';

/** A provider's fault, and the outcome: its own, or the code of the refusal. */
type Condition = readonly [
  title: string,
  fault: Fault | undefined,
  expected: 'accepted' | 'unknown' | { refused: string },
];

const refused = (code: string) => ({ refused: code });
const html = (status: number): Fault => ({ kind: 'html', status });

/** What a proxy or a service mesh answers in place of the provider, which may have read the request by then. */
const PAGES: readonly (readonly [title: string, page: Fault])[] = [
  ...[302, 303, 400, 401, 403, 404, 408, 413, 429, 500, 502, 503, 504].map(
    (status) => [`HTML with ${status}`, html(status)] as const,
  ),
  ["Envoy's JSON with 503", { kind: 'status', status: 503, body: { status: 503, message: 'no upstream' } }],
  ["a gateway's JSON with 503", { kind: 'status', status: 503, body: { code: 503, message: 'No' } }],
  ["a gateway's sentence with 403", { kind: 'status', status: 403, body: { message: 'Forbidden' } }],
  ["a gateway's word with 403", { kind: 'status', status: 403, body: { type: 'forbidden', title: 'No' } }],
  [
    "a gateway's error object with 403",
    {
      kind: 'status',
      status: 403,
      body: { error: { code: 403, message: 'No', status: 'PERMISSION_DENIED' } },
    },
  ],
  ['an empty 401', { kind: 'empty', status: 401 }],
  ...[
    'https://gateway.example/?of=https://developer.vonage.com/',
    'https://vonage.com.example/',
    'https://notvonage.com/',
  ].map(
    (type) => [`a problem of ${type}`, { kind: 'status', status: 403, body: { type, title: 'No' } }] as const,
  ),
];

const conditionsOf = ({ refusal, refusalCode, unknownStatuses = [] }: Subject): readonly Condition[] => [
  ['fine', undefined, 'accepted'],
  ...[303, 400, 401, 403, 404, 413, 415, 429, 503].map((status): Condition => [
    `its own ${status}`,
    refusal(status),
    unknownStatuses.includes(status) ? 'unknown' : refused(refusalCode ?? `HTTP_${status}`),
  ]),
  ...[500, 502, 504].map((status): Condition => [`its own ${status}`, refusal(status), 'unknown']),
  ...PAGES.map(([title, page]): Condition => [
    `${title} in place of the provider, which accepted the message`,
    { ...page, delivered: true },
    'unknown',
  ]),
  ['redirect', { kind: 'redirect' }, 'unknown'],
  ['reset', { kind: 'reset' }, 'unknown'],
  ['reset before the body was read', { kind: 'resetOnConnect' }, 'unknown'],
  ['truncated', { kind: 'truncated' }, 'unknown'],
  ['endless', { kind: 'endless' }, 'unknown'],
  ['malformed', { kind: 'malformed' }, 'unknown'],
  ['html with a success status', html(200), 'unknown'],
  ['an empty success', { kind: 'empty' }, 'unknown'],
  ['a success without an id', { kind: 'status', status: 200, body: {} }, 'unknown'],
];

/** The command of an answer to Okta. */
type Command = Readonly<Record<string, string>>;

/** The number of messages and calls by Twilio. */
const sentByTwilio = ({ twilio }: Scene): number => twilio.messages.length + twilio.calls.length;

for (const subject of SUBJECTS) {
  const { title, name, requestsIfUnknown = 1 } = subject;

  describe(`a faulty ${title}`, () => {
    let provider: Provider;
    let scene: Scene | undefined;
    let clock: sinon.SinonFakeTimers | undefined;
    before(warmUp);
    beforeEach(async () => {
      provider = await subject.open();
    });
    afterEach(async () => {
      clock?.restore();
      await Promise.all([provider.close(), scene?.close()]);
      scene = undefined;
    });

    it('takes only its own refusal for one, and sends nothing twice', async () => {
      const dispatcher = new Agent();
      for (const [condition, fault, expected] of conditionsOf(subject)) {
        const requests = provider.requests.length;
        const { sent } = provider;
        if (fault !== undefined) provider.fault(fault);
        const outcome = await sendBy(provider.channel, name, dispatcher);
        const got = outcome.status === 'refused' ? refused(outcome.code) : outcome.status;
        expect(got, condition).to.deep.equal(expected);
        const most = expected === 'unknown' ? requestsIfUnknown : 1;
        expect(provider.requests, condition).to.have.length(requests + most);
        expect(provider.sent - sent, `${condition}: messages`).to.be.at.most(1);
        provider.clearFaults();
      }
      expect(provider.redirectHits).to.equal(0);
      await dispatcher.close();
    });

    /** A gateway whose first channel is the faulty one. */
    const startWithCall = async (): Promise<{ scene: Scene; call: () => Promise<Command> }> => {
      const { deliveryChannel = 'SMS' } = subject;
      const gateway = await startGateway(subject, provider);
      scene = gateway;
      return { scene: gateway, call: async () => commandOf(await gateway.call({ deliveryChannel })) ?? {} };
    };
    const own = { provider: subject.provider };
    const byTwilio = { status: 'SUCCESSFUL', provider: 'TWILIO' };
    const refusalOf = ({ transactionMetadata = '' }: Command): string | undefined =>
      /;refused=(.*)$/.exec(transactionMetadata)?.[1];

    it('is followed by Twilio only after its own refusal', async () => {
      const { scene, call } = await startWithCall();
      expect(await call()).to.include({ status: 'SUCCESSFUL', ...own });
      provider.fault({ ...html(503), delivered: true });
      expect(await call()).to.include({ status: 'PENDING', ...own });
      expect(sentByTwilio(scene)).to.equal(0);
      provider.clearFaults();
      provider.fault(subject.refusal(400));
      const followed = await call();
      expect(followed).to.include(byTwilio);
      expect(refusalOf(followed)).to.equal(`${name}:${subject.refusalCode ?? 'HTTP_400'}`);
      expect(sentByTwilio(scene)).to.equal(1);
      expect(provider.sent).to.equal(2);
    });

    it('leaves time to answer if it hangs, and the user gets no second code', async () => {
      const { scene, call } = await startWithCall();
      clock = stopTime();
      provider.fault({ kind: 'hang', delivered: true });
      const answer = call();
      await until(() => provider.sent > 0);
      clock.tick(DEADLINE_MS);
      expect(await answer).to.include({ status: 'PENDING', ...own });
      expect(sentByTwilio(scene)).to.equal(0);
      expect(provider.requests.length).to.be.at.most(requestsIfUnknown);
      expect(provider.sent).to.equal(1);
    });

    it('gets no request after five unknown outcomes in a row, and the next channel sends the code', async () => {
      const { scene, call } = await startWithCall();
      provider.fault(html(503));
      for (let count = 0; count < 5; count += 1) {
        expect(await call()).to.include({ status: 'PENDING', ...own });
      }
      const followed = await call();
      expect(followed).to.include(byTwilio);
      expect(refusalOf(followed)).to.equal(`${name}:BREAKER_OPEN`);
      expect(provider.requests).to.have.length(5 * requestsIfUnknown);
      const open = Object.values(scene.hook.status().breakers).filter((state) => state === 'open');
      expect(open).to.have.length(1);
    });
  });
}
