import { expect } from 'chai';
import { remakePages } from './reference/pages.js';

describe('the reference pages', () => {
  it('are what `npm run docs:reference` writes', async () => {
    const pages = await remakePages();
    expect(pages).to.have.length.above(5);
    for (const { path, now, kept } of pages) {
      expect(now.length, path).to.be.above(1_000);
      expect(kept, `${path}: npm run docs:reference`).to.equal(now);
    }
  });
});
