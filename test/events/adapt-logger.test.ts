import { Writable } from 'node:stream';
import { expect } from 'chai';
import { pino } from 'pino';
import winston from 'winston';
import { ConfigurationError } from '#lib/core/errors.js';
import { adaptLogger } from '#lib/events/adapt-logger.js';
import type { Logger, OktaTelephonyHookOptions } from '#lib/index.js';
import { readOptions } from '#lib/options/settings.js';
import { witness } from '#harness/witness.js';

type Fields = Readonly<Record<string, unknown>>;

const FIELDS = { event: 'request.answered', userId: '00u1anasilveira00001', attempts: [{ channel: 'sms' }] };

/** The lines of JSON that a logger writes. */
class Lines extends Writable {
  readonly texts: string[] = [];

  override _write(text: Buffer, _encoding: string, done: () => void): void {
    witness(String(text));
    this.texts.push(...String(text).trim().split('\n'));
    done();
  }

  get fields(): readonly Fields[] {
    return this.texts.map((text) => JSON.parse(text) as Fields);
  }
}

function writeEach(logger: Logger): void {
  logger.info('went well', FIELDS);
  logger.warn('went so-so', FIELDS);
  logger.error('went wrong', FIELDS);
  logger.info('alone');
}

const EACH = [
  { level: 'info', message: 'went well', ...FIELDS },
  { level: 'warn', message: 'went so-so', ...FIELDS },
  { level: 'error', message: 'went wrong', ...FIELDS },
  { level: 'info', message: 'alone' },
];

describe('the logger option', () => {
  for (const [what, make] of [
    ['pino', (lines: Lines) => pino(lines)],
    ['a child of pino', (lines: Lines) => pino(lines).child({ app: 'gateway' })],
    ['a child of pino with serializers', (lines: Lines) => pino(lines).child({}, { serializers: {} })],
  ] as const) {
    it(`can be ${what}, which gets every field and level`, () => {
      const lines = new Lines();
      writeEach(adaptLogger(make(lines)));
      const labels = pino.levels.labels;
      expect(
        lines.fields.map(({ level, msg, time, pid, hostname, app, ...fields }) => ({
          level: labels[Number(level)],
          message: msg,
          ...fields,
        })),
      ).to.deep.equal(EACH);
      expect(lines.texts[0]).to.match(/"event":"request.answered","userId":/);
    });
  }

  it('can be a logger that takes the fields first, like bunyan', () => {
    const calls: unknown[][] = [];
    const log = (...args: unknown[]): unknown => calls.push(args);
    const bunyan = { info: log, warn: log, error: log, child: log, addSerializers: log };
    adaptLogger(bunyan).warn('went so-so', FIELDS);
    expect(calls).to.deep.equal([[FIELDS, 'went so-so']]);
  });

  it('can be winston or its child, without a wrapper', () => {
    for (const derive of [(parent: winston.Logger) => parent, (parent: winston.Logger) => parent.child({})]) {
      const stream = new Lines();
      const logger = derive(
        winston.createLogger({ transports: [new winston.transports.Stream({ stream })] }),
      );
      expect(adaptLogger(logger)).to.equal(logger);
      writeEach(adaptLogger(logger));
      expect(stream.fields).to.deep.equal(EACH);
    }
    expect(adaptLogger(console)).to.equal(console);
  });

  it('can be a function of level, message and fields', () => {
    const lines: Fields[] = [];
    writeEach(adaptLogger((level, message, fields) => lines.push({ level, message, ...fields })));
    expect(lines).to.deep.equal(EACH);
  });

  it('can be false, which writes nothing', () => {
    writeEach(adaptLogger(false));
  });

  it('is refused with its name in any other shape', () => {
    const options = {
      credentials: {
        hook: { scheme: 'header', secrets: ['hook-secret-of-a-logger'] },
        okta: { orgUrl: 'https://acme.okta.com', apiToken: 'token-of-a-logger' },
      },
      channels: { sms: { send: () => undefined } },
    };
    for (const logger of [
      true,
      null,
      'console',
      {},
      { info: () => undefined },
      pino().child({}).bindings(),
    ]) {
      let problems: readonly string[] = [];
      try {
        readOptions({ ...options, logger } as unknown as OktaTelephonyHookOptions);
      } catch (error) {
        if (error instanceof ConfigurationError) problems = error.problems;
      }
      expect(problems).to.have.lengthOf(1);
      expect(problems[0]).to.match(
        /^logger must be an object with info, warn and error \(winston, console, pino\), a function/,
      );
    }
  });
});
