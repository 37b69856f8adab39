import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** A request that a vendor was sent. */
export interface VendorRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** What a vendor writes, and what it does with the connection then. */
export interface RawAnswer {
  /** Bytes as latin1 text, which people can read where a test fails. */
  readonly pieces: readonly string[];
  readonly then: 'keep' | 'end' | 'reset';
}

/** A vendor of whose answers every byte is the test's own. */
export interface RawVendor {
  readonly origin: string;
  /** Since the last `answerWith`. */
  readonly requests: readonly VendorRequest[];
  /** `count` is 0 for the first request since then. */
  answerWith(answer: (request: VendorRequest, count: number) => RawAnswer): void;
  /** Ends every connection, with whatever is under way on it. */
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
    // Callers hang up on what they do not like.
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
      // In its own turn, so that the caller sees it by itself.
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
