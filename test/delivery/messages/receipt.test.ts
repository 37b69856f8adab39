import { expect } from 'chai';
import { personKey } from '#lib/delivery/messages/receipt.js';
import { makeMessage, PHONE_NUMBER } from '../../channels/twilio/scripted-api.js';

const REQUEST = makeMessage().request;

describe('the key of a person', () => {
  it('is that of the user, for any phone number', () => {
    expect(personKey(REQUEST)).to.equal(personKey({ ...REQUEST, phoneNumber: '+447700900124' }));
    expect(personKey(REQUEST)).to.not.equal(personKey({ ...REQUEST, userId: '00u2' }));
  });

  it('is that of the phone number if Okta sends no user id', () => {
    const withoutUser = { ...REQUEST, userId: undefined };
    expect(personKey(withoutUser)).to.equal(personKey({ ...withoutUser, login: 'somebody@example.com' }));
    expect(personKey(withoutUser)).to.not.equal(personKey({ ...withoutUser, phoneNumber: '+447700900124' }));
    expect(personKey(withoutUser)).to.equal(
      personKey({ ...withoutUser, phoneNumber: PHONE_NUMBER.replace('+44', '+440') }),
    );
    expect(personKey(withoutUser)).to.not.equal(personKey({ ...REQUEST, userId: PHONE_NUMBER }));
    expect(personKey(withoutUser)).to.match(/^[\w-]{43}$/);
  });
});
