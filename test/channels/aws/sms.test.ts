import { expect } from 'chai';
import { Agent } from 'undici';
import { awsSms, type AwsCredentials, type AwsSmsOptions } from '#lib/channels/index.js';
import type { Message } from '#lib/core/channel.js';
import { IS_UNDEFINED } from '#lib/core/option-rules.js';
import { oktaTelephonyHook, twilioMessages } from '#lib/index.js';
import { startAwsEmulator, type AwsEmulator } from '#lib/testing/index.js';
import { connectChannel, contextOf, REFERENCE } from '#harness/channels.js';
import { fakeClock } from '#harness/fake-clock.js';
import {
  ANA,
  CODE,
  commandOf,
  scenes,
  TO_BOB,
  usualCredentials,
  type HookOptions,
  type Scene,
} from '#harness/scene.js';
import { mustNotShow } from '#harness/witness.js';
import { sendBy } from '../message.js';
import { problemsOf } from '../options.js';

const NOW = Date.parse('2026-11-25T12:00:00Z');

describe('AWS', () => {
  let aws: AwsEmulator;
  let scene: Scene;
  let now: number;
  beforeEach(async () => {
    now = NOW;
    aws = await startAwsEmulator({ clock: () => now });
    mustNotShow(...Object.values(aws.credential.credentials));
  });
  afterEach(() => aws.close());
  const startScene = scenes();
  const start = async (options: Partial<AwsSmsOptions> = {}, hook: HookOptions = {}): Promise<void> => {
    scene = await startScene({
      hook: {
        sandboxNumber: undefined,
        clock: () => now,
        channels: { sms: [awsSms({ ...aws.credential, ...options }), twilioMessages()] },
        ...hook,
      },
    });
  };
  const attempts = (): unknown[] =>
    scene
      .of('attempt.ended')
      .map(({ channel, provider, outcome, code }) => [channel, provider, outcome, code]);

  it("gets the text with the code's lifetime, the attempt's reference and no field that has no value", async () => {
    await start();
    const command = commandOf(await scene.call());
    expect(command).to.include({ status: 'SUCCESSFUL', provider: 'AWS' });
    const [message] = aws.messages;
    expect(command?.['transactionId']).to.equal(message?.messageId);
    const { attempt } = message?.fields['Context'] as { readonly attempt: string };
    expect(attempt).to.match(/^[\w-]{8,64}$/);
    expect(message?.fields).to.deep.equal({
      DestinationPhoneNumber: ANA.phone,
      OriginationIdentity: aws.credential.originationIdentity,
      MessageBody: `Your code is ${CODE}`,
      MessageType: 'TRANSACTIONAL',
      ConfigurationSetName: aws.credential.configurationSet,
      TimeToLive: 300,
      // AWS counts a message without feedback as failed, and a gateway may have no event hook.
      MessageFeedbackEnabled: false,
      Context: { attempt },
    });
    const [request] = aws.requests;
    expect(request?.headers).to.include({
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'PinpointSMSVoiceV2.SendTextMessage',
      'user-agent': 'okta-telephony-hook',
    });
    expect(scene.of('attempt.ended')[0]?.providerRequestId).to.match(/^[0-9a-f-]{36}$/);
  });

  it('gets the price, the DLT ids for India alone, and the wish for feedback if feedback is true', async () => {
    const dlt = { entityId: '1101234567890', contentId: '1107161234567' };
    const { send } = connectChannel(
      awsSms({ ...aws.credential, dlt, maxPrice: 0.05, feedback: true, topicArn: undefined }),
      { channel: 'sms', clock: () => now },
    );
    const message = { text: 'x', locale: 'en', profile: undefined, expiresAt: new Date(now + 1) };
    // The channel reads no field of the request.
    const request = {} as Parameters<typeof send>[0]['request'];
    for (const to of ['+919876543210', ANA.phone]) {
      expect(await send({ ...message, request, to }, contextOf())).to.include({ status: 'accepted' });
    }
    const [indian, other] = aws.messages.map(({ fields }) => fields);
    expect(indian).to.deep.include({
      MaxPrice: '0.05000',
      // The shortest that AWS takes.
      TimeToLive: 5,
      MessageFeedbackEnabled: true,
      Context: { attempt: REFERENCE },
      DestinationCountryParameters: { IN_ENTITY_ID: dlt.entityId, IN_TEMPLATE_ID: dlt.contentId },
    });
    expect(other).to.not.have.property('DestinationCountryParameters');
  });

  it('gets feedback when a code is used, if feedback is true', async () => {
    await start({ feedback: true });
    await scene.call();
    const channel = connectChannel(awsSms({ ...aws.credential, feedback: true }), {
      channel: 'sms',
      clock: () => now,
    });
    const [message] = aws.messages;
    await channel.confirm?.(String(message?.messageId), contextOf());
    expect(aws.feedback).to.deep.equal([{ messageId: message?.messageId, status: 'RECEIVED' }]);
    const refused = await channel.confirm?.('another-id', contextOf()).catch((error: unknown) => error);
    expect(refused).to.include({ code: 'PROVIDER_REFUSED', providerCode: 'ResourceNotFoundException' });
    const silent = connectChannel(awsSms(aws.credential), { channel: 'sms' });
    expect(silent.confirm).to.equal(undefined);
  });

  it('takes neither a fault of AWS nor an exception that it does not know for a refusal', async () => {
    const dispatcher = new Agent();
    now = Date.now();
    for (const [status, type] of [
      [500, 'InternalServerException'],
      [400, 'InternalServerException'],
      [503, 'ServiceUnavailableException'],
      [503, 'ThrottlingException'],
      [408, 'RequestTimeoutException'],
      [409, 'AnExceptionThatIsNew'],
      [403, 'AnExceptionThatIsNew'],
      // A reason and an event are no exceptions, and each object inherits the other.
      [400, 'PRICE_OVER_THRESHOLD'],
      [400, 'TEXT_INVALID'],
      [400, 'constructor'],
    ] as const) {
      aws.refuseWith({ type, status, times: 1 });
      const { status: outcome } = await sendBy(awsSms(aws.credential), 'sms', dispatcher);
      expect(outcome, `${status} ${type}`).to.equal('unknown');
    }
    await dispatcher.close();
  });

  describe('is asked by ready()', () => {
    const state = async (options: Partial<AwsSmsOptions> = {}): Promise<unknown> => {
      await start(options);
      return (await scene.hook.ready()).channels['sms[0]'];
    };

    it('if it would take a message, which it does not send', async () => {
      expect(await state()).to.equal('ok');
      expect(JSON.parse(aws.requests[0]?.body ?? '')).to.include({
        DryRun: true,
        DestinationPhoneNumber: '+14254147755',
      });
      expect(aws.messages).to.be.empty;
    });

    it('and is ready if the sender cannot reach the country of the test alone', async () => {
      aws.refuseWith({ type: 'ValidationException', reason: 'INVALID_IDENTITY_FOR_DESTINATION_COUNTRY' });
      expect(await state()).to.equal('ok');
      aws.clearFaults();
      aws.refuseWith({
        type: 'ValidationException',
        reason: 'INVALID_PARAMETER',
        field: 'DestinationPhoneNumber',
      });
      expect(await state()).to.equal('ok');
    });

    it('and names a wrong key, a sender that it does not have, and no answer', async () => {
      const keys = { ...aws.credential.credentials, secretAccessKey: 'another-secret-key' };
      mustNotShow(keys.secretAccessKey);
      expect(await state({ credentials: keys })).to.include({
        code: 'PROVIDER_REFUSED',
        providerCode: 'InvalidSignatureException',
      });
      expect(await state({ originationIdentity: 'ACME' }))
        .to.include({ code: 'PROVIDER_REFUSED', providerCode: 'ResourceNotFoundException' })
        .and.to.have.property('remedy');
      expect(await state({ credentials: () => Promise.reject(new Error('no role')) })).to.include({
        code: 'PROVIDER_REFUSED',
        providerCode: 'NO_CREDENTIALS',
      });
      aws.fault({ kind: 'reset' });
      expect(await state()).to.include({ code: 'PROVIDER_UNREACHABLE' });
      aws.clearFaults();
      aws.fault({ kind: 'empty', status: 200 });
      expect(await state()).to.include({ code: 'PROVIDER_UNREADABLE' });
    });
  });

  describe('with a function for its keys', () => {
    let asked: number;
    let keys: () => Promise<AwsCredentials>;
    beforeEach(() => {
      asked = 0;
      keys = () => Promise.resolve({ ...aws.credential.credentials, expiration: new Date(NOW + 3_600_000) });
    });
    const credentials = (): Promise<AwsCredentials> => {
      asked += 1;
      return keys();
    };
    const connected = () =>
      connectChannel(awsSms({ ...aws.credential, credentials }), { channel: 'sms', clock: () => now });
    // The channel reads no other field.
    const MESSAGE = { to: ANA.phone, text: 'x', expiresAt: new Date(NOW) } as Message;

    it('asks once for the messages of an hour, and again five minutes before the keys expire', async () => {
      await start({ credentials });
      await Promise.all([scene.call(), scene.call(TO_BOB)]);
      now = NOW + 3_299_000;
      await scene.call();
      expect(asked).to.equal(1);
      now = NOW + 3_301_000;
      keys = () => Promise.resolve({ ...aws.credential.credentials, sessionToken: 'new' });
      await scene.call();
      expect(asked).to.equal(2);
      expect(aws.messages).to.have.length(3);
      expect(aws.requests.at(-1)?.headers).to.include({ 'x-amz-security-token': 'new' });
    });

    it('goes on with the old keys while no new ones come, also if the clock is set back', async () => {
      for (const [expiration, passedMs] of [
        [new Date(NOW + 3_600_000), 3_301_000],
        [new Date(NOW + 3_600_000), -1_000],
        [undefined, 301_000],
        [undefined, -1_000],
      ] as const) {
        asked = 0;
        now = NOW;
        keys = () => Promise.resolve({ ...aws.credential.credentials, expiration });
        const channel = connected();
        expect(await channel.send(MESSAGE, contextOf())).to.include({ status: 'accepted' });
        now += passedMs;
        keys = () => Promise.reject(new Error('secret-of-the-role'));
        expect(await channel.send(MESSAGE, contextOf()), String(passedMs)).to.include({ status: 'accepted' });
        expect(asked).to.equal(2);
      }
    });

    it('asks every five minutes if the keys have no expiration', async () => {
      keys = () => Promise.resolve(aws.credential.credentials);
      await start({ credentials });
      await scene.call();
      now += 299_000;
      await scene.call();
      expect(asked).to.equal(1);
      now += 2_000;
      await scene.call();
      expect(asked).to.equal(2);
    });

    it('asks again after AWS has refused the keys', async () => {
      await start({ credentials });
      aws.refuseWith({ type: 'ExpiredTokenException', times: 1 });
      await scene.call();
      await scene.call();
      expect(asked).to.equal(2);
      expect(aws.messages).to.have.length(1);
    });

    it('is followed by Twilio if the keys are missing, wrong or expired', async () => {
      for (const wrong of [
        () => Promise.reject(new Error('secret-of-the-role')),
        () => {
          throw new Error('secret-of-the-role');
        },
        () => Promise.resolve({ ...aws.credential.credentials, secretAccessKey: 'two\nlines' }),
        () => Promise.resolve({ ...aws.credential.credentials, expiration: new Date(NOW) }),
        () => Promise.resolve(undefined as never),
      ]) {
        keys = wrong;
        await start({ credentials });
        await scene.call();
        await scene.call();
        expect(attempts()[0]).to.deep.equal(['sms', 'AWS', 'refused', 'NO_CREDENTIALS']);
        expect(scene.twilio.messages).to.have.length(2);
      }
      expect(asked).to.equal(10);
      expect(aws.requests).to.be.empty;
    });

    it('is followed by Twilio if the keys do not come within a second, and uses them when they are there', async () => {
      let come: (found: AwsCredentials) => void = () => undefined;
      keys = () => new Promise((resolve) => (come = resolve));
      const channel = connected();
      const clock = fakeClock(['setTimeout', 'clearTimeout']);
      const leaving = new AbortController();
      try {
        const waiting = channel.send(MESSAGE, contextOf());
        await clock.tickAsync(1_000);
        expect(await waiting).to.include({ status: 'refused', code: 'NO_CREDENTIALS', hasLeft: false });
        const short = channel.send(MESSAGE, { ...contextOf(), leaveSignal: leaving.signal });
        leaving.abort();
        expect(await short).to.include({ code: 'NO_CREDENTIALS' });
        // A function that never ends is asked again after ten seconds.
        await clock.tickAsync(9_000);
        const again = channel.send(MESSAGE, contextOf());
        await clock.tickAsync(1_000);
        await again;
      } finally {
        clock.restore();
      }
      expect(asked).to.equal(2);
      come(aws.credential.credentials);
      expect(await channel.send(MESSAGE, contextOf())).to.include({ status: 'accepted' });
      expect(asked).to.equal(2);
    });
  });

  it('cannot be mounted as voice', async () => {
    await start();
    const make = () =>
      oktaTelephonyHook({
        credentials: usualCredentials(scene.okta, scene.twilio),
        channels: { voice: awsSms(aws.credential) },
      });
    expect(problemsOf(make)).to.deep.equal([
      'channels.voice: awsSms sends texts; mount it under another name than voice',
    ]);
  });
});

describe('the options of awsSms', () => {
  const SECRET = 'aws-secret-4f9d';
  const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: SECRET };
  const usual = { region: 'eu-central-1', originationIdentity: '+4915550100100', credentials: keys };
  const problems = (options: unknown): readonly string[] =>
    problemsOf(() => awsSms(options as AwsSmsOptions)).map((problem) =>
      problem.replace(`. It ${IS_UNDEFINED}`, ''),
    );
  beforeEach(() => {
    mustNotShow(SECRET);
  });
  const REGION = 'region must be an AWS Region, such as eu-central-1';
  const IDENTITY =
    'originationIdentity must be the sender: a number, a sender id or a pool, by its id or its ARN';
  const KEYS =
    'credentials must be an object with accessKeyId, secretAccessKey and for temporary keys sessionToken, or a function that resolves to one';
  const PRICE =
    'maxPrice must be a price in US dollars from 0.00001 to 99.99999, such as 0.05, or be left out';
  const rows: readonly (readonly [problems: readonly string[], ...options: unknown[]])[] = [
    [
      [],
      usual,
      { ...usual, region: 'us-gov-west-1', originationIdentity: 'ACME', topicArn: undefined },
      { ...usual, originationIdentity: 'arn:aws:sms-voice:us-east-1:111122223333:pool/pool-1' },
      { ...usual, configurationSet: 'codes', topicArn: 'arn:aws:sns:eu-central-1:111122223333:otp-events' },
      { ...usual, credentials: () => Promise.resolve(keys), maxPrice: '.05', feedback: true },
      { ...usual, credentials: { ...keys, sessionToken: 'x', expiration: new Date() }, maxPrice: 99.99999 },
      {
        ...usual,
        dlt: { entityId: '1', contentId: { default: '2' } },
        baseUrl: 'https://vpce-1.sms-voice.example',
      },
    ],
    [['The options must be an object'], undefined, null, 'text', [usual]],
    [[REGION, IDENTITY, KEYS], {}],
    [[REGION], ...['Frankfurt', 'eu-central', '', 1].map((region) => ({ ...usual, region }))],
    [
      [IDENTITY],
      ...['', 'a b', 'x'.repeat(257), 1].map((originationIdentity) => ({ ...usual, originationIdentity })),
    ],
    [
      [KEYS],
      ...[
        null,
        SECRET,
        { accessKeyId: 'a' },
        { ...keys, secretAccessKey: 'two words' },
        { ...keys, sessionToken: '' },
        { ...keys, expiration: 'tomorrow' },
        { ...keys, expiration: new Date('no') },
      ].map((credentials) => ({ ...usual, credentials })),
    ],
    [
      [PRICE],
      ...[0, -1, 100, '0.05 USD', '1', 'x', '.00000', NaN, null].map((maxPrice) => ({ ...usual, maxPrice })),
    ],
    [
      ['topicArn must be the ARN of an SNS topic, or be left out'],
      ...['otp-events', 'arn:aws:sqs:eu-central-1:111122223333:q'].map((topicArn) => ({
        ...usual,
        topicArn,
      })),
    ],
    [
      [
        'secret is not an option; remove it, or look for a misspelling',
        'configurationSet must be the name or the ARN of a configuration set, or be left out',
        "dlt.entityId must be your organisation's id at DLT, as text without spaces",
        'feedback must be true or false, or be left out',
        'baseUrl must be an origin without a path, such as https://sms-voice.eu-central-1.amazonaws.com; https, or http on loopback, or be left out',
      ],
      {
        ...usual,
        secret: SECRET,
        configurationSet: 'a b',
        dlt: { contentId: '1' },
        feedback: 'yes',
        baseUrl: 'http://aws.example',
      },
    ],
  ];
  it('are accepted if valid, otherwise refused with every problem, its remedy and no value', () => {
    for (const [expected, ...given] of rows) {
      for (const [index, options] of given.entries()) {
        expect(problems(options), `${expected.join()} ${index}`).to.deep.equal(expected);
      }
    }
  });

  it('reach the endpoint of the region by default', () => {
    const channel = connectChannel(awsSms(usual), { channel: 'sms' });
    expect(channel.host).to.equal('sms-voice.eu-central-1.amazonaws.com');
    expect(channel.receive).to.equal(undefined);
  });
});
