import { expect } from 'chai';
import fc from 'fast-check';
import { ANA, CODE } from '#harness/scene.js';
import { keyOfTrouble, oddJson, oddText, oddValue, withOwn } from './arbitraries.js';
import { commandIn, expectAnswer, expectNothingPolluted, expectNoSecretsIn } from './expectations.js';
import { httpAnswer, VENDOR_WORDS, type HttpAnswer } from './http-answers.js';
import { check, PATIENCE_MS, withSeed } from './runs.js';
import {
  ANA_KNOWN,
  CALL_SID,
  EVENT_ID,
  MESSAGE_SID,
  SECRETS,
  startVendorScene,
  type VendorScene,
} from './vendor-scene.js';

/** Refusals after which the hook tries no SMS over the same account: a wrong number, bad credentials. */
const STOPPING: readonly number[] = [21211, 20003];
/** Refusals by a fraud filter: Okta must not send the code either. */
const FRAUD: readonly number[] = [30450];
/** Refusals after which the hook tries the next channel: an opt-out of WhatsApp, a wrong sender, unknown codes. */
const MOVING: readonly number[] = [21610, 63007, 21408, 20429, 45678, 49999];

const refusalBody = fc
  .tuple(
    fc.oneof(
      fc.constantFrom<unknown>(...STOPPING, ...FRAUD, ...MOVING, ...MOVING.map(String)),
      oddValue.filter((value) => !(typeof value === 'number' || typeof value === 'string')),
    ),
    oddValue,
  )
  .map(([code, odd]) =>
    JSON.stringify({
      code,
      message: `${VENDOR_WORDS} ${CODE} ${ANA.phone}`,
      more_info: VENDOR_WORDS,
      status: odd,
    }),
  );

const ids = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(MESSAGE_SID, CALL_SID) },
  fc.constantFrom<unknown>(
    'SM',
    `XX${'ab'.repeat(16)}`,
    ` ${MESSAGE_SID}`,
    `${MESSAGE_SID};channel=voice`,
    `SM${'a'.repeat(5000)}`,
    `SM${CODE} ${ANA.phone}`,
    VENDOR_WORDS,
  ),
  oddValue.filter((value) => typeof value !== 'string'),
);
const successBody = fc
  .record({
    sid: ids,
    status: fc.oneof(
      {
        weight: 4,
        arbitrary: fc.constantFrom<unknown>('queued', 'accepted', 'sending', 'sent', 'delivered', 'read'),
      },
      fc.constantFrom<unknown>('failed', 'undelivered', 'canceled', 'FAILED', VENDOR_WORDS),
      oddValue,
    ),
    error_code: fc.oneof(
      fc.constant<unknown>(null),
      fc.constantFrom<unknown>(...MOVING, ...STOPPING, '63015'),
      oddValue,
    ),
    extra: fc.tuple(keyOfTrouble, oddValue),
  })
  .map(({ extra: [key, value], ...resource }) =>
    JSON.stringify(withOwn({ ...resource, body: `${CODE} ${VENDOR_WORDS}`, to: ANA.phone }, key, value)),
  );

const bodies = fc.oneof(
  { weight: 4, arbitrary: successBody },
  { weight: 4, arbitrary: refusalBody },
  fc.tuple(successBody, fc.nat({ max: 300 })).map(([text, length]) => text.slice(0, length)),
  oddJson,
  oddText,
  fc.constantFrom(
    '',
    `<html>${VENDOR_WORDS}</html>`,
    `\ufeff{"sid":"${MESSAGE_SID}"}`,
    `{"__proto__":{"sid":"${MESSAGE_SID}","status":"queued"}}`,
    `[{"sid":"${MESSAGE_SID}"}]`,
    `"${MESSAGE_SID}"`,
    `{"sid":"${MESSAGE_SID}"} ${VENDOR_WORDS}`,
    '['.repeat(100_000),
  ),
  fc
    .constantFrom(255, 256, 257, 400)
    .map((kib) => `{"sid":"${MESSAGE_SID}","x":"${'x'.repeat(kib * 1024)}"}`),
);

type Class = 'accepted' | 'refused' | 'unknown';

/** The meaning of an answer by section 6 of the contract. Several if parsers may differ. */
function meaningOf(answer: HttpAnswer, isCall: boolean): readonly Class[] {
  if (answer.isComplete === false) return ['unknown'];
  const meaning = meaningOfComplete(answer, isCall);
  return answer.isComplete === undefined ? [meaning, 'unknown'] : [meaning];
}

function meaningOfComplete({ status, body }: HttpAnswer, isCall: boolean): Class {
  const resource = objectIn(body);
  // A refusal is Twilio's only with one of its codes: anything in between may answer, too.
  if (status === 503 || (status >= 300 && status <= 499)) {
    const code = own(resource, 'code');
    const isTwilios = ['number', 'string'].includes(typeof code) && /^[1-9]\d{4,5}$/.test(String(code));
    return isTwilios ? 'refused' : 'unknown';
  }
  if (status >= 300) return 'unknown';
  // Twilio accepted the message, and says in the same answer that it failed.
  const state = own(resource, 'status');
  if (state === 'failed' || state === 'undelivered' || state === 'canceled') return 'refused';
  const sid = own(resource, 'sid');
  const shape = isCall ? /^CA[0-9a-f]{32}$/ : /^(SM|MM)[0-9a-f]{32}$/;
  return typeof sid === 'string' && shape.test(sid) ? 'accepted' : 'unknown';
}

function objectIn(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function own(resource: object, name: string): unknown {
  return Object.getOwnPropertyDescriptor(resource, name)?.value as unknown;
}

/** The code of a refusal; 0 without a code. */
function codeOf({ status, body }: HttpAnswer): number {
  const code = own(objectIn(body), status < 300 ? 'error_code' : 'code');
  return typeof code === 'number' || (typeof code === 'string' && /^\d{5}$/.test(code)) ? Number(code) : 0;
}

describe(withSeed('hostile answers of Twilio'), function () {
  this.timeout(PATIENCE_MS);
  let scene: VendorScene;
  before(async () => {
    scene = await startVendorScene();
    scene.okta.answerWith(() => ANA_KNOWN);
  });
  after(() => scene.close());

  it('have the outcome of the contract, lead to the next channel only after a refusal, and leak no word', async () => {
    await check(
      'answers of Twilio',
      fc.asyncProperty(
        httpAnswer(bodies),
        httpAnswer(bodies),
        fc.boolean(),
        async (first, second, isCall) => {
          const answers = [first, second];
          scene.twilio.answerWith((_request, index) => answers[index]?.raw ?? { pieces: [], then: 'end' });
          const call = await scene.call({ deliveryChannel: isCall ? 'voice call' : 'SMS' });
          await call.closed;
          const { answer, output } = call;
          const body = expectAnswer(answer);
          expect(answer.status).to.equal(200);
          expectNoSecretsIn(SECRETS, answer.body, output);
          expectNothingPolluted();

          const made = scene.twilio.requests.length;
          expect(made).to.be.within(1, isCall ? 1 : 2);
          const meanings = answers.slice(0, made).map((each) => meaningOf(each, isCall));
          // The hook tries the next channel only after a refusal.
          if (made === 2) {
            expect(meanings[0]).to.include('refused');
            expect(STOPPING.concat(FRAUD)).to.not.include(codeOf(first));
          }
          const decisive = made === 2 ? second : first;
          const command = commandIn(body);
          const outcome = outcomeOf(command?.status);
          // The hook answers a fraud filter's refusal with PENDING.
          const isGuarded = command?.provider === 'GUARD';
          expect(meanings.at(-1)).to.include(isGuarded ? 'refused' : outcome);
          if (outcome === 'accepted')
            expect(command?.transactionId).to.equal(isCall ? CALL_SID : MESSAGE_SID);
          if (outcome === 'unknown') expect(command?.transactionId).to.equal(EVENT_ID);
          if (isGuarded) expect(FRAUD).to.include(codeOf(decisive));
          if (outcome === 'refused') {
            expect(body.error?.errorCauses).to.have.length(made);
            // No channel is left that the hook could try.
            const mayStop = isCall || made === 2 || STOPPING.includes(codeOf(first)) || first.status === 401;
            expect(mayStop).to.equal(true);
          }
        },
      ),
      120,
    );
  });
});

function outcomeOf(status: string | undefined): Class {
  if (status === 'SUCCESSFUL') return 'accepted';
  return status === 'PENDING' ? 'unknown' : 'refused';
}
