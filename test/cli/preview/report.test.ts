import { expect } from 'chai';
import type { PersonalFields } from '#lib/numbers/personal-data.js';
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
import { keptParts } from '../kept-output.js';

const SECRETS: PersonalFields = {
  otpCode: '204981',
  phoneNumber: '+447700900177',
  login: 'cleo.reis@example.com',
  firstName: 'Cleopatra',
  lastName: 'Reisinger',
};
const answerOf = (value: unknown): object => ({
  commands: [{ type: 'com.okta.telephony.action', value: [value] }],
});

/** A line for each text, and one for its remedy. */
const linesOf = (causes: readonly { readonly text: string; readonly remedy: string | undefined }[]): string =>
  causes
    .flatMap(({ text, remedy }) => [text, ...(remedy === undefined ? [] : [`     ${remedy}`])])
    .join('\n');

/** The texts are in a file of `test/cli/outputs/`. */
describe('the report of preview:', () => {
  const expectTexts = keptParts('preview-report');

  describe('causesOf: the causes in an answer', () => {
    const causes = (...errorCauses: readonly object[]): object => ({ error: { errorCauses } });

    for (const [what, body] of Object.entries({
      'no error': {},
      'no list': { error: { errorCauses: 'x' } },
      'an empty cause': causes({}),
      'a sentence alone': causes({ errorSummary: 'No.' }),
      'a code of Twilio': causes({ errorSummary: 'No.', reason: '63016: Free text', domain: 'TWILIO' }),
      'a code of Twilio Verify': causes({ reason: '20003', domain: 'TWILIO_VERIFY' }),
      "another provider's code": causes({ reason: '63016', domain: 'LINE' }),
      "the hook's own code": causes({ reason: 'CHANNEL_NOT_CONFIGURED: x' }),
      "the guard's code": causes({ reason: 'NUMBER_TYPE_BLOCKED' }),
      'an HTTP status': causes({ reason: 'HTTP_401', domain: 'TWILIO' }),
    })) {
      it(`have their text and remedy: ${what}`, () => {
        expectTexts(what, linesOf(causesOf(body)));
      });
    }

    it('have no remedy if they only look like a code or a status', () => {
      for (const reason of ['HTTP_4010', 'HTTP_40', 'XHTTP_401', '2000', '6301600', 'x63016', '63016x']) {
        expect(causesOf(causes({ reason, domain: 'TWILIO' }))).to.deep.equal([
          { text: reason, remedy: undefined },
        ]);
      }
    });
  });

  describe('notesIn: the notes in the metadata of a successful answer', () => {
    for (const [metadata, provider] of [
      ['', undefined],
      ['channel=sms', 'TWILIO'],
      ['refused=', 'TWILIO'],
      ['channel=sms;refused=whatsapp:63016,sms:HTTP_401', 'TWILIO'],
      ['refused=line:NO_FRIEND', 'TWILIO'],
      ['refused=line', 'TWILIO'],
      ['blocked=LIMIT_PER_USER', 'GUARD'],
      ['', 'GUARD'],
      ['blocked=SUPERSEDED', 'GUARD'],
      ['blocked=LIMIT_PER_USER', 'TWILIO'],
    ] as const) {
      const title = `${metadata || 'no metadata'} of ${provider ?? 'no provider'}`;
      it(`have their text and remedy: ${title}`, () => {
        expectTexts(title, linesOf(notesIn(answerOf({ transactionMetadata: metadata, provider }))));
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
    for (const status of [200, 299, 300, 399, 400, 499, 500]) {
      it(`depend on the status: ${status}`, () => {
        expectTexts(`steps after ${status}`, nextSteps(sentWith(status), false).join('\n'));
      });
    }

    it('compare the client with the gateway if that refuses the token', () => {
      expectTexts('steps after a refused token', nextSteps(sentWith(401), true).join('\n'));
      expect(nextSteps(sentWith(403), true)).to.deep.equal(nextSteps(sentWith(401), true));
    });

    it('name only the log without an answer and a problem', () => {
      const sent = { answer: undefined, problem: undefined, durationMs: 1, reaction: undefined };
      expect(nextSteps(sent, false)).to.deep.equal(nextSteps(sentWith(200), false));
    });

    it('name the phone first if Okta may have called the hook', () => {
      const problem = { code: 'NO_SUCCESS', text: '' } as const;
      const silent = { answer: undefined, problem, durationMs: 1, reaction: reactionToSilence() };
      expectTexts('steps after no success', nextSteps(silent, false).join('\n'));
    });
  });

  describe('what it shows', () => {
    const NOW_MS = Date.parse('2026-11-25T12:00:00Z');
    const sampleOf = (deliveryChannel: 'sms' | 'voice') => {
      const { payload } = makeSampleCall(
        {
          id: '00u1k7f3h9p2s5d8a4q6',
          login: SECRETS.login ?? '',
          status: 'ACTIVE',
          enrolled: { sms: SECRETS.phoneNumber, voice: SECRETS.phoneNumber },
          profile: { firstName: SECRETS.firstName, lastName: SECRETS.lastName, locale: 'en_GB' },
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
      expectTexts('a message before it is sent', shown(sampleOf('sms'), true));
    });

    it('shows a voice call of a captured payload before it is made, with "unknown" for missing fields', () => {
      const payload = sampleOf('voice') as Record<string, unknown>;
      const data = payload['data'] as Record<string, unknown>;
      data['userProfile'] = {};
      delete payload['requestType'];
      expectTexts('a voice call before it is made', shown(payload, false));
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
    const answered = answerOf({ status: 'SUCCESSFUL' });
    const failed: PreviewResult = {
      answer: undefined,
      problem: { code: 'NO_ANSWER', text: 'Okta gave no answer.' },
      durationMs: 10,
      reaction: undefined,
    };
    for (const [what, given, via, isTTY] of [
      ['a success by the gateway', sent(200, answerOf(value)), 'gateway'],
      [
        'a success by the providers of a country',
        sent(200, answerOf({ ...value, transactionMetadata: 'channel=sms;id=1;providers=IN' })),
        'gateway',
      ],
      [
        'a success with metadata of another server',
        sent(200, answerOf({ ...value, transactionMetadata: 'channel=sms;id=1;providers=Cleopatra' })),
        'gateway',
      ],
      ['a success by Okta', sent(200, answered, 0), 'okta'],
      ['a late pending answer', sent(200, answerOf({ status: 'PENDING' }), 4_000), 'gateway'],
      [
        'an error, with the sentence that the user may see',
        sent(200, { error: { errorSummary: 'Not for cleo.reis@example.com 204981' } }),
        'gateway',
      ],
      ['an answer that is not JSON', sent(502, `<html>${'x '.repeat(150)}`), 'gateway'],
      ['an empty answer', sent(204, ''), 'gateway'],
      ['no answer from Okta', failed, 'okta'],
      ['a success without a terminal, with no bar and no colours', sent(200, answered), 'gateway', false],
    ] as const) {
      it(`shows ${what}`, () => {
        expectTexts(what, show(given, via, isTTY));
      });
    }

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
      const byList = answerOf({ ...value, transactionMetadata: 'channel=sms;providers=default' });
      expect(maskResult(sent(200, byList), SECRETS)).to.deep.include({ providersOf: { sms: 'default' } });
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
});
