import { expect } from 'chai';
import { addressOf, NO_FILTER, readRoute, type Route } from '#lib/console/browser/routes.js';

describe("the URL fragments of the console's views", () => {
  const ROUTES: readonly Route[] = [
    { view: 'tester', user: undefined, requestType: undefined, channel: undefined },
    { view: 'tester', user: '00u1&x=?#', requestType: 'password-reset', channel: 'voice' },
    {
      view: 'history',
      filter: {
        search: 'a b/&#?',
        channel: 'sms',
        outcome: 'failed',
        failover: 'late',
        from: '2026-11-28T08:08:00.000Z',
        to: '',
      },
    },
    { view: 'history', filter: NO_FILTER },
    { view: 'execution', id: 'an/id with?#%' },
    { view: 'health' },
  ];
  for (const route of ROUTES) {
    it(`lead back to ${addressOf(route)}`, () => {
      expect(readRoute(addressOf(route))).to.deep.equal(route);
    });
  }

  it('lead to the tester if they are unknown', () => {
    for (const hash of ['', '#', '#/', '#/nowhere', '#main']) {
      expect(readRoute(hash)).to.include({ view: 'tester' });
    }
  });

  it('stay as they are if they cannot be decoded', () => {
    expect(readRoute('#/history/%E0%A4%A')).to.deep.equal({ view: 'execution', id: '%E0%A4%A' });
  });
});
