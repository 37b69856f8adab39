import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { until } from '#harness/until.js';
import { commandOf } from '../resp.js';
import { Way } from './way.js';

describe('the way of a gateway to Redis', () => {
  let server: Server;
  let way: Way;
  let near: Socket;
  let arrived: string;
  let answered: string;
  let felt: number;
  /** Whether this Redis answers. */
  let isAwake: boolean;
  const ping = commandOf(['PING']);
  // `once` of Node.js would reject at the error.
  const closed = (): Promise<unknown> => new Promise((resolve) => near.once('close', resolve));

  beforeEach(async () => {
    [arrived, answered, felt, isAwake] = ['', '', 0, true];
    server = createServer((far) => {
      far.on('error', () => undefined);
      far.on('data', (chunk) => {
        arrived += chunk.toString();
        if (isAwake) far.write('+PONG\r\n');
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    way = await Way.start((server.address() as AddressInfo).port, () => (felt += 1));
    near = connect(way.port, '127.0.0.1');
    near.on('error', () => undefined);
    near.on('data', (chunk) => (answered += chunk.toString()));
    await once(near, 'connect');
  });
  afterEach(() => {
    near.destroy();
    way.close();
    server.close();
  });

  it('passes commands and answers on', async () => {
    near.write(ping);
    await until(() => answered === '+PONG\r\n');
    expect(arrived).to.equal(ping.toString());
  });

  it('notes a connection that is cut with a command in flight, and no other', async () => {
    near.write(ping);
    await until(() => answered !== '');
    way.cut();
    await closed();
    expect(felt).to.equal(0);
    near = connect(way.port, '127.0.0.1').on('error', () => undefined);
    isAwake = false;
    near.write(ping);
    await until(() => arrived.length === 2 * ping.length);
    way.cut();
    await closed();
    expect(felt).to.equal(1);
  });

  it('notes nothing if the gateway itself ends the connection', async () => {
    isAwake = false;
    near.write(ping);
    await until(() => arrived !== '');
    near.end();
    await closed();
    expect(felt).to.equal(0);
  });

  it('stops at a command: before it is passed on, or after', async () => {
    let stops = 0;
    way.trap = { skip: 1, isBefore: true, onCommand: () => (stops += 1) };
    near.write(ping);
    await until(() => answered === '+PONG\r\n');
    expect(stops).to.equal(0);
    near.write(ping);
    await until(() => stops === 1);
    expect(arrived).to.equal(ping.toString());
    way.trap = { skip: 0, isBefore: false, onCommand: () => (stops += 1) };
    near.write(ping);
    await until(() => arrived === `${ping.toString()}${ping.toString()}`);
    expect(stops).to.equal(2);
  });

  it('resets the connection within a command', async () => {
    way.cutAfterBytes = 5;
    near.write(ping);
    await closed();
    await until(() => arrived === ping.toString().slice(0, 5) || arrived === '');
    expect(felt).to.equal(1);
  });
});
