import { Writable } from 'node:stream';
import winston from 'winston';
import type { Logger } from '../core/channel.js';
import { asObject, type JsonObject } from '../core/json.js';
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
  const { createLogger, format, transports } = winston;
  const output = new LogOutput(destination);
  const stream = new Writable({
    objectMode: true,
    write: (line: { readonly [LEVEL]: LogLevel; readonly [MESSAGE]: string }, _encoding, done) => {
      output.add(line[LEVEL], line[MESSAGE]);
      done();
    },
  });
  const lines = createLogger({
    format: format((info) => {
      // Tracing libraries patch winston and add members such as `trace_id`.
      const { level, message, fields, ...added } = info;
      return Object.assign(info, { [MESSAGE]: lineOf(level, message, asObject(fields), added) });
    })(),
    // The two type packages behind winston disagree on the base class. At run time it is one class.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
    transports: [new transports.Stream({ stream })],
  });
  return {
    // winston's own methods copy the fields, which takes a third of the time of a line.
    logger: adaptLogger((level, message, fields) => lines.log({ level, message, fields })),
    flush: () => output.flush(),
  };
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

/** For fields on which `JSON.stringify` throws: circular references and BigInts. */
const patientJson = winston.format.json({ deterministic: false });

function textOf(fields: JsonObject): string {
  try {
    return JSON.stringify(fields);
  } catch {
    const info = { ...fields } as winston.Logform.TransformableInfo;
    patientJson.transform(info, patientJson.options);
    return String(info[MESSAGE]);
  }
}
