import { expect } from 'chai';
import { lineChannel, type LineChannelOptions } from '#lib/channels/index.js';
import { oktaTelephonyHook } from '#lib/index.js';
import { connectChannel, contextOf } from '#harness/channels.js';
import { ANA, CODE, commandOf, startScene, usualCredentials, type Scene } from '#harness/scene.js';
import { mustNotShow } from '#harness/witness.js';
import { startLineEmulator, type LineEmulator } from './emulator.js';
import { messageOf } from '../message.js';
import { problemsOf } from '../options.js';

describe('LINE', () => {
  let line: LineEmulator;
  let scene: Scene;
  let userId: string;
  beforeEach(async () => {
    line = await startLineEmulator();
    userId = line.addFriend();
    await start();
  });
  afterEach(() => Promise.all([scene.close(), line.close()]));

  async function start(
    options: Partial<LineChannelOptions> = {},
    token = line.channelAccessToken,
  ): Promise<void> {
    scene = await startScene({
      hook: {
        optInChannels: ['whatsapp', 'line'],
        channels: { line: lineChannel({ channelAccessToken: token, baseUrl: line.baseUrl, ...options }) },
      },
    });
    scene.okta.updateUser(ANA.id, { whatsAppOptIn: ['line'], lineUserId: userId });
  }
  const restart = async (...options: Parameters<typeof start>): Promise<void> => {
    await scene.close();
    await start(...options);
  };
  const texts = (): (string | undefined)[] =>
    scene.twilio.messages.filter(({ channel }) => channel === 'sms').map(({ body }) => body);
  const attempts = (): unknown[] =>
    scene.events.flatMap((event) =>
      event.type === 'attempt.ended' ? [[event.channel, event.outcome, event.code, event.reason]] : [],
    );

  it("gets the text for a user who opted in to it, with the profile's LINE user id", async () => {
    const command = commandOf(await scene.call());
    expect(command).to.include({ status: 'SUCCESSFUL', provider: 'LINE' });
    expect(command?.['transactionId']).to.equal(line.accepted[0]?.id);
    const [attempt] = scene.events.filter((event) => event.type === 'attempt.ended');
    expect(attempt?.providerRequestId).to.match(/^[\da-f-]{36}$/);
    expect(command?.['transactionMetadata']).to.include('channel=line');
    expect(line.inbox(userId)).to.deep.equal([`Your code is ${CODE}`]);
    expect(JSON.parse(line.requests[0]?.body ?? '')).to.deep.equal({
      to: userId,
      messages: [{ type: 'text', text: `Your code is ${CODE}` }],
    });
    expect(line.requests[0]?.headers['user-agent']).to.equal('okta-telephony-hook');
    expect(scene.twilio.messages).to.be.empty;
  });

  it('is asked by ready() if it accepts the token, and sends nothing', async () => {
    expect((await scene.hook.ready()).channels).to.deep.equal({ line: 'ok' });
    expect(line.requests.map(({ method, path }) => `${method} ${path}`)).to.deep.equal(['GET /v2/bot/info']);
    for (const [fault, code, message] of [
      [{ kind: 'status', status: 401 }, 'PROVIDER_REFUSED', /token/],
      [{ kind: 'status', status: 502 }, 'PROVIDER_UNREADABLE', /^LINE answered with status 502 and nothing/],
      [{ kind: 'html', status: 200 }, 'PROVIDER_UNREADABLE', /^LINE answered with status 200 and nothing/],
      [{ kind: 'reset' }, 'PROVIDER_UNREACHABLE', /^No answer from LINE: \w/],
    ] as const) {
      line.fault(fault);
      const { channels } = await scene.hook.ready();
      expect(channels['line'], code).to.include({ code }).and.to.have.property('remedy').that.is.a('string');
      expect(channels['line'], code).to.have.property('message').that.matches(message);
      line.clearFaults();
    }
    await restart({}, 'another-token');
    expect((await scene.hook.ready()).channels['line']).to.include({
      code: 'PROVIDER_REFUSED',
      providerCode: 'HTTP_401',
    });
    expect(line.accepted).to.be.empty;
  });

  it('reads the user id from userIdAttribute', async () => {
    await restart({ userIdAttribute: 'lineId' });
    scene.okta.updateUser(ANA.id, { lineUserId: null, lineId: userId });
    await scene.call();
    expect(line.inbox(userId)).to.have.length(1);
  });

  it('is skipped without a request for a profile without a LINE user id', async () => {
    const { channelAccessToken, baseUrl } = line;
    const channel = connectChannel(lineChannel({ channelAccessToken, baseUrl }), { channel: 'line' });
    for (const lineUserId of [null, 'ana.on.line', `C${'0'.repeat(32)}`, 42, `U${'0'.repeat(32)}\n`]) {
      const outcome = await channel.send({ ...messageOf(), profile: { lineUserId } }, contextOf());
      expect(outcome, String(lineUserId)).to.include({ status: 'refused', code: 'NO_LINE_USER_ID' });
    }
    expect(line.requests).to.be.empty;
  });

  it('is skipped without a profile even if chooseChannels names it', async () => {
    await scene.close();
    const { baseUrl, channelAccessToken } = line;
    scene = await startScene({
      hook: {
        chooseChannels: () => ['line'],
        channels: { line: lineChannel({ channelAccessToken, baseUrl }) },
      },
    });
    scene.okta.fault({ kind: 'status', status: 500 });
    await scene.call();
    expect(attempts()[0]).to.deep.equal([
      'line',
      'refused',
      'NO_LINE_USER_ID',
      'There is no Okta profile to read the LINE user id from',
    ]);
    expect(texts()).to.have.length(1);
  });

  it('accepts a text of two gateways once, and the answer is SUCCESSFUL both times', async () => {
    const first = commandOf(await scene.call({ eventId: 'event-1' }));
    await restart();
    const second = commandOf(await scene.call({ eventId: 'event-1' }));
    expect(second).to.include({ status: 'SUCCESSFUL', provider: 'LINE' });
    expect(second?.['transactionId']).to.not.equal(first?.['transactionId']);
    expect(line.requests).to.have.length(2);
    expect(line.inbox(userId)).to.have.length(1);
    expect(texts()).to.be.empty;
  });

  it('accepts another code of the same event, as an edited preview has', async () => {
    await scene.call({ eventId: 'event-1' });
    await restart();
    await scene.call({ eventId: 'event-1', otpCode: '731460' });
    mustNotShow('731460');
    expect(line.inbox(userId)).to.deep.equal([`Your code is ${CODE}`, 'Your code is 731460']);
  });

  it('gives PENDING if it has the message already and does not say its result', async () => {
    const headers = { 'x-line-request-id': crypto.randomUUID() };
    line.fault({ kind: 'status', status: 409, body: { message: 'Conflict' }, headers });
    expect(commandOf(await scene.call())).to.include({ status: 'PENDING', provider: 'LINE' });
    expect(attempts()[0]).to.deep.equal([
      'line',
      'unknown',
      undefined,
      'LINE already has this message and does not report its status',
    ]);
    expect(texts()).to.be.empty;
  });

  it('cannot be mounted as voice', () => {
    const credentials = usualCredentials(scene.okta, scene.twilio);
    const channels = { voice: lineChannel({ channelAccessToken: line.channelAccessToken }) };
    expect(problemsOf(() => oktaTelephonyHook({ credentials, channels }))).to.deep.equal([
      'channels.voice: lineChannel sends texts; mount it under another name than voice',
    ]);
  });
});

describe('the options of lineChannel', () => {
  const problems = (options: unknown): readonly string[] =>
    problemsOf(() => lineChannel(options as LineChannelOptions));
  const TOKEN = 'line-token-19c4e';
  const tokenProblem =
    "channelAccessToken must be the channel access token of the account's Messaging API channel, as text without spaces";

  beforeEach(() => {
    mustNotShow(TOKEN);
  });

  const attributeProblem =
    "userIdAttribute must be the name of a profile attribute, such as 'lineUserId', or be left out";
  const originProblem =
    'baseUrl must be an origin without a path, such as https://api.line.me; https, or http on loopback, or be left out';
  const good = { channelAccessToken: TOKEN };
  const rows: readonly (readonly [problems: readonly string[], ...options: unknown[]])[] = [
    [
      [],
      good,
      { ...good, userIdAttribute: undefined, baseUrl: undefined },
      { ...good, userIdAttribute: 'line_user_id', baseUrl: 'http://localhost:8080' },
      { ...good, baseUrl: 'https://line.example' },
    ],
    [['The options must be an object'], undefined, null, TOKEN, [good]],
    [
      [`${tokenProblem}. It is undefined: is the variable that it comes from set?`],
      { channelAccessToken: undefined },
    ],
    [[tokenProblem], ...['', `${TOKEN}\n`, 1].map((channelAccessToken) => ({ channelAccessToken }))],
    [[attributeProblem], ...['', 'a.b', 1, null].map((userIdAttribute) => ({ ...good, userIdAttribute }))],
    [[originProblem], ...['http://line.example', '', 1, null].map((baseUrl) => ({ ...good, baseUrl }))],
    [
      [
        'token is not an option; remove it, or look for a misspelling',
        tokenProblem,
        attributeProblem,
        originProblem,
      ],
      {
        channelAccessToken: 1,
        userIdAttribute: 'a.b',
        baseUrl: `http://user:${TOKEN}@line.example/v2`,
        token: TOKEN,
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
});
