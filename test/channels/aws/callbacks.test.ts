import { expect } from 'chai';
import { awsSms } from '#lib/channels/index.js';
import type { CallbackAnswer, HttpRequest, HttpResult, SendContext } from '#lib/index.js';
import { twilioMessages } from '#lib/index.js';
import { startAwsEmulator, type AwsEmulator, type SnsFields } from '#lib/testing/index.js';
import { selfSigned } from '#lib/testing/aws/certificate.js';
import { connectChannel, contextOf } from '#harness/channels.js';
import { commandOf, scenes, type Scene } from '#harness/scene.js';
import { until } from '#harness/until.js';
import { mustNotShow } from '#harness/witness.js';

const HOUR_MS = 3_600_000;

describe('the events of AWS', () => {
  let aws: AwsEmulator;
  let scene: Scene;
  beforeEach(async () => {
    aws = await startAwsEmulator({ callbackDelayMs: 1 });
    mustNotShow(...Object.values(aws.credential.credentials));
  });
  afterEach(() => aws.close());
  const startScene = scenes();
  const start = async ({ isSubscribed = true } = {}): Promise<void> => {
    scene = await startScene({
      hasCallbacks: true,
      hook: { sandboxNumber: undefined, channels: { sms: [awsSms(aws.credential), twilioMessages()] } },
    });
    if (!isSubscribed) return;
    expect(await aws.subscribe(`${scene.url}/callbacks/sms`)).to.equal(200);
  };
  const texts = (): number => scene.twilio.messages.length;
  const reported = (): unknown[] =>
    scene
      .of('message.reported')
      .flatMap(({ status, report }) => (status.startsWith('TEXT_') ? [[status, report]] : []));
  const failedOver = (): boolean => scene.of('failover.ended').length > 0;

  it('come after the channel has confirmed the subscription, and tell what became of a message', async () => {
    await start({ isSubscribed: false });
    expect(aws.isSubscribed).to.equal(false);
    expect(await aws.subscribe(`${scene.url}/callbacks/sms`)).to.equal(200);
    expect(aws.isSubscribed).to.equal(true);
    const call = await scene.call({ eventId: 'event-1' });
    await until(() => reported().length === 3);
    expect(reported()).to.deep.equal([
      ['TEXT_QUEUED', 'pending'],
      ['TEXT_SENT', 'pending'],
      ['TEXT_DELIVERED', 'delivered'],
    ]);
    expect(scene.of('message.reported')[0]).to.include({
      eventId: 'event-1',
      channel: 'sms',
      transactionId: commandOf(call)?.['transactionId'],
    });
    await until(() => aws.callbacks.every(({ httpStatus }) => httpStatus === 200));
    expect(texts()).to.equal(0);
  });

  it('start late failover once, also twice and in any order', async () => {
    await start();
    aws.failLater({ eventType: 'TEXT_UNREACHABLE' });
    aws.faultCallbacks({ copies: 2, isReversed: true });
    await scene.call();
    await until(() => aws.callbacks.filter(({ httpStatus }) => httpStatus === 200).length === 6);
    await until(failedOver);
    expect(scene.of('failover.ended')).to.have.length(1);
    expect(scene.of('failover.ended')[0]).to.deep.nested.include({
      'cause.code': 'TEXT_UNREACHABLE',
      outcome: 'accepted',
      provider: 'TWILIO',
    });
    expect(texts()).to.equal(1);
    expect(reported()).to.have.length(3);
  });

  it('resolve an unknown outcome by the reference of the attempt', async () => {
    await start();
    aws.fault({ kind: 'truncated' });
    aws.failLater({ eventType: 'TEXT_CARRIER_BLOCKED' });
    expect((await scene.call()).okta.action).to.equal('pending');
    await until(failedOver);
    expect(scene.of('attempt.settled')[0]).to.include({
      outcome: 'accepted',
      transactionId: aws.messages[0]?.messageId,
    });
    expect(texts()).to.equal(1);
  });

  it('do not start late failover if AWS has heard nothing, or if a network has the message', async () => {
    await start();
    for (const eventType of ['TEXT_UNKNOWN', 'TEXT_SUCCESSFUL', 'TEXT_SOMETHING_NEW']) {
      aws.failLater({ eventType, times: 1 });
      await scene.call();
      await until(() => reported().some((report) => String(report) === `${eventType},pending`));
    }
    expect(texts()).to.equal(0);
  });

  describe('are refused', () => {
    const post = (body: string): Promise<number | undefined> => aws.post(`${scene.url}/callbacks/sms`, body);
    const event = (): object => ({
      eventType: 'TEXT_UNREACHABLE',
      messageId: aws.messages[0]?.messageId,
      context: {},
    });
    /** A signed message that is changed afterwards. */
    const tampered = (changed: SnsFields, signed?: SnsFields): string =>
      JSON.stringify({ ...(JSON.parse(aws.sign(event(), signed)) as object), ...changed });

    it('if the signature, the topic, the time or the certificate is not right, and reported once a minute', async () => {
      await start({ isSubscribed: false });
      await scene.call();
      const { topicArn } = aws.credential;
      const other = await startAwsEmulator();
      try {
        const stale = new Date(Date.now() - HOUR_MS - 60_000).toISOString();
        const early = new Date(Date.now() + HOUR_MS + 60_000).toISOString();
        const pem = (JSON.parse(aws.sign('')) as { SigningCertURL: string }).SigningCertURL;
        for (const body of [
          '',
          'no JSON',
          '[]',
          JSON.stringify({ Type: 'Notification' }),
          JSON.stringify(event()),
          tampered({ Message: JSON.stringify({ ...event(), eventType: 'TEXT_DELIVERED' }) }),
          tampered({ Signature: '' }),
          tampered({ Signature: 'AAAA' }),
          tampered({ Subject: 'An added one' }),
          tampered({ Type: 'UnsubscribeConfirmation', Token: 't', SubscribeURL: 'https://a.example/' }),
          tampered({ Type: 'constructor' }),
          tampered({ Timestamp: new Date().toISOString().replace('Z', '0Z') }),
          aws.sign(event(), { SignatureVersion: '1' }),
          tampered({ SignatureVersion: '2' }, { SignatureVersion: '1' }),
          aws.sign(event(), { TopicArn: `${topicArn}2` }),
          aws.sign(event(), { Timestamp: stale }),
          aws.sign(event(), { Timestamp: early }),
          aws.sign(event(), { Timestamp: 'now' }),
          // Signed by a key whose certificate is elsewhere, or under another name.
          other.sign(event(), { TopicArn: topicArn }),
          aws.sign(event(), { SigningCertURL: `${pem}?a=b` }),
          aws.sign(event(), { SigningCertURL: pem.replace('/Simple', '/a/Simple') }),
          aws.sign(event(), { SigningCertURL: `${aws.baseUrl}/another.pem` }),
          aws.sign(event(), {
            SigningCertURL: 'https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem',
          }),
          aws.sign(event(), { SigningCertURL: 'nowhere' }),
        ]) {
          expect(await post(body), body).to.equal(403);
        }
      } finally {
        await other.close();
      }
      expect(reported()).to.be.empty;
      expect(texts()).to.equal(0);
      expect(scene.of('request.rejected')).to.have.length(1);
      expect(scene.of('request.rejected')[0]).to.include({ code: 'BAD_SIGNATURE', channel: 'sms' });
    });

    it('until the certificate can be fetched', async () => {
      await start({ isSubscribed: false });
      await scene.call();
      const missing = `${aws.baseUrl}/SimpleNotificationService-0.pem`;
      // Nothing of it is known yet: SNS sends it again.
      expect(await post(aws.sign(event(), { SigningCertURL: missing }))).to.equal(503);
      expect(texts()).to.equal(0);
    });

    it('before and after SNS changed its key, not', async () => {
      await start({ isSubscribed: false });
      await scene.call();
      const before = aws.sign({ ...event(), eventType: 'TEXT_QUEUED' });
      aws.rotateCertificate();
      const after = aws.sign({ ...event(), eventType: 'TEXT_SENT' });
      expect(await post(after)).to.equal(200);
      expect(await post(before)).to.equal(200);
      expect(reported()).to.deep.equal([
        ['TEXT_SENT', 'pending'],
        ['TEXT_QUEUED', 'pending'],
      ]);
    });

    it('as reports if they are none, and answered', async () => {
      await start({ isSubscribed: false });
      await scene.call();
      for (const message of [
        'an alarm',
        '{}',
        { ...event(), messageId: 7 },
        { ...event(), eventType: 'VOICE_COMPLETED' },
        { ...event(), eventType: undefined },
      ]) {
        expect(await post(aws.sign(message))).to.equal(200);
      }
      expect(await post(aws.sign({ ...event(), eventType: 'TEXT_SENT', context: { attempt: 7 } }))).to.equal(
        200,
      );
      expect(
        await post(aws.sign({ ...event(), eventType: 'TEXT_QUEUED' }, { Subject: 'With one' })),
      ).to.equal(200);
      expect(reported()).to.have.length(2);
      expect(texts()).to.equal(0);
    });
  });

  describe('of a subscription', () => {
    const confirmation = (SubscribeURL: string): string =>
      aws.sign('Confirm it', { Type: 'SubscriptionConfirmation', Token: 'a-token', SubscribeURL });
    const urlOf = (changed: Readonly<Record<string, string>>, base = aws.baseUrl): string => {
      const query = { Action: 'ConfirmSubscription', TopicArn: aws.credential.topicArn, Token: 'a-token' };
      return `${base}/?${new URLSearchParams({ ...query, ...changed }).toString()}`;
    };

    it('are refused without a request if its URL is not at SNS, or for another topic or action', async () => {
      await start({ isSubscribed: false });
      for (const url of [
        urlOf({}, 'http://127.0.0.1:1'),
        urlOf({}, 'https://sns.eu-central-1.amazonaws.com'),
        urlOf({ TopicArn: `${aws.credential.topicArn}2` }),
        urlOf({ Action: 'Unsubscribe' }),
        'nowhere',
      ]) {
        expect(await aws.post(`${scene.url}/callbacks/sms`, confirmation(url)), url).to.equal(403);
      }
      expect(await aws.post(`${scene.url}/callbacks/sms`, confirmation(urlOf({})))).to.equal(503);
      expect(aws.isSubscribed).to.equal(false);
    });

    it('say in the log that it has ended', async () => {
      await start({ isSubscribed: false });
      const fields = { Type: 'UnsubscribeConfirmation', Token: 'a-token', SubscribeURL: urlOf({}) };
      expect(await aws.post(`${scene.url}/callbacks/sms`, aws.sign('It has ended', fields))).to.equal(200);
      expect(scene.log.at(-1)).to.include({
        level: 'warn',
        message: 'The subscription to the SNS topic of awsSms has ended: no more reports will come',
      });
      expect(aws.isSubscribed).to.equal(false);
    });
  });

  it('have no URL without topicArn', async () => {
    const { topicArn, ...options } = aws.credential;
    scene = await startScene({
      hasCallbacks: true,
      hook: { sandboxNumber: undefined, channels: { sms: awsSms(options) } },
    });
    expect(await aws.post(`${scene.url}/callbacks/sms`, aws.sign({}, { TopicArn: topicArn }))).to.equal(404);
  });
});

describe('the proof of a message of SNS', () => {
  const REAL = 'https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1a2b.pem';
  let aws: AwsEmulator;
  let now: number;
  /** The requests for a certificate. */
  let asked: string[];
  let answer: (request: HttpRequest) => Promise<HttpResult>;
  beforeEach(async () => {
    now = Date.parse('2026-11-25T12:00:00Z');
    aws = await startAwsEmulator({ clock: () => now });
    asked = [];
    const { SigningCertURL: url } = JSON.parse(aws.sign('')) as { readonly SigningCertURL: string };
    answer = (request) => contextOf().http({ ...request, url });
  });
  afterEach(() => aws.close());
  const http: SendContext['http'] = (request) => {
    asked.push(request.url);
    return answer(request);
  };
  /** The receiver of a channel that trusts Amazon SNS alone. */
  const receiver = (topicArn = aws.credential.topicArn): ((body: string) => Promise<CallbackAnswer>) => {
    const { receive } = connectChannel(
      awsSms({ ...aws.credential, topicArn, baseUrl: 'https://vpce-1.example' }),
      {
        channel: 'sms',
        clock: () => now,
      },
    );
    return async (body) =>
      receive!.handle(
        { method: 'POST', url: '', query: {}, headers: {}, rawBody: Buffer.from(body) },
        { http, signal: contextOf().signal },
      );
  };

  it("takes certificates of Amazon SNS in the topic's region alone if the API is not on loopback", async () => {
    const receive = receiver();
    for (const url of [
      REAL.replace('https', 'http'),
      REAL.replace('.com/', '.com.evil.example/'),
      REAL.replace('sns.', 'evil-sns.'),
      REAL.replace('sns.eu', 'sns.a.eu'),
      REAL.replace('eu-central-1', 'us-east-1'),
      REAL.replace('.com/', '.com.cn/'),
      REAL.replace('//sns', '//sns.eu-central-1.amazonaws.com@evil.example/sns'),
      REAL.replace('.com/', '.com:8443/'),
      REAL.replace('Simple', 'simple'),
      REAL.replace('.pem', ''),
      `${REAL}?a=.pem`,
      `${aws.baseUrl}/SimpleNotificationService-1a2b.pem`,
    ]) {
      expect((await receive(aws.sign('', { SigningCertURL: url }))).status, url).to.equal(403);
    }
    expect(asked).to.be.empty;
    expect((await receive(aws.sign('', { SigningCertURL: REAL }))).status).to.equal(200);
    expect(asked).to.deep.equal([REAL]);
  });

  it('takes certificates of the region in China for a topic there', async () => {
    const TopicArn = 'arn:aws-cn:sns:cn-north-1:111122223333:otp-events';
    const receive = receiver(TopicArn);
    const url = 'https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-1a2b.pem';
    expect((await receive(aws.sign('', { TopicArn, SigningCertURL: url }))).status).to.equal(200);
    expect(asked).to.deep.equal([url]);
  });

  describe('if anyone invents certificates', () => {
    const MISSING: HttpResult = { kind: 'answered', status: 404, headers: {}, body: '', json: undefined };
    let statusOf: (url: string) => Promise<number>;
    let invent: (count: number) => Promise<readonly number[]>;
    let fetchOf: typeof answer;
    beforeEach(() => {
      const receive = receiver();
      statusOf = async (url) => (await receive(aws.sign('', { SigningCertURL: url }))).status;
      invent = (count) =>
        Promise.all(Array.from({ length: count }, (_, index) => statusOf(REAL.replace('1a2b', `${index}`))));
      const fetchReal = answer;
      fetchOf = (request) => (request.url === REAL ? fetchReal(request) : Promise.resolve(MISSING));
      answer = fetchOf;
    });

    it('takes the true one after any number of them', async () => {
      for (let round = 0; round < 3; round += 1)
        expect(new Set(await invent(10))).to.deep.equal(new Set([503]));
      expect(await statusOf(REAL)).to.equal(200);
    });

    it('fetches each once in five seconds', async () => {
      const invented = REAL.replace('1a2b', '0');
      for (let count = 0; count < 3; count += 1) expect(await statusOf(invented)).to.equal(503);
      expect(await statusOf(`${invented}#another`)).to.equal(503);
      expect(asked).to.deep.equal([invented]);
      now += 5_000;
      expect(await statusOf(invented)).to.equal(503);
      expect(asked).to.have.length(2);
    });

    it('fetches ten at once, and always one that was good before', async () => {
      expect(await statusOf(REAL)).to.equal(200);
      asked = [];
      let end: (result: HttpResult) => void = () => undefined;
      const ended = new Promise<HttpResult>((resolve) => (end = resolve));
      answer = (request) => (request.url === REAL ? fetchOf(request) : ended);
      const inventing = invent(12);
      await until(() => asked.length === 10);
      expect(await statusOf(REAL.replace('1a2b', 'new'))).to.equal(503);
      expect(await statusOf(REAL)).to.equal(200);
      now = Date.parse('2050-01-01T01:00:00Z');
      // It has expired, and is fetched again.
      expect(await statusOf(REAL)).to.equal(503);
      expect(asked.slice(10)).to.deep.equal([REAL]);
      end(MISSING);
      expect(new Set(await inventing)).to.deep.equal(new Set([503]));
    });
  });

  it('fetches a certificate once, also for messages at the same time, and again only when it has expired', async () => {
    const receive = receiver();
    const statusOf = async (): Promise<number> =>
      (await receive(aws.sign('', { SigningCertURL: REAL }))).status;
    expect(await Promise.all([statusOf(), statusOf(), statusOf()])).to.deep.equal([200, 200, 200]);
    now = Date.parse('2049-12-31T23:00:00Z');
    expect(await statusOf()).to.equal(200);
    expect(asked).to.have.length(1);
    now += 2 * HOUR_MS;
    expect(await statusOf()).to.equal(503);
    expect(asked).to.have.length(2);
    now = Date.parse('2019-12-31T23:00:00Z');
    expect(await statusOf()).to.equal(503);
  });

  it('takes no answer for a certificate that is none, or whose key is weak', async () => {
    const receive = receiver();
    const { pem: body } = selfSigned('sns.amazonaws.com', 1024);
    const answered = { kind: 'answered', headers: {}, json: undefined } as const;
    for (const given of [
      { ...answered, status: 200, body },
      { ...answered, status: 200, body: '' },
      { ...answered, status: 404, body: 'none' },
      { kind: 'no-answer', reason: 'TIMEOUT' } as const,
    ]) {
      answer = () => Promise.resolve(given);
      now += 5_000;
      expect((await receive(aws.sign('', { SigningCertURL: REAL }))).status).to.equal(503);
    }
    expect(asked).to.have.length(4);
  });
});
