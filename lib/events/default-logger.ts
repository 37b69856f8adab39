import { Writable } from 'node:stream';
import type winston from 'winston';
import type { Logger } from '../core/channel.js';
import { asObject, type JsonObject } from '../core/json.js';
import { loadPeer } from '../core/peers.js';
import { adaptLogger, type LogLevel } from './adapt-logger.js';
import { LogOutput, type LogDestination } from './log-output.js';

/** The symbols under which winston keeps the level and the text of a line. */
const LEVEL = Symbol.for('level');
const MESSAGE = Symbol.for('message');

/** The logger of hooks without one: JSON lines on stdout. `flush()` resolves once they are written. */
export function createDefaultLogger(destination: LogDestination = process.stdout): {
  readonly logger: Logger;
  readonly flush: () => Promise<void>;
} {
  const output = new LogOutput(destination);
  const lines = throughWinston(output);
  return {
    logger: adaptLogger((level, message, fields) => {
      if (lines === undefined) output.add(level, lineOf(level, message, asObject(fields), {}));
      // winston's own methods copy the fields, which takes a third of the time of a line.
      else lines.log({ level, message, fields });
    }),
    flush: () => output.flush(),
  };
}

/**
 * A logger of winston, because tracing libraries patch winston and add members such as `trace_id`. Loaded here, because it takes 28 ms
 * and 14 MB, which a hook with a logger of its own saves. `undefined` in a bundle, where nobody can patch it.
 */
function throughWinston(output: LogOutput): winston.Logger | undefined {
  let library: typeof winston;
  try {
    library = loadPeer('winston') as typeof winston;
  } catch {
    return undefined;
  }
  const stream = new Writable({
    objectMode: true,
    write: (line: { readonly [LEVEL]: LogLevel; readonly [MESSAGE]: string }, _encoding, done) => {
      output.add(line[LEVEL], line[MESSAGE]);
      done();
    },
  });
  const { createLogger, format, transports } = library;
  return createLogger({
    format: format((info) => {
      const { level, message, fields, ...added } = info;
      return Object.assign(info, { [MESSAGE]: lineOf(level, message, asObject(fields), added) });
    })(),
    // The two type packages behind winston disagree on the base class. At run time it is one class.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
    transports: [new transports.Stream({ stream })],
  });
}

/**
 * Puts the text together: a copy with the fields behind the first three would cost more than all the rest.
 *
 * @param given - a text, or whatever a channel without types logs.
 */
function lineOf(level: string, given: unknown, fields: JsonObject, added: JsonObject): string {
  const message = given instanceof Error ? given.message : given;
  const start = { timestamp: new Date().toISOString(), level, message };
  // A channel may log an error, a URL, or fields of these names. As winston does, the line has both messages.
  const isMixed = 'timestamp' in fields || 'level' in fields || 'message' in fields || 'toJSON' in fields;
  if (isMixed || Object.keys(added).length > 0) {
    const { message: second, stack, cause } = fields;
    const both = second ? `${String(message)} ${second as string}` : message;
    return textOf({
      ...start,
      ...fields,
      ...added,
      ...start,
      message: both,
      stack,
      cause,
      toJSON: undefined,
    });
  }
  const [first, rest] = [textOf(start), textOf(fields)];
  return rest === '{}' ? first : `${first.slice(0, -1)},${rest.slice(1)}`;
}

function textOf(fields: JsonObject): string {
  try {
    return JSON.stringify(fields);
  } catch {
    // A BigInt, a circular reference, or a `toJSON` that throws.
    const readable = Object.entries(fields).map(([name, value]) => [
      name,
      isJson(value) ? value : '[no JSON]',
    ]);
    return JSON.stringify(Object.fromEntries(readable), bigIntAsText);
  }
}

function isJson(value: unknown): boolean {
  try {
    JSON.stringify(value, bigIntAsText);
    return true;
  } catch {
    return false;
  }
}

const bigIntAsText = (_name: string, value: unknown): unknown =>
  typeof value === 'bigint' ? String(value) : value;
