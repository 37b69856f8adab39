import { expect } from 'chai';
import type { CallSecrets } from '#lib/cli/preview/masked-call.js';
import {
  notesIn,
  causesOf,
  commandOf,
  nextSteps,
  causesIn,
  showCall,
  showSent,
  maskResult,
} from '#lib/cli/preview/report.js';
import type { PreviewResult } from '#lib/cli/preview/send.js';
import { readHookCall } from '#lib/okta/inline-hook.js';
import { reactionTo, reactionToSilence } from '#lib/console/reaction.js';
import { makeSampleCall } from '#lib/console/sample-call.js';
import { captureTerminal } from '../captured-terminal.js';

const SECRETS: CallSecrets = {
  otpCode: '204981',
  phoneNumber: '+447700900177',
  login: 'cleo.reis@example.com',
  firstName: 'Cleopatra',
  lastName: 'Reisinger',
};
const CREDENTIALS =
  'Check credentials.twilio: the SIDs, the secret, and that they belong to the same region.';
const FREE_TEXT = 'Send a template: sandboxNumber {number, contentSid}, or senders.whatsapp.';

const answerOf = (value: unknown): object => ({
  commands: [{ type: 'com.okta.telephony.action', value: [value] }],
});

describe('causesOf: the causes in an answer', () => {
  const causes = (...errorCauses: readonly object[]): object => ({ error: { errorCauses } });

  for (const [what, body, ...expected] of [
    ['no error', {}],
    ['no list', { error: { errorCauses: 'x' } }],
    ['an empty cause', causes({}), { text: '', remedy: undefined }],
    ['a sentence alone', causes({ errorSummary: 'No.' }), { text: 'No.', remedy: undefined }],
    [
      'a code of Twilio',
      causes({ errorSummary: 'No.', reason: '63016: Free text', domain: 'TWILIO' }),
      { text: 'No. – 63016: Free text', remedy: FREE_TEXT },
    ],
    [
      'a code of Twilio Verify',
      causes({ reason: '20003', domain: 'TWILIO_VERIFY' }),
      { text: '20003', remedy: CREDENTIALS },
    ],
    [
      "another provider's code",
      causes({ reason: '63016', domain: 'LINE' }),
      { text: '63016', remedy: undefined },
    ],
    [
      "the hook's own code",
      causes({ reason: 'CHANNEL_NOT_CONFIGURED: x' }),
      {
        text: 'CHANNEL_NOT_CONFIGURED: x',
        remedy: 'Add senders.sms or senders.voice, or a channel of that name.',
      },
    ],
    [
      "the guard's code",
      causes({ reason: 'NUMBER_TYPE_BLOCKED' }),
      { text: 'NUMBER_TYPE_BLOCKED', remedy: 'Have the user enroll another number.' },
    ],
    [
      'an HTTP status',
      causes({ reason: 'HTTP_401', domain: 'TWILIO' }),
      { text: 'HTTP_401', remedy: CREDENTIALS },
    ],
    // These only look like a code or a status.
    ...['HTTP_4010', 'HTTP_40', 'XHTTP_401', '2000', '6301600', 'x63016', '63016x'].map(
      (reason) =>
        [reason, causes({ reason, domain: 'TWILIO' }), { text: reason, remedy: undefined }] as const,
    ),
  ] as const) {
    it(`have their text and remedy: ${what}`, () => {
      expect(causesOf(body)).to.deep.equal(expected);
    });
  }
});

describe('notesIn: the notes in the metadata of a successful answer', () => {
  for (const [metadata, provider, ...expected] of [
    ['', undefined],
    ['channel=sms', 'TWILIO'],
    ['refused=', 'TWILIO'],
    [
      'channel=sms;refused=whatsapp:63016,sms:HTTP_401',
      'TWILIO',
      {
        text: 'whatsapp was refused with 63016: Free text outside the hours after the recipient last wrote',
        remedy: FREE_TEXT,
      },
      { text: 'sms was refused with HTTP_401: Twilio does not accept the credentials', remedy: CREDENTIALS },
    ],
    ['refused=line:NO_FRIEND', 'TWILIO', { text: 'line was refused with NO_FRIEND', remedy: undefined }],
    ['refused=line', 'TWILIO', { text: 'line was refused with ', remedy: undefined }],
    [
      'blocked=LIMIT_PER_USER',
      'GUARD',
      {
        text: 'Nothing was sent: the guard (LIMIT_PER_USER) blocked it',
        remedy: "Look at the user in Okta's System Log. If so many codes are normal, raise guard.perUser.",
      },
    ],
    ['', 'GUARD', { text: 'Nothing was sent: a fraud filter blocked it', remedy: undefined }],
    [
      'blocked=SUPERSEDED',
      'GUARD',
      {
        text: 'Nothing was sent: the user has a newer code',
        remedy: 'Nothing: the user has a newer code.',
      },
    ],
    ['blocked=LIMIT_PER_USER', 'TWILIO'],
  ] as const) {
    it(`have their text and remedy: ${metadata || 'no metadata'} of ${provider ?? 'no provider'}`, () => {
      const seen = notesIn(answerOf({ transactionMetadata: metadata, provider }));
      expect(seen.map(({ text, remedy }) => ({ text, remedy }))).to.deep.equal(expected);
    });
  }

  it('come from the first value of the first command', () => {
    expect(commandOf({ commands: [{ value: [1, 2] }, { value: [3] }] })).to.equal(1);
    for (const body of [{}, { commands: {} }, { commands: [] }, { commands: [{ value: 'x' }] }, 'text']) {
      expect(commandOf(body)).to.equal(undefined);
    }
  });
});

describe('nextSteps after a preview', () => {
  const sentWith = (httpStatus: number): PreviewResult => {
    const answer = { httpStatus, body: {} };
    return { answer, problem: undefined, durationMs: 1, reaction: reactionTo(answer) };
  };
  const LOG =
    "The gateway's log has details in the lines with this event id (request.answered, with its remedy).";

  it('compare the client with the gateway if that refuses the token', () => {
    for (const status of [401, 403]) {
      expect(nextSteps(sentWith(status), true)).to.deep.equal([
        'The gateway does not accept the token: compare issuer, audience, client id and scope of its credentials.hook with the variables HOOK_OAUTH_….',
        "The gateway's log has caller.rejected, with what to compare, within a minute.",
      ]);
    }
  });

  const REDIRECT = 'Okta follows no redirect: set PUBLIC_URL to its target.';
  const TROUBLE = 'Try again later: the gateway is starting, stopping or has a problem.';
  for (const [status, ...steps] of [
    [200],
    [299],
    [300, REDIRECT],
    [399, REDIRECT],
    [400],
    [499],
    [500, TROUBLE],
  ] as const) {
    it(`depend on the status: ${status}`, () => {
      expect(nextSteps(sentWith(status), false)).to.deep.equal([...steps, LOG]);
    });
  }

  it('name only the log without an answer and a problem', () => {
    const sent = { answer: undefined, problem: undefined, durationMs: 1, reaction: undefined };
    expect(nextSteps(sent, false)).to.deep.equal([LOG]);
  });

  it('name the phone first if Okta may have called the hook', () => {
    const problem = { code: 'NO_SUCCESS', text: '' } as const;
    expect(
      nextSteps({ answer: undefined, problem, durationMs: 1, reaction: reactionToSilence() }, false),
    ).to.deep.equal([
      'Look at the phone first: Okta may have called the hook twice. A message may have gone out nevertheless. If the gateway rejected Okta with 401 or 403 (caller.rejected in its log), nothing was sent.',
      'Then run preview with --via gateway, which shows the answer itself. It sends another message.',
      "If the gateway accepts that call, Okta has another secret (okta-telephony-hook setup hook --rotate) or does not reach the gateway: check the hook's URL, its certificate, firewalls.",
    ]);
  });
});

describe('the report of a preview', () => {
  const NOW_MS = Date.parse('2026-11-25T12:00:00Z');
  const sampleOf = (deliveryChannel: 'sms' | 'voice') => {
    const { payload } = makeSampleCall(
      {
        id: '00u1k7f3h9p2s5d8a4q6',
        login: SECRETS.login ?? '',
        firstName: SECRETS.firstName,
        lastName: SECRETS.lastName,
        status: 'ACTIVE',
        locale: 'en_GB',
        enrolled: { sms: SECRETS.phoneNumber, voice: SECRETS.phoneNumber },
        mobilePhone: undefined,
        profile: {},
      },
      {
        requestType: 'mfa-verification',
        deliveryChannel,
        orgUrl: 'https://acme.okta.com',
        nowMs: NOW_MS,
      },
    );
    return { ...payload, eventId: 'event-1' };
  };
  const shown = (payload: object, isMadeUp: boolean): string => {
    const { terminal, stdout } = captureTerminal({ isTTY: true });
    const call = readHookCall(payload, { defaultCountry: undefined, nowMs: NOW_MS });
    showCall(call, {
      route: 'by foot',
      isMadeUp,
      isPhoneGiven: false,
      optIn: isMadeUp ? 'no: it is off' : undefined,
      secrets: SECRETS,
      terminal,
    });
    return stdout();
  };

  it('shows a message before it is sent', () => {
    expect(shown(sampleOf('sms'), true)).to.equal(
      `<bold>This sends a real message to the phone …77 of the user 00u1k7f3h9p2s5d8a4q6.</>
  request    com.okta.user.telephony.mfa-verification
  requested  SMS (a user who has opted in gets it by another channel)
  opt-in     no: it is off
  code       made up for this preview, not shown here: it grants no access
  event      event-1
  route      by foot
`,
    );
  });

  it('shows a voice call of a captured payload before it is made, with "unknown" for missing fields', () => {
    const payload = sampleOf('voice') as Record<string, unknown>;
    const data = payload['data'] as Record<string, unknown>;
    data['userProfile'] = {};
    delete payload['requestType'];
    expect(shown(payload, false)).to.equal(
      `<bold>This makes a real call to the phone …77 of the user (unknown).</>
  request    unknown
  requested  a voice call
  code       that of the payload, not shown here: a real one grants access
  event      event-1
  route      by foot
`,
    );
  });

  const value = {
    status: 'SUCCESSFUL',
    provider: 'TWILIO',
    transactionId: 'SM1',
    transactionMetadata: 'channel=sms;login=cleo.reis@example.com',
  };
  const sent = (httpStatus: number, body: unknown, durationMs = 1_499.6): PreviewResult => ({
    answer: { httpStatus, body },
    problem: undefined,
    durationMs,
    reaction: reactionTo({ httpStatus, body }),
  });
  const show = (given: PreviewResult, via: 'okta' | 'gateway', isTTY = true): string => {
    const { terminal, stdout } = captureTerminal({ isTTY });
    showSent(given, { via, secrets: SECRETS, terminal });
    return stdout();
  };
  const bar = (filled: number): string => '█'.repeat(filled) + '░'.repeat(30 - filled);

  for (const [what, given, via, expected] of [
    [
      'a success by the gateway',
      sent(200, answerOf(value)),
      'gateway',
      `<green>✔ Answered 200</>
  status       SUCCESSFUL
  provider     TWILIO
  transaction  SM1
  metadata     channel=sms;login=…
  ${bar(15)} 1500 ms of 3000
<green>At a sign-in: Okta takes the code as sent, and waits for the user to type it.</>
`,
    ],
    [
      'a success by Okta',
      sent(200, answerOf({ status: 'SUCCESSFUL' }), 0),
      'okta',
      `<green>✔ Answered, as Okta read it</>
  status  SUCCESSFUL
  ${bar(1)} 0 ms of 3000, including Okta's own time and its second try, if there was one
<green>At a sign-in: Okta takes the code as sent, and waits for the user to type it.</>
`,
    ],
    [
      'a late pending answer',
      sent(200, answerOf({ status: 'PENDING' }), 4_000),
      'gateway',
      `<yellow>! Answered 200</>
  status  PENDING
  ${bar(30)} 4000 ms of 3000
<yellow>At a sign-in: Okta takes the code as on its way, sends none itself, and waits for the user to type it.</>
`,
    ],
    [
      'an error, with the sentence that the user may see',
      sent(200, { error: { errorSummary: 'Not for cleo.reis@example.com 204981' } }),
      'gateway',
      `<red>✘ Answered 200</>
  error  Not for … …
  ${bar(15)} 1500 ms of 3000
<red>At a sign-in: Okta sends the code by its own provider, where the org has one; the System Log has the causes, and the user may see the sentence.</>
  The user may read: “Not for … …”
`,
    ],
    [
      'an answer that is not JSON',
      sent(502, `<html>${'x '.repeat(150)}`),
      'gateway',
      `<red>✘ Answered 502</>
  not JSON: <html>${'x '.repeat(97)}
  ${bar(15)} 1500 ms of 3000
<red>At a sign-in: Okta goes on without the hook and sends the code by its own provider, where the org has one: the answer has status 502, and only 200 is read.</>
`,
    ],
    [
      'an empty answer',
      sent(204, ''),
      'gateway',
      `<red>✘ Answered 204</>
  empty: not JSON
  ${bar(15)} 1500 ms of 3000
<red>At a sign-in: Okta goes on without the hook and sends the code by its own provider, where the org has one: the answer has status 204, and only 200 is read.</>
`,
    ],
    [
      'no answer from Okta',
      {
        answer: undefined,
        problem: { code: 'NO_ANSWER', text: 'Okta gave no answer.' },
        durationMs: 10,
        reaction: undefined,
      },
      'okta',
      `<red>✘ Okta gave no answer.</>
  ${bar(1)} 10 ms of 3000, including Okta's own time and its second try, if there was one
`,
    ],
  ] as const) {
    it(`shows ${what}`, () => {
      expect(show(given, via)).to.equal(expected);
    });
  }

  it('has no bar and no colours without a terminal', () => {
    expect(show(sent(200, answerOf({ status: 'SUCCESSFUL' })), 'gateway', false)).to.equal(
      `✔ Answered 200
  status  SUCCESSFUL
  1500 ms of 3000
At a sign-in: Okta takes the code as sent, and waits for the user to type it.
`,
    );
  });

  it('has the same as JSON, masked', () => {
    expect(maskResult(sent(200, answerOf(value)), SECRETS)).to.deep.equal({
      answer: { httpStatus: 200, body: answerOf({ ...value, transactionMetadata: 'channel=sms;login=…' }) },
      problem: undefined,
      reaction: {
        action: 'sent',
        text: 'Okta takes the code as sent, and waits for the user to type it.',
        shown: undefined,
      },
      durationMs: 1_500,
    });
    const problem = { code: 'NO_ANSWER', text: 'No.' } as const;
    expect(
      maskResult({ answer: undefined, problem, durationMs: 0.4, reaction: undefined }, SECRETS),
    ).to.deep.equal({ answer: null, problem, reaction: null, durationMs: 0 });
    const error = maskResult(sent(200, { error: { errorSummary: 'For Cleopatra' } }), SECRETS);
    expect(error.reaction?.shown).to.equal('For …');
  });

  it('lists causes and notes, masked, with the remedy that fits the number', () => {
    const error = { errorCauses: [{ reason: 'cleo.reis@example.com' }] };
    const body = { error, ...answerOf({ transactionMetadata: 'refused=line:X' }) };
    expect(causesIn(sent(200, body), SECRETS)).to.deep.equal([
      { text: '…', remedy: undefined },
      { text: 'line was refused with X', remedy: undefined },
    ]);
    const blocked = { reason: 'COUNTRY_NOT_ALLOWED' };
    const both = {
      error: { errorCauses: [blocked] },
      ...answerOf({ transactionMetadata: 'blocked=COUNTRY_NOT_ALLOWED', provider: 'GUARD' }),
    };
    for (const [phoneNumber, remedy] of [
      [
        '+447700900177',
        'If you have users there, allow the country in guard.countries, or in GUARD_COUNTRIES.',
      ],
      // With a default country, this number may have a country.
      [
        '07700900177',
        'If you have users there, allow the country in guard.countries, or in GUARD_COUNTRIES.',
      ],
      ['+9991234567', 'Correct the number: no country is known for it.'],
    ] as const) {
      const causes = causesIn(sent(200, both), { ...SECRETS, phoneNumber });
      expect(causes.map((cause) => cause.remedy)).to.deep.equal([remedy, remedy]);
    }
    expect(
      causesIn({ answer: undefined, problem: undefined, durationMs: 1, reaction: undefined }, SECRETS),
    ).to.deep.equal([]);
  });
});
