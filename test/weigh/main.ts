import process, { argv, stderr, stdout } from 'node:process';
import {
  findExcess,
  lowerBudgets,
  readBudgets,
  writeBudgets,
  type Budgets,
  type Measured,
} from './budgets.js';
import { weighCall } from './one-call.js';
import { countTypeLines } from './published-types.js';
import { budgetedOf, weighRooms } from './rooms.js';
import { sumOf, type Weight } from './weight.js';

const USAGE = `Use: npm run weigh                 print what each room weighs, its budget and its aim
     npm run weigh -- --write      also lower the budgets in test/weigh/budgets.json to what was measured
Exits with 1 if something is above its budget. docs/contribute/tests.md says what the numbers mean.
`;

/** The rooms of lib that a gateway need not load. */
const AROUND_THE_CORE = ['console', 'cli', 'testing'];

const COLUMNS = ['', 'nodes', 'budget', 'aim', 'files', 'lines', 'Lua lines', 'JSON bytes'];

async function main(): Promise<void> {
  const [word, ...more] = argv.slice(2);
  if (word === '--help' || word === '-h') {
    stdout.write(USAGE);
    return;
  }
  if ((word !== undefined && word !== '--write') || more.length > 0) {
    stderr.write(USAGE);
    process.exitCode = 2;
    return;
  }
  const budgets = readBudgets();
  const weights = await weighRooms(Object.keys(budgets.rooms));
  const rooms = budgetedOf(weights);
  const beside = { 'WhatsApp call': await weighCall(), 'types of index.ts': countTypeLines() };

  const lower = {
    rooms: lowerBudgets(budgets.rooms, rooms),
    beside: lowerBudgets(budgets.beside, beside),
  };
  const isWriting = word === '--write';
  const { rooms: ofRooms, beside: ofOthers } = isWriting ? lower : budgets;
  printRooms(weights, ofRooms);
  printOthers({ ...rooms, ...beside }, { ...ofRooms, ...ofOthers });
  if (isWriting) writeBudgets(lower);
  else if (JSON.stringify(lower) !== JSON.stringify(budgets)) {
    stdout.write('\nSome budgets can go down: npm run weigh -- --write\n');
  }

  const excess = [...findExcess(rooms, budgets.rooms), ...findExcess(beside, budgets.beside)];
  for (const sentence of excess) stderr.write(`${sentence}\n`);
  if (excess.length > 0) process.exitCode = 1;
}

/** A line for each room, with its budget of nodes, and the sums of the core and of lib. */
function printRooms(weights: Readonly<Record<string, Weight>>, budgets: Budgets): void {
  const line = (title: string, names: readonly string[]): readonly string[] => {
    const { nodes, files, lines, luaLines, jsonBytes } = sumOf(names.flatMap((name) => weights[name] ?? []));
    const sumOfBudgets = (key: 'budget' | 'aim'): number =>
      names.reduce((sum, name) => sum + (budgets[name]?.['nodes']?.[key] ?? 0), 0);
    const numbers = [nodes, sumOfBudgets('budget'), sumOfBudgets('aim'), files, lines, luaLines, jsonBytes];
    return [title, ...numbers.map(shown)];
  };
  const inLib = Object.keys(weights).filter((name) => name !== 'test');
  const core = inLib.filter((name) => !AROUND_THE_CORE.includes(name));
  print([
    COLUMNS,
    ...core.map((name) => line(name, [name])),
    line('the core together', core),
    ...AROUND_THE_CORE.map((name) => line(name, [name])),
    line('lib', inLib),
    line('test', ['test']),
  ]);
}

/** A line for each other budget. */
function printOthers(measured: Measured, budgets: Budgets): void {
  const others = Object.entries(budgets).flatMap(([subject, measures]) =>
    Object.entries(measures)
      .filter(([measure]) => measure !== 'nodes')
      .map(([measure, { budget, aim }]) => [
        `${subject}: ${measure}`,
        ...[measured[subject]?.[measure] ?? 0, budget, aim ?? 0].map(shown),
      ]),
  );
  stdout.write('\n');
  print([['', 'today', 'budget', 'aim'], ...others]);
}

function shown(value: number): string {
  return value === 0 ? '–' : value.toLocaleString('en');
}

function print(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const [title = '', ...cells] of rows) {
    const padded = cells.map((cell, index) => cell.padStart(widths[index + 1] ?? 0));
    stdout.write(`${[title.padEnd(widths[0] ?? 0), ...padded].join('  ')}\n`);
  }
}

await main();
