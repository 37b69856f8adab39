import { expect } from 'chai';
import type sinon from 'sinon';
import type { Fault, HookCall } from '#lib/testing/index.js';
import { commandOf } from '#harness/scene.js';
import { stopTime, warmUp } from '#harness/stopped-time.js';
import { until } from '#harness/until.js';
import { SUBJECTS, type Subject, type SubjectKind } from './subjects.js';

const DEADLINE_MS = 2200;
const SLOW_MS = 20;
/** At most this much of the deadline may pass for the slow one; its connection may take more. */
const MOST_SLOW_MS = 400;
const SLOW = 'slow, but in time';

/** A provider's fault for every request, and the outcome: its own, or the code of the refusal that Twilio follows. */
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

const conditionsOf = ({ refusal, refusalCode, unknownStatuses = [] }: SubjectKind): readonly Condition[] => [
  ['fine', undefined, 'accepted'],
  [SLOW, { kind: 'slow', delayMs: SLOW_MS }, 'accepted'],
  ...[303, 400, 401, 403, 404, 413, 415, 429, 503].map((status): Condition => [
    `its own ${status}`,
    refusal(status),
    unknownStatuses.includes(status) ? 'unknown' : refused(refusalCode ?? `HTTP_${status}`),
  ]),
  ...[500, 502, 504].map((status): Condition => [`its own ${status}`, refusal(status), 'unknown']),
  ...PAGES.flatMap(([title, page]): Condition[] => [
    [`${title} in place of the provider`, { ...page, delivered: false }, 'unknown'],
    [`${title} after the message was accepted`, { ...page, delivered: true }, 'unknown'],
  ]),
  ['redirect', { kind: 'redirect' }, 'unknown'],
  ['hang', { kind: 'hang' }, 'unknown'],
  ['hang, though the phone gets it', { kind: 'hang', delivered: true }, 'unknown'],
  ['reset', { kind: 'reset' }, 'unknown'],
  ['reset before the body was read', { kind: 'resetOnConnect' }, 'unknown'],
  ['drip', { kind: 'drip' }, 'unknown'],
  ['truncated', { kind: 'truncated' }, 'unknown'],
  ['endless', { kind: 'endless' }, 'unknown'],
  ['malformed', { kind: 'malformed' }, 'unknown'],
  ['html with a success status', html(200), 'unknown'],
  ['an empty success', { kind: 'empty' }, 'unknown'],
  ['a success without an id', { kind: 'status', status: 200, body: {} }, 'unknown'],
];

/** The conditions under which a request does not end by itself. */
const ENDLESS: readonly string[] = ['hang', 'hang, though the phone gets it', 'drip', 'endless'];

function expectedOf(kind: SubjectKind, expected: Condition[2]): object {
  if (expected === 'accepted') return { status: 'SUCCESSFUL', provider: kind.name, refused: '', byTwilio: 0 };
  if (expected === 'unknown') return { status: 'PENDING', provider: kind.name, refused: '', byTwilio: 0 };
  return {
    status: 'SUCCESSFUL',
    provider: 'TWILIO',
    refused: `${kind.channel}:${expected.refused}`,
    byTwilio: 1,
  };
}

/** The number of messages and calls by Twilio. */
const sentByTwilio = ({ scene: { twilio } }: Subject): number => twilio.messages.length + twilio.calls.length;

function resultOf(call: HookCall, subject: Subject): object {
  const command = commandOf(call);
  return {
    status: command?.['status'],
    provider: command?.['provider'],
    refused: /;refused=(.*)$/.exec(command?.['transactionMetadata'] ?? '')?.[1] ?? '',
    byTwilio: sentByTwilio(subject),
  };
}

for (const kind of SUBJECTS) {
  describe(`a faulty ${kind.title}`, () => {
    const { deliveryChannel = 'SMS' } = kind;
    const request = { deliveryChannel };
    let subjects: readonly Subject[] = [];
    let clock: sinon.SinonFakeTimers | undefined;
    before(warmUp);
    afterEach(async () => {
      clock?.restore();
      await Promise.all(subjects.map((subject) => subject.close()));
    });

    it('leaves time to answer; another channel follows only its own refusal; no user gets two codes', async () => {
      const conditions = conditionsOf(kind);
      subjects = await Promise.all(conditions.map(() => kind.start({ deadlineMs: DEADLINE_MS })));
      clock = stopTime();
      const ended = new Set<string>();
      const cells = conditions.map(([title, fault, expected], index) => {
        const subject = subjects[index] as Subject;
        if (fault !== undefined) subject.provider.fault(fault);
        const result = subject.scene.call(request).then((call) => {
          ended.add(title);
          return [title, resultOf(call, subject)] as const;
        });
        return {
          ...{ title, subject, result, isUnknown: expected === 'unknown' },
          expected: [title, expectedOf(kind, expected)] as const,
        };
      });
      await until(() => cells.every(({ subject }) => subject.provider.requests.length > 0));
      // The slow provider may begin to wait only after its request was seen.
      let spentMs = 0;
      await until(() => {
        if (!ended.has(SLOW) && spentMs < MOST_SLOW_MS) {
          clock?.tick(SLOW_MS);
          spentMs += SLOW_MS;
        }
        return cells.every(({ title }) => ended.has(title) || ENDLESS.includes(title));
      });
      clock.tick(DEADLINE_MS - spentMs);
      const results = await Promise.all(cells.map(({ result }) => result));
      expect(Object.fromEntries(results)).to.deep.equal(
        Object.fromEntries(cells.map(({ expected }) => expected)),
      );
      for (const { title, subject, isUnknown } of cells) {
        const { provider } = subject;
        const { requestsIfUnknown = 1 } = kind;
        const most = isUnknown ? requestsIfUnknown : 1;
        // A hanging request leaves a repeat no time in this test.
        const least = ENDLESS.includes(title) ? 1 : most;
        expect(provider.requests.length, `${title}: requests`).to.be.within(least, most);
        expect(provider.sent + sentByTwilio(subject), `${title}: messages`).to.be.at.most(1);
        expect(provider.redirectHits, `${title}: redirects`).to.equal(0);
      }
    });

    for (const status of [500, 503, 404]) {
      it(`gets no request after five pages with ${status} in a row, and the next channel sends the code`, async () => {
        const subject = await kind.start();
        subjects = [subject];
        subject.provider.fault(html(status));
        for (let count = 0; count < 5; count += 1) {
          expect(commandOf(await subject.scene.call(request))).to.include({
            status: 'PENDING',
            provider: kind.name,
          });
        }
        const call = await subject.scene.call(request);
        expect(commandOf(call)).to.include({ status: 'SUCCESSFUL', provider: 'TWILIO' });
        expect(commandOf(call)?.['transactionMetadata']).to.match(
          new RegExp(`;refused=${kind.channel}:BREAKER_OPEN$`),
        );
        expect(subject.provider.requests).to.have.length(5 * (kind.requestsIfUnknown ?? 1));
        const open = Object.values(subject.scene.hook.status().breakers).filter((state) => state === 'open');
        expect(open).to.have.length(1);
      });
    }
  });
}
