import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { TelephonyHook } from '#lib/index.js';

/** A request to a hook without a network: the schedule controls each step. */
export interface InjectedCall {
  /** `undefined` until it is written. */
  answer(): Answer | undefined;
  /** Calls the listener once the answer is written. */
  onAnswer(listener: () => void): void;
  /** Lets the caller hang up. */
  hangUp(): void;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Posts to the hook as Express would, with our own request and response. */
export function injectRequest(
  hook: TelephonyHook,
  path: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): InjectedCall {
  const written: Buffer[] = [];
  const wire = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      written.push(chunk);
      done();
    },
  });
  // Node's request and response use only the stream parts of a socket, but their types require the class.
  const socket = wire as unknown as Socket;
  const req = new IncomingMessage(socket);
  req.method = 'POST';
  req.url = path;
  req.headers = {
    host: 'gateway.test',
    ...headers,
    'content-length': String(Buffer.byteLength(body)),
  };
  // Else Node treats the end of the body as a hang-up of the caller.
  req.complete = true;
  req.push(body);
  req.push(null);
  const res = new ServerResponse(req);
  res.assignSocket(socket);
  hook(req, res, (error) => {
    throw new Error('the hook passed its own request on', { cause: error });
  });
  return {
    answer: () => {
      const text = Buffer.concat(written).toString('utf8');
      const end = text.indexOf('\r\n\r\n');
      return end < 0 ? undefined : { status: res.statusCode, text: text.slice(end + 4) };
    },
    onAnswer: (listener) => void res.once('finish', listener),
    hangUp: () => {
      wire.destroy();
    },
  };
}
