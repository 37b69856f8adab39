import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { expect } from 'chai';
import { azureSms } from '#lib/channels/index.js';
import type { AzureEmulator } from '#lib/testing/index.js';
import { connectChannel, contextOf } from '#harness/channels.js';
import { ANA } from '#harness/scene.js';
import { startAzure } from './emulator.js';

/**
 * The fields that Azure requires in what its emulator writes. Sources: azure-rest-api-specs, PhoneNumbers 2022-12-01
 * (PurchasedPhoneNumber), and the schema of the events of Communication Services (2018-01-01).
 */
describe("the emulated Azure has each field that Azure's specification requires", () => {
  let azure: AzureEmulator;
  beforeEach(async () => {
    azure = await startAzure();
  });
  afterEach(() => azure.close());

  it('of a number', async () => {
    const { check } = connectChannel(azureSms({ ...azure.credential, from: azure.number }), {
      channel: 'sms',
    });
    const context = contextOf();
    let numbers: unknown;
    await check?.({
      ...context,
      http: async (request) => {
        const result = await context.http(request);
        if (result.kind === 'answered') numbers = result.json;
        return result;
      },
    });
    const { phoneNumbers } = numbers as { readonly phoneNumbers: readonly object[] };
    expect(phoneNumbers).to.have.length(1);
    expect(phoneNumbers[0]).to.have.all.keys(
      ...['assignmentType', 'capabilities', 'cost', 'countryCode', 'id', 'phoneNumber', 'phoneNumberType'],
      'purchaseDate',
    );
  });

  describe('of an event', () => {
    interface GridEvent {
      readonly eventType: string;
      readonly data: Readonly<Record<string, unknown>>;
    }
    let server: Server;
    let events: GridEvent[];
    beforeEach(async () => {
      events = [];
      server = createServer((req, res) => {
        void json(req).then((posted) => {
          const [event] = posted as readonly [GridEvent];
          events.push(event);
          res.end(JSON.stringify({ validationResponse: event.data['validationCode'] }));
        });
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      await azure.subscribe(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    });
    afterEach(() => {
      server.closeAllConnections();
      server.close();
    });

    it('about a message of a user', async () => {
      await azure.receive({ from: ANA.phone, text: 'STOP' });
      const event = events.at(-1);
      expect(event?.eventType).to.equal('Microsoft.Communication.SMSReceived');
      expect(event?.data).to.include.all.keys('messageId', 'from', 'to', 'message', 'segmentCount');
    });
  });
});
