import type { SeenAnswer } from './expectations.js';

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
