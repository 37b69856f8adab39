import { expect } from 'chai';
import { endOfTurn } from '#lib/core/time.js';
import { RedisFailure } from '#lib/state/redis/failure.js';
import { Outbox, type WriteQueue } from '#lib/state/redis/outbox.js';
import { defer } from '#harness/until.js';

type Outcome = 'answer' | 'failure';

/** A connection that the test breaks and makes again, and the writes that reached Redis through it. */
class FakeConnection {
  health: 'ok' | 'lost' = 'ok';
  readonly warnings: string[] = [];
  readonly sent: string[] = [];
  readonly #waiting: { readonly text: string; readonly end: (outcome: Outcome) => void }[] = [];
  #onConnected: () => void = () => undefined;

  onConnected(listener: () => void): void {
    this.#onConnected = listener;
  }

  warn(reason: string, remedy: string): void {
    this.warnings.push(`${reason} ${remedy}`);
  }

  /** One attempt of a write; it waits until the test ends it. */
  async run(text: string): Promise<string> {
    if (this.health === 'lost') throw new RedisFailure('CLOSED', false);
    const outcome = defer<Outcome>();
    this.sent.push(text);
    this.#waiting.push({ text, end: outcome.resolve });
    if ((await outcome.promise) === 'failure') throw new RedisFailure('CLOSED', true);
    return `done ${text}`;
  }

  /** Ends all attempts that are under way, and waits until the outbox has read it. */
  async end(outcome: Outcome): Promise<void> {
    for (const { end } of this.#waiting.splice(0)) end(outcome);
    await endOfTurn();
  }

  get underWay(): readonly string[] {
    return this.#waiting.map(({ text }) => text);
  }

  async lose(): Promise<void> {
    this.health = 'lost';
    await this.end('failure');
  }

  connect(): void {
    this.health = 'ok';
    this.#onConnected();
  }
}

describe('the outbox', () => {
  let redis: FakeConnection;
  let outbox: Outbox;
  const results: Record<string, unknown> = {};
  const queues = new Map<string, WriteQueue>();
  const newQueue = (isLasting = false): WriteQueue => ({ isLasting, writes: [] });
  /** A write of the record before the dash. */
  const write = (text: string): void => {
    const [key = ''] = text.split('-');
    const queue = queues.get(key) ?? newQueue();
    queues.set(key, queue);
    void outbox
      .write(queue, () => redis.run(text))
      .then((result) => {
        results[text] = result;
      });
  };
  beforeEach(() => {
    redis = new FakeConnection();
    outbox = new Outbox(redis);
    queues.clear();
    for (const text of Object.keys(results)) Reflect.deleteProperty(results, text);
  });

  it('sends a write in the same turn if nothing of its record waits', async () => {
    write('a-1');
    write('b-1');
    expect(redis.sent).to.deep.equal(['a-1', 'b-1']);
    await redis.end('answer');
    expect(results).to.deep.equal({ 'a-1': 'done a-1', 'b-1': 'done b-1' });
  });

  it('sends the writes of one record one after the other', async () => {
    for (const text of ['a-1', 'a-2', 'a-3']) write(text);
    for (const text of ['a-1', 'a-2', 'a-3']) {
      expect(redis.underWay).to.deep.equal([text]);
      await redis.end('answer');
    }
    expect(Object.keys(results)).to.deep.equal(['a-1', 'a-2', 'a-3']);
  });

  it('sends a write without an answer again with each new connection, before later writes of its record', async () => {
    write('a-1');
    for (let connections = 1; connections <= 3; connections += 1) {
      await redis.lose();
      write(`a-${connections + 1}`);
      redis.connect();
      expect(redis.underWay).to.deep.equal(['a-1']);
    }
    for (const text of ['a-1', 'a-2', 'a-3', 'a-4']) {
      expect(redis.underWay).to.deep.equal([text]);
      await redis.end('answer');
    }
    expect(Object.keys(results)).to.deep.equal(['a-1', 'a-2', 'a-3', 'a-4']);
  });

  it('sends a write again at once if its connection fails after the next one came', async () => {
    write('a-1');
    redis.connect();
    await redis.end('failure');
    expect(redis.underWay).to.deep.equal(['a-1']);
    await redis.end('answer');
    expect(results).to.deep.equal({ 'a-1': 'done a-1' });
  });

  it('continues 50 records at once with a new connection, and sends new records beside them', async () => {
    await redis.lose();
    for (let at = 0; at < 120; at += 1) write(`${at}-1`);
    redis.connect();
    expect(redis.underWay).to.deep.equal(Array.from({ length: 50 }, (_, at) => `${at}-1`));
    write('new-1');
    expect(redis.underWay).to.have.length(51);
    await redis.end('answer');
    expect(redis.underWay).to.have.length(50);
    await redis.end('answer');
    expect(redis.underWay).to.have.length(20);
    await redis.end('answer');
    expect(Object.keys(results)).to.have.length(121);
  });

  it('sends nothing more when Redis is lost again', async () => {
    await redis.lose();
    for (let at = 0; at < 120; at += 1) write(`${at}-1`);
    redis.connect();
    await redis.lose();
    expect(redis.sent).to.have.length(50);
    redis.connect();
    for (let round = 0; round < 3; round += 1) await redis.end('answer');
    expect(Object.keys(results)).to.have.length(120);
  });

  it('rejects with an error that is not of Redis, and goes on with the next write', async () => {
    queues.set('a', newQueue());
    const broken = outbox.write(queues.get('a') ?? newQueue(), () => Promise.reject(new TypeError('cyclic')));
    write('a-2');
    expect(await broken.catch((error: unknown) => error)).to.be.instanceOf(TypeError);
    await redis.end('answer');
    expect(results).to.deep.equal({ 'a-2': 'done a-2' });
  });

  it('keeps 20,000 writes; then it drops the older half, tells each of them, and warns with their number', async () => {
    await redis.lose();
    for (let at = 1; at <= 20_000; at += 1) write(`${at}-${at}`);
    expect(redis.warnings).to.be.empty;
    write('last-0');
    await endOfTurn();
    expect(redis.warnings).to.have.length(1);
    expect(redis.warnings[0]).to.match(/^WRITES_DROPPED .*10000/);
    const dropped = Object.keys(results);
    expect(dropped).to.have.length(10_000);
    expect(new Set(Object.values(results))).to.deep.equal(new Set([undefined]));
    expect(Math.max(...dropped.map((text) => Number(text.split('-')[1])))).to.equal(10_000);
    redis.connect();
    while (redis.underWay.length > 0) await redis.end('answer');
    expect(redis.sent).to.have.length(10_001);
  });

  it('drops writes of lasting records last, such as a STOP, and no more than half of them at once', async () => {
    await redis.lose();
    for (let at = 1; at <= 10_500; at += 1)
      void outbox.write(newQueue(true), () => redis.run('stop')).then(() => (results[`stop ${at}`] = 0));
    for (let at = 1; at <= 9_501; at += 1) write(`${at}-1`);
    await endOfTurn();
    expect(redis.warnings).to.have.length(1);
    const stops = Object.keys(results).filter((text) => text.startsWith('stop'));
    expect(Object.keys(results)).to.have.length(10_000);
    expect(stops).to.have.length(500);
    expect(stops.at(-1)).to.equal('stop 500');
  });

  it('drops no write that is under way', async () => {
    write('first-1');
    redis.health = 'lost';
    for (let at = 1; at <= 20_000; at += 1) write(`${at}-1`);
    expect(redis.warnings).to.have.length(1);
    await redis.end('answer');
    expect(results['first-1']).to.equal('done first-1');
  });

  it('does not warn if all writes are under way, so that it can drop none', () => {
    for (let at = 1; at <= 20_002; at += 1) write(`${at}-1`);
    expect(redis.underWay).to.have.length(20_002);
    expect(redis.warnings).to.be.empty;
  });

  it('is idle when no write is under way; writes that wait for Redis do not count', async () => {
    let isIdle = false;
    await outbox.idle();
    write('a-1');
    write('a-2');
    const idle = outbox.idle().then(() => (isIdle = true));
    await redis.end('answer');
    expect(isIdle).to.equal(false);
    await redis.lose();
    await idle;
    expect(isIdle).to.equal(true);
    await outbox.idle();
  });

  it('close() waits for what is under way, for a time, and then tells all others that they are dropped', async () => {
    write('a-1');
    write('a-2');
    write('b-1');
    const closing = outbox.close(60_000);
    await redis.end('answer');
    await redis.end('answer');
    await closing;
    write('c-1');
    await endOfTurn();
    expect(results).to.deep.equal({
      'a-1': 'done a-1',
      'b-1': 'done b-1',
      'a-2': 'done a-2',
      'c-1': undefined,
    });

    const other = new FakeConnection();
    const hanging = new Outbox(other);
    const queue = newQueue();
    const written = hanging.write(queue, () => other.run('a-1'));
    const next = hanging.write(queue, () => other.run('a-2'));
    await hanging.close(1);
    expect(await written).to.equal(undefined);
    expect(await next).to.equal(undefined);
    expect(redis.warnings).to.be.empty;
    expect(other.warnings[0]).to.match(/^WRITES_DROPPED .* 2 /);
    await other.end('answer');
    expect(other.sent).to.deep.equal(['a-1']);
  });
});
