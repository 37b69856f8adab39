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
  ["a gateway's code with 403", { kind: 'status', status: 403, body: { type: 'FORBIDDEN', title: 'No' } }],
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

    it('leaves time to answer if it hangs, and the user gets no second code', async () => {
      const { deliveryChannel = 'SMS' } = subject;
      scene = await startGateway(subject, provider);
      clock = stopTime();
      provider.fault({ kind: 'hang', delivered: true });
      const answer = scene.call({ deliveryChannel });
      await until(() => provider.sent > 0);
      clock.tick(DEADLINE_MS);
      expect(commandOf(await answer)).to.include({ status: 'PENDING', provider: subject.provider });
      expect(scene.twilio.messages.length + scene.twilio.calls.length).to.equal(0);
      expect(provider.requests.length).to.be.at.most(requestsIfUnknown);
      expect(provider.sent).to.equal(1);
    });
  });
}
