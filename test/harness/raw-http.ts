import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { witness } from './witness.js';

/** One answer on the wire. */
export interface RawAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A connection on which the test writes every byte. */
export interface RawConnection {
  readonly socket: Socket;
  /** The complete answers, in order. */
  readonly answers: () => readonly RawAnswer[];
  /** Resolves after this number of complete answers; rejects if the connection ends before. */
  readonly waitFor: (count: number) => Promise<readonly RawAnswer[]>;
  /** Resolves when the connection has ended or was reset. */
  readonly closed: Promise<void>;
}

export async function openRaw(server: Server): Promise<RawConnection> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const chunks: Buffer[] = [];
  let isClosed = false;
  const watchers = new Set<() => void>();
  const notice = (): void => {
    for (const watch of watchers) watch();
  };
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    witness(chunk.toString('latin1'));
    notice();
  });
  // A reset is a valid end.
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      isClosed = true;
      notice();
      resolve();
    });
  });
  await once(socket, 'connect');
  const answers = (): readonly RawAnswer[] => parseAnswers(Buffer.concat(chunks).toString('latin1'));
  return {
    socket,
    closed,
    answers,
    waitFor: (count) =>
      new Promise((resolve, reject) => {
        const watch = (): void => {
          const whole = answers();
          if (whole.length >= count) resolve(whole);
          else if (isClosed) reject(new Error(`closed after ${whole.length} of ${count} answers`));
          else return;
          watchers.delete(watch);
        };
        watchers.add(watch);
        watch();
      }),
  };
}

/** A request's head and body as text. */
export function rawRequest(
  path: string,
  headers: readonly (readonly [name: string, value: string])[],
  body = '',
  method = 'POST',
): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `${method} ${path} HTTP/1.1\r\nHost: gateway.test\r\n${lines}\r\n${body}`;
}

function parseAnswers(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = text;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return answers;
    const [statusLine = '', ...lines] = rest.slice(0, end).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const length = Number(headers['content-length'] ?? 0);
    const body = rest.slice(end + 4, end + 4 + length);
    if (body.length < length) return answers;
    answers.push({ status: Number(statusLine.split(' ')[1]), headers, body });
    rest = rest.slice(end + 4 + length);
  }
}
