import { connect, type AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import type { SeenAnswer } from './expectations.js';

/**
 * Writes bytes, as latin1 text, piece by piece to a server on a new connection. Returns the answers until the server
 * closes it. With `endsEarly`, the caller hangs up before the end of the announced body.
 */
export function exchange(
  server: Server,
  pieces: readonly string[],
  endsEarly: boolean,
): Promise<readonly SeenAnswer[]> {
  return new Promise((resolve) => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.setNoDelay(true);
    socket.on('data', (chunk) => chunks.push(chunk));
    // A reset is a valid end.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      resolve(readAnswers(Buffer.concat(chunks)));
    });
    const left = [...pieces];
    const writeNext = (): void => {
      const piece = left.shift();
      if (piece !== undefined) socket.write(piece, 'latin1', () => setImmediate(writeNext));
      else if (endsEarly) socket.end();
    };
    socket.once('connect', writeNext);
  });
}

/** The answers on a closed connection: a body ends at its length, or at the end. */
export function readAnswers(bytes: Buffer): SeenAnswer[] {
  const answers: SeenAnswer[] = [];
  let rest = bytes;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return answers;
    const [statusLine = '', ...lines] = rest.subarray(0, end).toString('latin1').split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const status = Number(statusLine.split(' ')[1]);
    rest = rest.subarray(end + 4);
    // `100 Continue` comes before the answer.
    if (status < 200) continue;
    const length = Number(headers['content-length'] ?? rest.length);
    answers.push({ status, headers, body: rest.subarray(0, length).toString('utf8') });
    rest = rest.subarray(length);
  }
}

/** Cuts a text at these places. */
export function inPieces(text: string, cuts: readonly number[]): string[] {
  if (text === '') return [];
  const places = [...new Set(cuts.map((cut) => cut % text.length))].sort((a, b) => a - b);
  return [0, ...places].map((from, index) => text.slice(from, places[index])).filter((piece) => piece !== '');
}
