import { expect } from 'chai';
import { maskValue, tellable } from '#lib/cli/masked-call.js';
import { wamid } from '#harness/scene.js';

const SECRETS = {
  otpCode: '204981',
  phoneNumber: '+447700900177',
  login: 'cleo.reis@example.com',
  firstName: 'Cleopatra',
  lastName: 'Reisinger',
};

describe('a call that others may read', () => {
  it('leaves no half of a secret where a text is cut', () => {
    for (let before = 480; before < 510; before += 1) {
      const told = tellable(`${'. '.repeat(before / 2)} Cleopatra 7700900177 204981`, SECRETS);
      expect(told.length).to.be.at.most(500);
      expect(told).to.not.match(/Cle|77|20/);
    }
    expect(tellable('a '.repeat(400), SECRETS)).to.have.length(500);
  });

  it("masks others' numbers and addresses, and leaves ids, times and versions", () => {
    expect(tellable('to +49 (170) 555-0123 by 198.51.100.7', SECRETS)).to.equal('to … by …');
    for (const text of [
      'id=d3bf0b97-305f-492f-b394-9d1f52c75fb4;Duration=356ms',
      '2026-11-25T12:00:00.000Z',
      'SMd4a33c7d47f11d55d9e1d95aa78991bf',
      '1.0',
      '63016: Free text outside of it',
    ]) {
      expect(tellable(text, SECRETS)).to.equal(text);
    }
  });

  it('masks numbers in digits of other scripts, and ids that hold the number in base64', () => {
    expect(tellable('to +٤٩١٧٠٥٥٥٠١٢٣ or ＋４９１７０５５５０１２３', SECRETS)).to.equal('to … or …');
    expect(maskValue({ transactionId: wamid('447700900177') }, SECRETS)).to.deep.equal({
      transactionId: 'wamid.…',
    });
  });

  it('leaves out what has a name that Okta does not know', () => {
    expect(
      maskValue({ status: 'OK', note: 'x', deep: { status: 'OK' }, list: [1], isOn: false }, SECRETS),
    ).to.deep.equal({ status: 'OK', note: '…', deep: '…', list: '…', isOn: false });
  });
});
