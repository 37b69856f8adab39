import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ROOT } from '#harness/consumer.js';
import { anchorsOf, pageAt, PAGES, sectionOf } from './pages.js';

/** The words of a union type of strings in a file of lib. */
function wordsOfType(file: string, type: string): readonly string[] {
  const source = readFileSync(join(ROOT, 'lib', file), 'utf8');
  const [, body = ''] = new RegExp(`^export type ${type} =(.*?);`, 'ms').exec(source) ?? [];
  return [...body.matchAll(/'(\w+)'/g)].map(([, word = '']) => word);
}

const boldIn = (text: string): string[] =>
  [...text.matchAll(/<b>([\w/]+)<\/b>/g)].map(([, name = '']) => name);

describe('the diagrams of the guides', () => {
  it('each have a title and a description for screen readers, and text below', () => {
    const diagrams = PAGES.flatMap((page) =>
      [...pageAt(page).matchAll(/^```mermaid\n(.*?)^```\n\n(.)/gms)].map(([, code = '', next]) => ({
        page,
        hasWords: /^ *accTitle: \S/m.test(code) && /^ *accDescr: \S/m.test(code),
        next,
      })),
    );
    expect(diagrams).to.have.length.above(3);
    expect(diagrams.filter(({ hasWords, next }) => !hasWords || next === '#')).to.deep.equal([]);
  });

  it('show every kind of record in Redis, and the table below says how long each is kept', () => {
    const section = sectionOf('docs/run/security.md', 'Trust boundaries and stored data');
    // The newest event of a person is in the record of the person, and the answer in that of the event.
    const kinds = new Set([
      ...wordsOfType('state/redis/sealing.ts', 'NamedKind'),
      ...wordsOfType('state/redis/sealing.ts', 'SealedKind'),
    ]);
    kinds.delete('newest');
    kinds.delete('answer');
    expect(boldIn(section))
      .to.have.members([...kinds])
      .and.to.have.length.above(8);
    const rows = [
      ...sectionOf('docs/run/security.md', 'How long data is kept').matchAll(/^\| `(\w+)`/gm),
    ].map(([, name]) => name);
    expect([...new Set(rows)]).to.have.members([...kinds]);
  });

  it('lead from each symptom of the decision tree to the section with its name, in the picture and below', () => {
    const page = 'docs/run/troubleshooting.md';
    const section = sectionOf(page, 'Find your section');
    const leaves = new Map(
      [...section.matchAll(/\b(\w+)\["([^"]+)"\]/g)].map(([, id = '', label = '']) => [id, label]),
    );
    const clicks = [...section.matchAll(/^ *click (\w+) href "#([\w-]+)"$/gm)];
    expect(clicks).to.have.lengthOf(leaves.size).and.to.have.length.above(7);
    for (const [, id = '', anchor = ''] of clicks) {
      const label = leaves.get(id) ?? expect.fail(`no leaf ${id}`);
      expect(label.toLowerCase().replaceAll(' ', '-')).to.equal(anchor);
      expect(anchorsOf(page)).to.include(anchor);
      expect(section).to.include(`](#${anchor})`);
    }
  });

  it('show the folders of lib, floor by floor, as the test of the imports has them', () => {
    const house = readFileSync(join(ROOT, 'test/house.test.ts'), 'utf8');
    const [, list = ''] = /^const FLOORS = \[\n(.*?)^\];/ms.exec(house) ?? [];
    const floors = list
      .trimEnd()
      .split('\n')
      .map((line) => [...line.matchAll(/'(\w+)'/g)].map(([, name]) => name));
    const drawn = sectionOf('docs/contribute/architecture.md', 'The folders')
      .split('\n')
      .map(boldIn)
      .filter((names) => names.length > 0);
    expect(drawn).to.deep.equal(floors).and.to.have.length.above(7);
  });

  it('stand beside names of files that exist, where the guide to the architecture names them', () => {
    const page = pageAt('docs/contribute/architecture.md');
    const named = [...page.matchAll(/`((?:[\w-]+\/)+[\w-]+\.ts)`/g)].map(([, file = '']) => file);
    expect(named).to.have.length.above(20);
    const isThere = (file: string): boolean =>
      existsSync(join(ROOT, file)) || existsSync(join(ROOT, 'lib', file));
    expect(named.filter((file) => !isThere(file))).to.deep.equal([]);
  });
});
