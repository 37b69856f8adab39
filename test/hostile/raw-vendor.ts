import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** A request to a vendor. */
export interface VendorRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** What a vendor writes, and what it does with the connection after that. */
export interface RawAnswer {
  /** Bytes as latin1 text, which is readable in the message of a failed test. */
  readonly pieces: readonly string[];
  readonly then: 'keep' | 'end' | 'reset';
}

/** A vendor whose answers the test writes byte by byte. */
export interface RawVendor {
  readonly origin: string;
  /** Since the last `answerWith`. */
  readonly requests: readonly VendorRequest[];
  /** `count` is 0 for the first request after this call. */
  answerWith(answer: (request: VendorRequest, count: number) => RawAnswer): void;
  /** Ends all connections, even during a request. */
  hangUp(): void;
  close(): Promise<void>;
}

export async function startRawVendor(): Promise<RawVendor> {
  const sockets = new Set<Socket>();
  let requests: VendorRequest[] = [];
  let answer: (request: VendorRequest, count: number) => RawAnswer = () => ({ pieces: [], then: 'end' });
  const server = createServer((socket) => {
    let received = Buffer.alloc(0);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // Callers hang up on bad answers.
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      for (let read = readRequest(received); read !== undefined; read = readRequest(received)) {
        received = received.subarray(read.length);
        requests.push(read.request);
        write(socket, answer(read.request, requests.length - 1));
      }
    });
  }).listen(0, '127.0.0.1');
  const hangUp = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return requests;
    },
    answerWith: (next) => {
      requests = [];
      answer = next;
    },
    hangUp,
    close: async () => {
      hangUp();
      server.close();
      await once(server, 'close');
    },
  };
}

function write(socket: Socket, { pieces, then }: RawAnswer): void {
  const [piece, ...rest] = pieces;
  if (piece !== undefined) {
    socket.write(piece, 'latin1', () => {
      // In another turn, so that the caller reads each piece separately.
      setImmediate(write, socket, { pieces: rest, then });
    });
  } else if (then === 'end') socket.end();
  else if (then === 'reset') socket.resetAndDestroy();
}

function readRequest(
  bytes: Buffer,
): { readonly request: VendorRequest; readonly length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = bytes.subarray(0, end).toString('latin1');
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  if (bytes.length < end + 4 + length) return undefined;
  const [method = '', path = ''] = head.split(' ');
  const body = bytes.subarray(end + 4, end + 4 + length).toString('utf8');
  return { request: { method, path, body }, length: end + 4 + length };
}
