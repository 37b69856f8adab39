import { expect } from 'chai';
import { costPerCode, readUsage, type RedisUsage } from './redis-usage.js';

const usage = (changes: Partial<RedisUsage> = {}): RedisUsage => ({
  ...{ calls: new Map(), bytesIn: 0, bytesOut: 0, cpuMicroseconds: 0, memoryBytes: 1_000_000 },
  ...changes,
});

describe('the Redis usage of the bench', () => {
  it("is read from Redis's INFO, and an INFO without a field throws", () => {
    const info = [
      ...['# Memory', 'used_memory:1083712', '# Stats', 'total_net_input_bytes:111'],
      ...['total_net_output_bytes:320', '# CPU', 'used_cpu_sys:0.019044', 'used_cpu_user:1.5'],
      ...[
        '# Commandstats',
        'cmdstat_set:calls=12,usec=20,usec_per_call=20.00,rejected_calls=0,failed_calls=0',
      ],
      ...['cmdstat_client|list:calls=1,usec=18,usec_per_call=18.00', ''],
    ];
    expect(readUsage(info.join('\r\n'))).to.deep.equal({
      calls: new Map([
        ['set', 12],
        ['client|list', 1],
      ]),
      ...{ bytesIn: 111, bytesOut: 320, cpuMicroseconds: 1_519_044, memoryBytes: 1_083_712 },
    });
    expect(() => readUsage('used_memory:1')).to.throw('total_net_input_bytes');
  });

  it('gives the cost of a code without the cost of the INFO calls', () => {
    const first = usage();
    const second = usage({
      calls: new Map([['info', 1]]),
      ...{ bytesIn: 50, bytesOut: 4_000, cpuMicroseconds: 90, memoryBytes: 1_000_100 },
    });
    const last = usage({
      calls: new Map([
        ['info', 2],
        ['evalsha', 30],
      ]),
      ...{ bytesIn: 30_100, bytesOut: 8_210, cpuMicroseconds: 1_180, memoryBytes: 1_029_100 },
    });
    expect(costPerCode([first, second, last], 10)).to.deep.equal({
      calls: { evalsha: 3 },
      ...{ bytesIn: 3_000, bytesOut: 21, cpuMicroseconds: 100, memoryBytes: 2_900 },
    });
  });
});
