import { expect } from 'chai';
import { commandOf, Frames, wordsOf } from './resp.js';

describe('the frames of a Redis connection', () => {
  const command = commandOf(['SET', 'key', Buffer.from([13, 10, 36, 0])]);
  const answers = ['+OK\r\n', ':12\r\n', '$-1\r\n', '_\r\n', '-ERR no\r\n', '$2\r\n\r\n\r\n'];
  const nested = ['*2\r\n*1\r\n$1\r\na\r\n:1\r\n', '%1\r\n+proto\r\n:3\r\n', '*0\r\n', '*-1\r\n'];

  it('are whole commands and answers, wherever their bytes are cut', () => {
    const frames = [command, ...[...answers, ...nested].map((text) => Buffer.from(text))];
    const bytes = Buffer.concat(frames);
    for (let size = 1; size <= bytes.length; size += 1) {
      const cut = new Frames();
      const found: Buffer[] = [];
      for (let from = 0; from < bytes.length; from += size)
        found.push(...cut.push(bytes.subarray(from, from + size)));
      expect(found).to.deep.equal(frames);
    }
  });

  it('have the words of a command', () => {
    expect(wordsOf(command)).to.deep.equal([
      Buffer.from('SET'),
      Buffer.from('key'),
      Buffer.from([13, 10, 36, 0]),
    ]);
  });
});
