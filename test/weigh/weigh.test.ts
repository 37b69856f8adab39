import { expect } from 'chai';
import { findExcess, lowerBudgets, readBudgets, type Budgets, type Measured } from './budgets.js';
import { weighCall } from './one-call.js';
import { countTypeLines } from './published-types.js';
import { budgetedOf, roomOf, weighRooms } from './rooms.js';
import { sumOf, weighFile } from './weight.js';

const nodesOf = async (text: string, name = 'a.ts'): Promise<number> => (await weighFile(name, text)).nodes;

/** The message has each sentence: a difference of arrays would not show in the last lines of the gate. */
function expectWithin(measured: Measured, budgets: Budgets): void {
  const excess = findExcess(measured, budgets);
  expect(excess, `\n${excess.join('\n')}\n`).to.have.length(0);
}

describe('npm run weigh', () => {
  const { rooms, beside } = readBudgets();

  describe('the budgets', () => {
    it('hold for each room: nodes, lines of Lua, bytes of JSON', async () => {
      const weights = await weighRooms(Object.keys(rooms));
      // A room without files is misspelt or gone.
      expect(Object.entries(weights).filter(([, { files }]) => files === 0)).to.deep.equal([]);
      expect(weights['state']?.luaLines).to.be.greaterThan(0);
      expectWithin(budgetedOf(weights), rooms);
    });

    it('hold for the files and functions of one call by WhatsApp', async () => {
      const call = await weighCall();
      expect(call.files).to.be.greaterThan(10);
      expectWithin({ 'WhatsApp call': call }, beside);
    });

    it('hold for the types that index.ts publishes', () => {
      const types = countTypeLines();
      expect(types.lines).to.be.greaterThan(500);
      expectWithin({ 'types of index.ts': types }, beside);
    });
  });

  it('names the room, its weight and its budget if it is above, and says that a budget only goes down', () => {
    const measured = { hook: { nodes: 101, luaLines: 0 }, okta: { nodes: 9, luaLines: 2 } };
    const excess = findExcess(measured, { hook: { nodes: { budget: 100 } }, okta: { nodes: { budget: 9 } } });
    expect(excess).to.deep.equal([
      'hook has 101 nodes, and its budget is 100. A budget only goes down: take the difference out of the same room.',
      'okta has 2 luaLines, and its budget is 0. A budget only goes down: take the difference out of the same room.',
    ]);
  });

  it('lowers a budget to what was measured, raises none, and keeps the aims', () => {
    const budgets = { hook: { nodes: { budget: 100, aim: 80 } }, okta: { nodes: { budget: 9 } } };
    expect(lowerBudgets(budgets, { hook: { nodes: 90 }, okta: { nodes: 10, luaLines: 1 } })).to.deep.equal({
      hook: { nodes: { budget: 90, aim: 80 } },
      okta: { nodes: { budget: 9 } },
    });
  });

  it('weighs no type, comment, blank line or name', async () => {
    const short = 'export function f(a){const {b}=a;return {b,c:1}}';
    const long = `
      /** Reads the user. */
      import type { User } from './user.js';
      interface Answer { readonly identifier: string; readonly c: number }

      export function readTheWholeUser(request: { readonly b: string }): Answer {
        // The names differ.
        const { b: identifierOfTheUser } = request as User satisfies User;

        return { identifier: identifierOfTheUser!, c: (1) };
      }
    `;
    expect(await nodesOf(long)).to.equal(await nodesOf(short));
    expect(await nodesOf('/** A type only. */\nexport type Id = `${string}-${number}`;')).to.equal(0);
    expect(await nodesOf("import { user as u } from 'a'; u();")).to.equal(
      await nodesOf("import { user } from 'a'; user();"),
    );
  });

  it('weighs each statement, expression and element that runs', async () => {
    // A statement, a declaration list, a declaration, a name, a number.
    expect(await nodesOf('const a = 1;')).to.equal(5);
    expect(await nodesOf('const a = 1 + 2;')).to.equal(8);
    expect(await nodesOf('const a = <p>1</p>;', 'a.tsx')).to.be.greaterThan(await nodesOf('const a = 1;'));
    expect(await nodesOf('const a = 1;', 'a.mjs')).to.equal(5);
  });

  it('counts Lua in templates and files by its lines, and JSON by its bytes', async () => {
    const script = "const a = `\nlocal b = 1\n\n-- Says why.\n${c}\nreturn redis.call('GET', b)\n`;";
    expect((await weighFile('a.ts', script)).luaLines).to.equal(3);
    expect((await weighFile('a.ts', "const a = 'local a = 1\\nreturn a';")).luaLines).to.equal(2);
    expect((await weighFile('a.ts', "const a = 'The local clock is late.';")).luaLines).to.equal(0);
    expect((await weighFile('a.lua', 'return 1\n')).luaLines).to.equal(1);
    const json = await weighFile('a.json', '{ "a": "é" }\n');
    expect(json).to.include({ jsonBytes: 14, nodes: 0, files: 0 });
    const sum = sumOf([json, await weighFile('a.ts', 'const a = 1;\n\nconst b = 2;\n')]);
    expect(sum).to.deep.equal({ nodes: 10, luaLines: 0, jsonBytes: 14, files: 1, lines: 2 });
  });

  it('finds the room of a file, and refuses a folder of lib without a room', () => {
    const names = Object.keys(rooms);
    const files = [
      'lib/index.ts',
      'lib/numbers/phone-number.ts',
      'lib/state/redis/index.ts',
      'test/hook/a.test.ts',
    ];
    expect(files.map((file) => roomOf(file, names))).to.deep.equal([
      'index',
      'texts, numbers',
      'state',
      'test',
    ]);
    expect(() => roomOf('lib/new/file.ts', names)).to.throw(
      'lib/new/file.ts: budgets.json has no room for new',
    );
  });
});
