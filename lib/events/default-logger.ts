import { Writable } from 'node:stream';
import winston from 'winston';
import type { Logger } from '../core/channel.js';
import { LogOutput, type LogDestination, type LogLevel } from './log-output.js';

/** Where winston keeps the level and the text of a line, beside the fields. */
const LEVEL = Symbol.for('level');
const MESSAGE = Symbol.for('message');

/** The user gave no logger: JSON lines on stdout. `flush()` resolves once they are written. Made in the factory. */
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
  const logger = createLogger({
    format: format((info) => Object.assign(info, { [MESSAGE]: lineOf(info) }))(),
    // The two type packages behind winston disagree on the base class; it is one class when it runs.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
    transports: [new transports.Stream({ stream })],
  });
  return { logger, flush: () => output.flush() };
}

/** For fields that `JSON.stringify` throws at: circles and BigInts. */
const patientJson = winston.format.json({ deterministic: false });

/** Copying the fields behind these three costs more than all the rest, so the text is put together. */
function lineOf(info: winston.Logform.TransformableInfo): string {
  const start = JSON.stringify({
    timestamp: new Date().toISOString(),
    level: info.level,
    message: info.message,
  });
  // winston made this object for this line. JSON leaves out what is undefined.
  Object.assign(info, { timestamp: undefined, level: undefined, message: undefined });
  let fields: string;
  try {
    fields = JSON.stringify(info);
  } catch {
    patientJson.transform(info, patientJson.options);
    fields = String(info[MESSAGE]);
  }
  return fields === '{}' ? start : `${start.slice(0, -1)},${fields.slice(1)}`;
}
