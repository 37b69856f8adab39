import { existsSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '#harness/consumer.js';
import { anchorsOf, GUIDES, linksOf, pageAt, PAGES, proseAt } from './pages.js';

const KB = 1024;
/** The largest size of a page in KB, if it is not the 14 of a guide. */
const LIMITS: Readonly<Record<string, number>> = {
  'README.md': 10,
  'SECURITY.md': 5,
  // It has a diagram, and a table for each symptom.
  'docs/run/troubleshooting.md': 16,
  'CHANGELOG.md': 2,
  'docs/reference/codes.md': 30,
  'docs/reference/provider-codes.md': 60,
  'docs/reference/events.md': 20,
  'docs/reference/options.md': 20,
};
const LIMIT_OF_A_GUIDE = 14;

/** The number of table cells that show more than 100 characters. */
function longCellsOf(page: string): number {
  return proseAt(page)
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .flatMap((line) => line.slice(1, -1).split(/(?<!\\)\|/))
    .filter((cell) => cell.replaceAll(/\]\([^)]*\)/g, '').trim().length > 100).length;
}

describe('the pages of the documentation', () => {
  it('link only to files and headings that exist', () => {
    const anchors = new Map(PAGES.map((page) => [page, anchorsOf(page)]));
    const dead: string[] = [];
    let count = 0;
    for (const page of PAGES) {
      for (const { target } of linksOf(page)) {
        if (/^\w+:/.test(target)) continue;
        count += 1;
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? page : posix.join(posix.dirname(page), path);
        const isThere =
          existsSync(join(ROOT, file)) &&
          (anchor === undefined || anchors.get(file)?.includes(anchor) === true);
        if (!isThere) dead.push(`${page}: ${target}`);
      }
    }
    expect(count).to.be.above(150);
    expect(dead).to.deep.equal([]);
  });

  it('have no heading twice, so that each anchor is unique', () => {
    const twice = PAGES.flatMap((page) => {
      const anchors = anchorsOf(page);
      return anchors.filter((anchor, at) => anchors.indexOf(anchor) !== at).map((one) => `${page}#${one}`);
    });
    expect(twice).to.deep.equal([]);
  });

  it('begin with a title, and the index lists each guide', () => {
    expect(PAGES.filter((page) => !/^# .+\n\n/.test(pageAt(page)))).to.deep.equal([]);
    const listed = [
      'docs/README.md',
      ...linksOf('docs/README.md').map(({ target }) => posix.join('docs', target)),
    ];
    expect(GUIDES).to.have.length.above(20);
    expect(GUIDES.filter((guide) => !listed.includes(guide))).to.deep.equal([]);
  });

  it('are not larger than their limits', () => {
    const sizes = PAGES.map((page) => ({ page, size: Buffer.byteLength(pageAt(page)) / KB }));
    const tooLong = sizes
      .filter(({ page, size }) => size > (LIMITS[page] ?? LIMIT_OF_A_GUIDE))
      .map(({ page, size }) => `${page}: ${size.toFixed(1)} KB`);
    expect(tooLong).to.deep.equal([]);
  });

  it('have no table cell with more than 100 characters, except in the generated tables', () => {
    const found = PAGES.map((page) => ({ page, count: longCellsOf(page) })).filter(({ count }) => count > 0);
    // The generated tables contain remedies of the sources.
    expect(found).to.deep.equal([
      { page: 'docs/reference/codes.md', count: 2 },
      { page: 'docs/reference/provider-codes.md', count: 11 },
    ]);
  });

  it('show pictures of less than 100 KB, each with a description', () => {
    const pictures = PAGES.flatMap((page) =>
      linksOf(page)
        .filter(({ isPicture }) => isPicture)
        .map(({ text, target }) => ({ text, file: join(ROOT, posix.dirname(page), target) })),
    );
    expect(pictures).to.have.length.above(2);
    for (const { text, file } of pictures) {
      expect(text).to.have.length.above(40);
      expect(statSync(file).size / KB, file).to.be.below(100);
    }
  });
});
