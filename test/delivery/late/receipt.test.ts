import { expect } from 'chai';
import { personKey } from '#lib/delivery/late/receipt.js';
import { makeMessage, PHONE_NUMBER } from '../../channels/twilio/scripted-api.js';

const REQUEST = makeMessage().request;

describe('the key of a person', () => {
  it('is that of the user, whatever number the code goes to', () => {
    expect(personKey(REQUEST)).to.equal(personKey({ ...REQUEST, phoneNumber: '+447700900124' }));
    expect(personKey(REQUEST)).to.not.equal(personKey({ ...REQUEST, userId: '00u2' }));
  });

  it('is that of the number where Okta names no user', () => {
    const nobody = { ...REQUEST, userId: undefined };
    expect(personKey(nobody)).to.equal(personKey({ ...nobody, login: 'somebody@example.com' }));
    expect(personKey(nobody)).to.not.equal(personKey({ ...nobody, phoneNumber: '+447700900124' }));
    expect(personKey(nobody)).to.equal(
      personKey({ ...nobody, phoneNumber: PHONE_NUMBER.replace('+44', '+440') }),
    );
    expect(personKey(nobody)).to.not.equal(personKey({ ...REQUEST, userId: PHONE_NUMBER }));
    expect(personKey(nobody)).to.match(/^[\w-]{43}$/);
  });
});
