import type { Logger } from '../core/channel.js';
import { hasMethods } from '../core/option-rules.js';

/** Makes a `Logger` of whatever the option `logger` may be. The hook and its channels then know one shape only. */

export type LogLevel = keyof Logger;

/** Writes one line of the log: a function in place of a logger. Its errors change nothing. */
export type LogFunction = (
  level: LogLevel,
  message: string,
  fields: Readonly<Record<string, unknown>>,
) => unknown;

export const LEVELS = ['info', 'warn', 'error'] as const satisfies readonly LogLevel[];

/** Whether `adaptLogger` can use it. */
export const isLogger = (value: unknown): value is Logger | LogFunction | false =>
  value === false || typeof value === 'function' || hasMethods(value, LEVELS);

/** @param logger - has passed `isLogger`. */
export function adaptLogger(logger: Logger | LogFunction | false): Logger {
  if (logger === false) return loggerOf(() => undefined);
  if (!hasMethods(logger, LEVELS)) return loggerOf(logger as LogFunction);
  if (!isFieldsFirst(logger)) return logger as Logger;
  // The type of pino's methods allows both orders.
  const fieldsFirst = logger as unknown as FieldsFirstLogger;
  return loggerOf((level, message, fields) => fieldsFirst[level](fields, message));
}

type FieldsFirstLogger = Readonly<
  Record<LogLevel, (fields: Readonly<Record<string, unknown>>, message: string) => unknown>
>;

/**
 * Whether the methods take the fields before the message. pino and bunyan do, and drop fields that follow the message. A child
 * of theirs has the same marks. winston has `child()`, too, but takes the message first.
 */
function isFieldsFirst(logger: object): boolean {
  return (
    Symbol.for('pino.serializers') in logger ||
    hasMethods(logger, ['child', 'bindings']) ||
    hasMethods(logger, ['child', 'addSerializers'])
  );
}

function loggerOf(write: LogFunction): Logger {
  return {
    info: (message, fields = {}) => write('info', message, fields),
    warn: (message, fields = {}) => write('warn', message, fields),
    error: (message, fields = {}) => write('error', message, fields),
  };
}
