import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A subject is a room, or what is measured beside the rooms. A measure is its nodes, its lines of Lua, and so on. */
export type Measured = Readonly<Record<string, Readonly<Record<string, number>>>>;

interface Budget {
  /** The most that the subject may weigh. */
  readonly budget: number;
  /** What it should weigh one day. */
  readonly aim?: number;
}
export type Budgets = Readonly<Record<string, Readonly<Record<string, Budget>>>>;

const FILE = fileURLToPath(new URL('budgets.json', import.meta.url));

/** The only place with budgets. A room is named by its folders of lib, or is `test`. */
export function readBudgets(): { readonly rooms: Budgets; readonly beside: Budgets } {
  return JSON.parse(readFileSync(FILE, 'utf8')) as { rooms: Budgets; beside: Budgets };
}

export function writeBudgets(budgets: ReturnType<typeof readBudgets>): void {
  writeFileSync(FILE, `${JSON.stringify(budgets, undefined, 2)}\n`);
}

/** A sentence for each measure above its budget. A measure without a budget must be 0. */
export function findExcess(measured: Measured, budgets: Budgets): string[] {
  return Object.entries(measured).flatMap(([subject, measures]) =>
    Object.entries(measures)
      .map(([measure, weight]) => ({ measure, weight, budget: budgets[subject]?.[measure]?.budget ?? 0 }))
      .filter(({ weight, budget }) => weight > budget)
      .map(
        ({ measure, weight, budget }) =>
          `${subject} has ${weight} ${measure}, and its budget is ${budget}. ` +
          'A budget only goes down: take the difference out of the same room.',
      ),
  );
}

/** The budgets, none of them above what was measured. No budget goes up. */
export function lowerBudgets(budgets: Budgets, measured: Measured): Budgets {
  return mapValues(budgets, (measures, subject) =>
    mapValues(measures, ({ budget, ...rest }, measure) => ({
      budget: Math.min(budget, measured[subject]?.[measure] ?? budget),
      ...rest,
    })),
  );
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  change: (value: From, key: string) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}
