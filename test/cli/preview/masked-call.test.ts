import { expect } from 'chai';
import { maskValue, secretsOfCall, maskForOutput } from '#lib/cli/preview/masked-call.js';
import { wamid } from '#harness/scene.js';

const SECRETS = {
  otpCode: '204981',
  phoneNumber: '+447700900177',
  login: 'cleo.reis@example.com',
  firstName: 'Cleopatra',
  lastName: 'Reisinger',
};

describe('masking of a call for the output', () => {
  it('leaves no part of a secret at the place where it cuts a long text', () => {
    for (let before = 480; before < 510; before += 1) {
      const masked = maskForOutput(`${'. '.repeat(before / 2)} Cleopatra 7700900177 204981`, SECRETS);
      expect(masked.length).to.be.at.most(500);
      expect(masked).to.not.match(/Cle|77|20/);
    }
    expect(maskForOutput('a '.repeat(400), SECRETS)).to.have.length(500);
  });

  it('masks any phone number and IP address, and leaves ids, times and versions', () => {
    expect(maskForOutput('to +49 (170) 555-0123 by 198.51.100.7', SECRETS)).to.equal('to … by …');
    for (const text of [
      'id=d3bf0b97-305f-492f-b394-9d1f52c75fb4;Duration=356ms',
      '2026-11-25T12:00:00.000Z',
      'SMd4a33c7d47f11d55d9e1d95aa78991bf',
      '1.0',
      '63016: Free text outside of it',
    ]) {
      expect(maskForOutput(text, SECRETS)).to.equal(text);
    }
  });

  it('masks numbers in digits of other scripts, and ids that contain the number in base64', () => {
    expect(maskForOutput('to +٤٩١٧٠٥٥٥٠١٢٣ or ＋４９１７０５５５０１２３', SECRETS)).to.equal('to … or …');
    expect(maskValue({ transactionId: wamid('447700900177') }, SECRETS)).to.deep.equal({
      transactionId: 'wamid.…',
    });
  });

  it('masks the values of fields that Okta does not document', () => {
    expect(
      maskValue({ status: 'OK', note: 'x', deep: { status: 'OK' }, list: [1], isOn: false }, SECRETS),
    ).to.deep.equal({ status: 'OK', note: '…', deep: '…', list: '…', isOn: false });
  });

  it('keeps every field that Okta documents, and masks the personal data in it', () => {
    const call = {
      eventId: 'event-1',
      eventTime: '2026-11-25T12:00:00.000Z',
      eventType: 'com.okta.telephony.provider',
      eventTypeVersion: '1.0',
      contentType: 'application/json',
      cloudEventVersion: '0.1',
      source: 'https://acme.okta.com/api/v1/inlineHooks/cal1',
      requestType: 'com.okta.user.telephony.mfa-verification',
      data: {
        context: { request: { id: 'req-1', method: 'POST', url: { value: '/api/v1/authn' }, ipAddress: '' } },
        userProfile: {
          userId: '00u1',
          login: SECRETS.login,
          firstName: SECRETS.firstName,
          lastName: SECRETS.lastName,
        },
        messageProfile: {
          msgTemplate: 'Your code is 204981',
          phoneNumber: SECRETS.phoneNumber,
          otpCode: SECRETS.otpCode,
          otpExpires: '2026-11-25T12:05:00.000Z',
          deliveryChannel: 'SMS',
          locale: 'en-GB',
        },
      },
    };
    expect(secretsOfCall(call)).to.deep.equal(SECRETS);
    const { data } = call;
    expect(maskValue(call, SECRETS)).to.deep.equal({
      ...call,
      data: {
        context: { request: { ...data.context.request, ipAddress: '…' } },
        userProfile: { userId: '00u1', login: '…', firstName: '…', lastName: '…' },
        messageProfile: {
          ...data.messageProfile,
          msgTemplate: 'Your code is …',
          phoneNumber: '…77',
          otpCode: '…',
        },
      },
    });
  });

  it('keeps every field of an answer', () => {
    const answer = {
      commands: [
        {
          type: 'com.okta.telephony.action',
          value: [{ status: 'SUCCESSFUL', provider: 'P', transactionId: 'SM1', transactionMetadata: 'a=b' }],
        },
      ],
      error: {
        errorCode: 'E1',
        errorSummary: 'No.',
        errorCauses: [
          { errorSummary: 'No.', reason: 'X', locationType: 'body', location: 'data', domain: 'D' },
        ],
      },
    };
    expect(maskValue(answer, SECRETS)).to.deep.equal(answer);
  });

  it('keeps null, booleans, numbers and empty texts, unless they contain a secret', () => {
    expect(
      maskValue({ status: null, value: true, id: 5, login: '', note: null, other: false, odd: 5 }, SECRETS),
    ).to.deep.equal({ status: null, value: true, id: 5, login: '', note: null, other: false, odd: '…' });
    expect(maskValue({ otpCode: 204981, phoneNumber: 447700900177, id: 204981 }, SECRETS)).to.deep.equal({
      otpCode: '…',
      phoneNumber: '…77',
      id: '…',
    });
  });

  it('masks secrets in property names, too', () => {
    expect(maskValue({ '204981': 1 }, SECRETS)).to.deep.equal({ '…': '…' });
  });

  it('finds the secrets of a call in texts and numbers, and none in other types', () => {
    const messageProfile = { otpCode: 204981, phoneNumber: ' +447700900177 ' };
    const userProfile = { login: '', firstName: true, lastName: null };
    expect(secretsOfCall({ data: { messageProfile, userProfile } })).to.deep.equal({
      otpCode: '204981',
      phoneNumber: '+447700900177',
      login: undefined,
      firstName: undefined,
      lastName: undefined,
    });
    expect(secretsOfCall('text')).to.deep.include({ otpCode: '', phoneNumber: '' });
  });

  it('masks only the pairs with personal data, and all if a secret is split by a semicolon', () => {
    expect(maskForOutput('kept=yes;login=cleo.reis@example.com;also=kept', SECRETS)).to.equal(
      'kept=yes;login=…;also=kept',
    );
    expect(maskForOutput('204;981', SECRETS)).to.not.match(/204|981/);
  });

  it('puts the text on one line, without control characters', () => {
    expect(maskForOutput('a\n\u001b[31mb\u200b\u2028c', SECRETS)).to.equal('a [31mb c');
  });

  it('masks phone numbers and IP addresses next to punctuation, and leaves what only looks like one', () => {
    for (const [text, expected] of [
      ['+491701234567', '…'],
      ['+1 (202) 555.0142!', '…!'],
      ['+12345', '+12345'],
      ['v1.2.3.4', 'v1.2.3.4'],
      ['1.2.3.4.5', '1.2.3.4.5'],
      ['198.51.100.7,', '…,'],
      ['from 2001:db8:0:1::77 on', 'from … on'],
      ['::1:2:3 is', '… is'],
      ['12:00:00', '12:00:00'],
      ['x2001:db8:0:1::77', 'x2001:db8:0:1::77'],
    ] as const) {
      expect(maskForOutput(text, SECRETS), text).to.equal(expected);
    }
  });
});
