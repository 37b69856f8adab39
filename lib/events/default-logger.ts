import { Writable } from 'node:stream';
import winston from 'winston';
import type { Logger } from '../core/channel.js';
import { LogOutput, type LogDestination, type LogLevel } from './log-output.js';

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
  const logger = createLogger({
    format: format((info) => Object.assign(info, { [MESSAGE]: lineOf(info) }))(),
    // The two type packages behind winston disagree on the base class. At run time it is one class.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
    transports: [new transports.Stream({ stream })],
  });
  return { logger, flush: () => output.flush() };
}

/** For fields on which `JSON.stringify` throws: circular references and BigInts. */
const patientJson = winston.format.json({ deterministic: false });

/** Puts the text together: a copy with the fields behind these three would cost more than all the rest. */
function lineOf(info: winston.Logform.TransformableInfo): string {
  const start = JSON.stringify({
    timestamp: new Date().toISOString(),
    level: info.level,
    message: info.message,
  });
  // winston made this object for this line only. JSON leaves out undefined values.
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
