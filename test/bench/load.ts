import { connect, type Socket } from 'node:net';
import { percentile } from './report.js';

/** The result of one measurement. */
export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The limits of the load. The first one reached ends it. */
export interface LoadLimits {
  readonly connections: number;
  readonly seconds?: number;
  readonly requests?: number;
}

/** Every request of a run has another user and event, so that no server can answer from a cache. */
let lastNumber = 0;

/**
 * A closed loop: each connection sends the next request after the answer to its last. By raw sockets, because the load
 * shares the machine with what it measures.
 *
 * @throws if an answer is not `SUCCESSFUL`: a failure is no measurement.
 */
export async function runLoad(port: number, limits: LoadLimits): Promise<LoadResult> {
  const { connections, seconds = Infinity, requests = Infinity } = limits;
  const durations: number[] = [];
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  let begun = 0;
  const mayBegin = (): boolean => {
    if (begun >= requests || performance.now() >= endsAt) return false;
    begun += 1;
    return true;
  };
  await Promise.all(Array.from({ length: connections }, () => runConnection(port, mayBegin, durations)));
  const elapsed = (performance.now() - startedAt) / 1000;
  const sorted = Float64Array.from(durations).sort();
  return {
    requests: sorted.length,
    seconds: elapsed,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
  };
}

function runConnection(port: number, mayBegin: () => boolean, durations: number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let received = '';
    let sentAt = 0;
    const sendNext = (): void => {
      if (!mayBegin()) {
        socket.destroy();
        resolve();
        return;
      }
      received = '';
      lastNumber += 1;
      const request = hookRequest(lastNumber);
      sentAt = performance.now();
      socket.write(request, 'latin1');
    };
    socket.setEncoding('latin1');
    socket.once('connect', sendNext);
    socket.on('data', (chunk: string) => {
      received += chunk;
      const headEnd = received.indexOf('\r\n\r\n');
      if (headEnd === -1) return;
      const length = /\r\ncontent-length: (\d+)/i.exec(received)?.[1];
      if (length !== undefined && received.length < headEnd + 4 + Number(length)) return;
      durations.push(performance.now() - sentAt);
      if (
        length === undefined ||
        !received.startsWith('HTTP/1.1 200') ||
        !received.includes('"SUCCESSFUL"')
      ) {
        socket.destroy();
        reject(new Error(`a server answered: ${received.slice(0, 2000)}`));
        return;
      }
      sendNext();
    });
    socket.once('error', reject);
    socket.once('close', () => {
      reject(new Error('a server closed the connection'));
    });
  });
}

/** Okta's call as text. All of it is ASCII. */
function hookRequest(number: number): string {
  const now = Date.now();
  const body = JSON.stringify({
    eventId: `bench${String(number).padStart(18, '0')}`,
    eventTime: new Date(now).toISOString(),
    eventType: 'com.okta.telephony.provider',
    eventTypeVersion: '1.0',
    contentType: 'application/json',
    cloudEventVersion: '0.1',
    source: 'https://acme.okta.com/api/v1/inlineHooks/cal1a2b3c4d5e6f7g8h9',
    requestType: 'com.okta.user.telephony.mfa-verification',
    data: {
      context: {
        request: {
          id: `req${String(number).padStart(17, '0')}`,
          method: 'POST',
          url: { value: '/idp/idx/challenge' },
          ipAddress: '203.0.113.7',
        },
      },
      userProfile: {
        firstName: 'Ana',
        lastName: 'Silveira',
        login: `ana.${number}@example.com`,
        userId: `00u${String(number).padStart(17, '0')}`,
      },
      messageProfile: {
        msgTemplate: `Your code is ${codeOf(number)}`,
        phoneNumber: `+120255501${String(number % 100).padStart(2, '0')}`,
        otpExpires: new Date(now + 300_000).toISOString(),
        deliveryChannel: 'SMS',
        otpCode: codeOf(number),
        locale: 'EN-US',
      },
    },
  });
  return (
    'POST /okta/telephony HTTP/1.1\r\nHost: id.example.com\r\nAccept: application/json\r\n' +
    'Authorization: bench-hook-secret-0123456789\r\nContent-Type: application/json\r\n' +
    `Content-Length: ${body.length}\r\n\r\n${body}`
  );
}

const codeOf = (number: number): string => String((number * 7919) % 1_000_000).padStart(6, '0');
