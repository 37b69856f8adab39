import { once } from 'node:events';
import { closeSync, openSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable, type Transform } from 'node:stream';
import { text as readAll } from 'node:stream/consumers';
import { expect } from 'chai';
import sinon from 'sinon';
import winston from 'winston';
import { createDefaultLogger } from '#lib/events/default-logger.js';
import { MAX_WAITING } from '#lib/events/log-output.js';
import { witness } from '#harness/witness.js';

type Line = Readonly<Record<string, unknown>>;

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const padding = 'x'.repeat(10_000);

function linesOf(text: string): Line[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

/** A socket fills up like a pipe, and Node.js cannot create a pipe. */
function fdOf(socket: Socket): number {
  return (socket as Socket & { readonly _handle?: { readonly fd: number } })._handle?.fd ?? -1;
}

/** Writes until there is no room, or reads until nothing is left. */
function untilFull(step: () => number): void {
  expect(() => {
    while (step() > 0);
  }).to.throw('EAGAIN');
}

/** Replaces stdout: a write succeeds at once, waits for `goOn()`, or fails. */
class Stdout extends Writable {
  readonly writes: string[] = [];
  failure: Error | undefined;
  isBlocked = false;
  #end: (() => void) | undefined;

  constructor() {
    super({ decodeStrings: false });
  }

  /** stdout stays open after errors. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    process.stdout._destroy.call(this, error, done);
  }

  override _write(text: string, _encoding: string, done: (error?: Error) => void): void {
    witness(text);
    const end = (): void => {
      if (this.failure === undefined) this.writes.push(text);
      done(this.failure);
    };
    if (this.isBlocked) this.#end = end;
    else end();
  }

  /** Completes the write that waits. */
  goOn(): void {
    this.isBlocked = false;
    this.#end?.();
  }

  get lines(): Line[] {
    return linesOf(this.writes.join(''));
  }

  get drops(): Line[] {
    return this.lines.filter(({ event }) => event === 'log.dropped');
  }
}

describe('the default log', () => {
  it('writes lines of JSON that begin with timestamp, level, message and event', async () => {
    const stdout = new Stdout();
    const { logger } = createDefaultLogger(stdout);
    logger.info('hello\nworld', { event: 'e', userId: '00u1', nested: [{ a: 1 }], nothing: undefined });
    logger.info('alone');
    await nextTurn();
    const [line, alone] = stdout.lines;
    expect(Object.keys(line ?? {})).to.deep.equal([
      ...['timestamp', 'level', 'message', 'event', 'userId', 'nested'],
    ]);
    expect(line).to.deep.include({ level: 'info', message: 'hello\nworld', nested: [{ a: 1 }] });
    expect(Date.parse(String(line?.['timestamp']))).to.be.a('number').and.not.NaN;
    expect(Object.keys(alone ?? {})).to.deep.equal(['timestamp', 'level', 'message']);
  });

  it('writes to stdout', async () => {
    const write = sinon.stub(process.stdout, 'write').returns(true);
    try {
      const { logger, flush } = createDefaultLogger();
      logger.warn('hello');
      // The stub never calls back.
      await flush();
    } finally {
      write.restore();
    }
    expect(linesOf(String(write.firstCall.args[0]))[0]).to.include({ level: 'warn', message: 'hello' });
    expect(write.callCount).to.equal(1);
  });

  it('writes a line for fields that are not JSON, such as a BigInt or a circle', async () => {
    const stdout = new Stdout();
    const circle: Record<string, unknown> = { event: 'e', size: 12n };
    circle['self'] = circle;
    createDefaultLogger(stdout).logger.info('hello', circle);
    await nextTurn();
    expect(stdout.lines[0]).to.include({ level: 'info', message: 'hello', event: 'e', size: '12' });
    expect(stdout.lines[0]).to.have.property('self', '[no JSON]');
  });

  describe('with a tracing library, which patches winston to add members to a line,', () => {
    let patched: sinon.SinonStub;
    /** Replaces the method that OpenTelemetry and Datadog patch. */
    const patch = (addTo: (line: object) => object): void => {
      const { prototype } = (winston as unknown as { Logger: { prototype: Transform } }).Logger;
      const write = prototype.write;
      patched = sinon.stub(prototype, 'write').callsFake(function (this: Transform, line: unknown): boolean {
        return Reflect.apply(write, this, [addTo(line as object)]) as boolean;
      });
    };
    afterEach(() => {
      patched.restore();
    });

    it('keeps the members of OpenTelemetry', async () => {
      const added = { trace_id: 'a1', span_id: 'b2' };
      patch((line) => Object.assign(line, added));
      const stdout = new Stdout();
      const { logger } = createDefaultLogger(stdout);
      logger.info('hello', { event: 'e', userId: '00u1' });
      logger.warn('alone');
      logger.error('failed', new Error('why') as never);
      logger.info('own', { trace_id: 'c3' });
      await nextTurn();
      const [hello, alone, failed, own] = stdout.lines;
      expect(Object.keys(hello ?? {}).slice(0, 3)).to.deep.equal(['timestamp', 'level', 'message']);
      expect(hello).to.include({ level: 'info', message: 'hello', event: 'e', userId: '00u1', ...added });
      expect(alone).to.include({ message: 'alone', ...added });
      expect(failed).to.include({ message: 'failed why', ...added });
      // Each name stands in a line once.
      expect(own).to.include({ message: 'own', ...added });
      expect(stdout.writes.join('').match(/trace_id/g)).to.have.length(4);
    });

    it('keeps a member in place of a field of its name, but not of the time, level and message', async () => {
      patch((line) => Object.assign(line, { timestamp: 'theirs', event: 'theirs' }));
      const stdout = new Stdout();
      createDefaultLogger(stdout).logger.info('hello', { event: 'e', timestamp: 'mine' });
      await nextTurn();
      expect(stdout.lines[0]).to.include({ level: 'info', message: 'hello', event: 'theirs' });
      expect(stdout.lines[0])
        .to.have.property('timestamp')
        .that.matches(/^\d{4}-\d\d-\d\dT/);
    });

    it('keeps the member of Datadog, which a proxy adds', async () => {
      const added = { dd: { trace_id: '1' } };
      const ownerOf = (line: object, key: string | symbol): object => (key === 'dd' ? added : line);
      patch(
        (line) =>
          new Proxy(line, {
            get: (target, key): unknown => Reflect.get(ownerOf(target, key), key),
            ownKeys: (target) => [...Reflect.ownKeys(target), 'dd'],
            getOwnPropertyDescriptor: (target, key) =>
              Reflect.getOwnPropertyDescriptor(ownerOf(target, key), key),
          }),
      );
      const stdout = new Stdout();
      createDefaultLogger(stdout).logger.info('hello', { event: 'e' });
      await nextTurn();
      expect(stdout.lines[0]).to.deep.include({ message: 'hello', event: 'e', ...added });
    });
  });

  it('writes each name once, and the message and stack of an error', async () => {
    const stdout = new Stdout();
    const { logger } = createDefaultLogger(stdout);
    logger.info('hello', { event: 'e', timestamp: 'mine', level: 'mine', message: 'second' });
    const error = Object.assign(new Error('lost', { cause: 'why' }), { code: 'ECONNRESET' });
    logger.info('failed:', error as unknown as Line);
    for (const none of [null, 'text', 5, undefined]) logger.info('alone', none as unknown as Line);
    await nextTurn();
    const texts = stdout.writes.join('').trim().split('\n');
    for (const text of texts) expect(text.match(/"(?:timestamp|level|message)":/g)).to.have.length(3);
    const [line, failed, ...alone] = stdout.lines;
    expect(line).to.include({ level: 'info', message: 'hello second', event: 'e' });
    expect(line?.['timestamp']).to.not.equal('mine');
    expect(failed).to.include({ message: 'failed: lost', code: 'ECONNRESET', cause: 'why' });
    expect(failed?.['stack']).to.match(/^Error: lost\n/);
    expect(alone.map((each) => Object.keys(each).length)).to.deep.equal([3, 3, 3, 3]);
  });

  it('writes fields next to a message with a percent sign', async () => {
    const stdout = new Stdout();
    createDefaultLogger(stdout).logger.info('%s is 5%d', { event: 'e' });
    await nextTurn();
    expect(stdout.lines[0]).to.include({ message: '%s is 5%d', event: 'e' });
  });

  it('writes JSON for any value that an untyped channel logs', async () => {
    const stdout = new Stdout();
    const { logger } = createDefaultLogger(stdout);
    const log = logger.info.bind(logger) as (message: unknown, fields?: unknown) => void;
    log('a URL', new URL('https://acme.example/a'));
    log('a date', new Date(0));
    log('own words', { toJSON: () => undefined, event: 'e' });
    log(new Error('an error'));
    log({ text: 'an object' });
    await nextTurn();
    expect(stdout.lines.map(({ message }) => message)).to.deep.equal([
      'a URL',
      'a date',
      'own words',
      'an error',
      { text: 'an object' },
    ]);
    expect(stdout.lines[2]).to.include({ event: 'e' });
  });

  it('writes the lines of one turn in one write', async () => {
    const stdout = new Stdout();
    const { logger } = createDefaultLogger(stdout);
    for (let line = 0; line < 5; line++) logger.info(`line ${line}`);
    expect(stdout.writes).to.have.length(0);
    await nextTurn();
    expect(stdout.writes).to.have.length(1);
    expect(stdout.lines.map(({ message }) => message)).to.deep.equal([
      ...['line 0', 'line 1', 'line 2', 'line 3', 'line 4'],
    ]);
    logger.info('another turn');
    await nextTurn();
    expect(stdout.writes).to.have.length(2);
  });

  it('writes a warning and an error at once, after the lines before them', async () => {
    const stdout = new Stdout();
    const { logger } = createDefaultLogger(stdout);
    logger.info('first');
    logger.warn('second');
    expect(stdout.lines.map(({ message }) => message)).to.deep.equal(['first', 'second']);
    logger.error('third');
    expect(stdout.writes).to.have.length(2);
    await nextTurn();
    expect(stdout.writes).to.have.length(2);
  });

  it('keeps a limited number of lines while stdout is blocked, and logs how many it dropped', async () => {
    const stdout = new Stdout();
    stdout.isBlocked = true;
    const { logger, flush } = createDefaultLogger(stdout);
    const written = { info: 0, warn: 0, error: 0 };
    for (let turn = 0; turn < 100; turn++) {
      for (const level of ['info', 'info', 'warn', 'error'] as const) {
        logger[level]('hello', { padding });
        written[level] += 1;
      }
      await nextTurn();
      expect(stdout.writableLength).to.be.below(MAX_WAITING);
      expect(stdout.listenerCount('drain')).to.be.below(2);
    }
    const flushed = flush();
    stdout.goOn();
    await flushed;
    expect(stdout.writes.join('').length).to.be.within(MAX_WAITING * 0.9, MAX_WAITING * 1.1);
    expect(stdout.drops).to.have.length(1);
    expect(stdout.lines.at(-1)).to.include({ level: 'warn', event: 'log.dropped' });
    const dropped = stdout.drops[0]?.['dropped'] as typeof written;
    for (const level of ['info', 'warn', 'error'] as const) {
      const kept = stdout.lines.filter((line) => line['level'] === level && line['event'] === undefined);
      expect(kept.length + dropped[level], level).to.equal(written[level]);
      expect(dropped[level], level).to.be.above(0);
    }
    // Once only.
    logger.warn('later');
    expect(stdout.drops).to.have.length(1);
    expect(stdout.lines.at(-1)).to.include({ message: 'later' });
    expect(stdout.listenerCount('drain')).to.equal(0);
  });

  it('waits also for what the application writes to stdout', async () => {
    const stdout = new Stdout();
    stdout.isBlocked = true;
    stdout.write(`${JSON.stringify({ padding: padding.repeat(10) })}\n`);
    const { logger } = createDefaultLogger(stdout);
    logger.error('hello');
    await nextTurn();
    expect(stdout.writableLength).to.be.above(0);
    stdout.goOn();
    // `drain` comes after the write.
    await nextTurn();
    expect(stdout.lines.map(({ message }) => message)).to.deep.equal([undefined, 'hello']);
  });

  it('drops nothing while stdout accepts all, even if one turn writes a lot', async () => {
    const stdout = new Stdout();
    const { logger } = createDefaultLogger(stdout);
    for (let line = 0; line < 300; line++) logger.info('hello', { line, padding });
    logger.info('long', { padding: padding.repeat(200) });
    await nextTurn();
    expect(stdout.lines).to.have.length(301);
    expect(stdout.drops).to.be.empty;
  });

  for (const [how, fail] of [
    ['fails', (stdout: Stdout) => (stdout.failure = new Error('ENOSPC: no space left on device'))],
    [
      'throws',
      (stdout: Stdout) =>
        sinon.stub(stdout, 'write').callsFake(() => {
          throw new Error('ENOSPC: no space left on device');
        }),
    ],
  ] as const) {
    it(`continues if a write ${how}, and logs how many lines were lost as soon as it can`, async () => {
      const stdout = new Stdout();
      fail(stdout);
      const { logger } = createDefaultLogger(stdout);
      for (let turn = 0; turn < 3; turn++) {
        logger.info('lost', { padding: padding.repeat(10) });
        logger.warn('lost');
        await nextTurn();
        await nextTurn();
      }
      expect(stdout.writes).to.have.length(0);
      sinon.restore();
      stdout.failure = undefined;
      logger.info('kept');
      await nextTurn();
      // The failed write may have ended in the middle of a line.
      expect(stdout.writes[0]?.startsWith('\n')).to.equal(true);
      expect(stdout.lines).to.have.length(2);
      expect(stdout.lines[0]).to.include({ message: 'kept' });
      expect(stdout.drops[0]).to.deep.include({
        dropped: { info: 3, warn: 3, error: 0 },
        reason: 'ENOSPC: no space left on device',
      });
    });
  }

  it('writes the waiting lines after another write has failed', async () => {
    const stdout = new Stdout();
    stdout.isBlocked = true;
    const { logger } = createDefaultLogger(stdout);
    logger.warn('lost', { padding: padding.repeat(10) });
    logger.info('kept');
    await nextTurn();
    stdout.failure = new Error('lost');
    stdout.goOn();
    stdout.failure = undefined;
    await nextTurn();
    await nextTurn();
    expect(stdout.lines.map(({ message }) => message))
      .to.have.length(2)
      .and.include('kept');
    expect(stdout.drops[0]).to.deep.include({ dropped: { info: 0, warn: 1, error: 0 } });
  });

  it("leaves errors of the application's own writes to the application", async () => {
    const stdout = new Stdout();
    const { logger, flush } = createDefaultLogger(stdout);
    stdout.failure = new Error('EPIPE');
    // An error event follows each warning.
    logger.warn('lost');
    logger.warn('lost');
    await flush();
    await nextTurn();
    expect(stdout.listenerCount('error')).to.equal(0);
    const errors: Error[] = [];
    stdout.on('error', (error) => errors.push(error));
    stdout.write('of the user');
    await nextTurn();
    expect(errors).to.have.length(1);
    stdout.failure = undefined;
    await flush();
  });

  it('listens for the exit of the process only while lines wait', async () => {
    const before = process.listenerCount('exit');
    const stdout = new Stdout();
    const { logger, flush } = createDefaultLogger(stdout);
    expect(process.listenerCount('exit')).to.equal(before);
    logger.info('hello');
    expect(process.listenerCount('exit')).to.equal(before + 1);
    await nextTurn();
    expect(process.listenerCount('exit')).to.equal(before);
    logger.error('hello');
    await nextTurn();
    expect(process.listenerCount('exit')).to.equal(before);
    stdout.failure = new Error('ENOSPC');
    logger.error('lost');
    await nextTurn();
    expect(process.listenerCount('exit')).to.equal(before + 1);
    stdout.failure = undefined;
    await flush();
    await nextTurn();
    expect(stdout.drops).to.have.length(1);
    expect(process.listenerCount('exit')).to.equal(before);
  });

  it('adds one exit listener for many hooks', async () => {
    const before = process.listenerCount('exit');
    for (let hook = 0; hook < 12; hook++) createDefaultLogger(new Stdout()).logger.info('hello');
    expect(process.listenerCount('exit')).to.equal(before + 1);
    await nextTurn();
    expect(process.listenerCount('exit')).to.equal(before);
  });

  it('waits at exit for a full pipe that is read soon, for half a second at most', async function () {
    if (process.platform === 'win32') {
      process.stdout.write('      skipped: a named pipe has no file descriptor on Windows\n');
      this.skip();
    }
    const path = join(tmpdir(), `log-${process.pid}.sock`);
    const server = createServer().listen(path);
    await once(server, 'listening');
    const writer = connect(path);
    const [[reader]] = (await Promise.all([once(server, 'connection'), once(writer, 'connect')])) as [
      [Socket],
      unknown,
    ];
    server.close();
    const [fd, readFd] = [fdOf(writer), fdOf(reader)];
    const wait = sinon.stub(Atomics, 'wait');
    try {
      const exit = async (to: number): Promise<void> => {
        const { logger } = createDefaultLogger(Object.assign(new Stdout(), { fd: to }));
        logger.info('last words');
        process.listeners('exit').at(-1)?.(0);
        // Otherwise the logger listens until the tests end.
        logger.info('the process goes on');
        await nextTurn();
      };
      await exit(-1);
      expect(wait.callCount).to.equal(0);

      untilFull(() => writeSync(fd, padding));
      wait.onSecondCall().callsFake(() => {
        untilFull(() => readSync(readFd, Buffer.alloc(1_000_000)));
        return 'timed-out';
      });
      await exit(fd);
      expect(wait.callCount).to.equal(2);

      untilFull(() => writeSync(fd, padding));
      wait.onCall(100).throws(new Error('it waits without end'));
      await exit(fd);
      expect(wait.callCount).to.equal(50);
      writer.end();
      expect(await readAll(reader)).to.include('"last words"');
    } finally {
      wait.restore();
      writer.destroy();
      reader.destroy();
    }
  });

  for (const [where, wasHalfWritten] of [
    ['with a partial write on a new line', true],
    ['with nothing before it', false],
  ] as const) {
    it(`writes the waiting lines at exit, ${where}`, async () => {
      const file = join(tmpdir(), `log-${process.pid}-${String(wasHalfWritten)}`);
      const fd = openSync(file, 'w');
      try {
        const stdout = Object.assign(new Stdout(), { fd });
        const on = sinon.spy(process, 'on');
        const { logger, flush } = createDefaultLogger(stdout);
        if (wasHalfWritten) {
          stdout.isBlocked = true;
          logger.warn('in the buffer');
        }
        logger.info('hello');
        const onExit = on.getCalls().find(({ args: [event] }) => String(event) === 'exit')?.args[1];
        on.restore();
        onExit?.(0);
        const text = readFileSync(file, 'utf8');
        const messages = linesOf(text).map(({ message }) => message);
        expect(messages).to.deep.equal([...(wasHalfWritten ? ['in the buffer'] : []), 'hello']);
        expect(text.startsWith('\n')).to.equal(wasHalfWritten);
        stdout.goOn();
        await flush();
      } finally {
        closeSync(fd);
        rmSync(file);
      }
    });
  }
});
