import { readFileSync } from 'node:fs';

/** What one message costs, in any one currency. */
export interface PriceTable {
  readonly currency: string;
  /** By country, as ISO 3166; `default` for all others. */
  readonly sms: Readonly<Record<string, number>> & { readonly default: number };
  readonly whatsapp: Readonly<Record<string, number>> & { readonly default: number };
}

/**
 * Invented round figures of the right order: texts are cheap in North America and India, and dear in the countries that
 * attackers choose. Give the prices of your own contract with `--prices`.
 */
const INVENTED: PriceTable = {
  currency: 'invented dollars',
  sms: { default: 0.05, US: 0.01, CA: 0.01, IN: 0.02, GB: 0.05, DE: 0.1, AZ: 0.3, UZ: 0.3, TJ: 0.3, LK: 0.3 },
  whatsapp: { default: 0.02 },
};

/**
 * @param file - JSON with the members of `PriceTable`; `undefined` for invented prices.
 * @throws Error that says what is wrong with the file.
 */
export function readPrices(file: string | undefined): PriceTable {
  if (file === undefined) return INVENTED;
  let table: unknown;
  try {
    table = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`--prices: ${file} cannot be read as JSON`, { cause: error });
  }
  if (!isPriceTable(table)) {
    throw new Error(
      `--prices: ${file} needs { "currency": "EUR", "sms": { "default": 0.05, "US": 0.01 }, "whatsapp": { "default": 0.02 } }`,
    );
  }
  return table;
}

function isPriceTable(value: unknown): value is PriceTable {
  if (typeof value !== 'object' || value === null) return false;
  const { currency, sms, whatsapp } = value as Partial<Record<keyof PriceTable, unknown>>;
  return typeof currency === 'string' && [sms, whatsapp].every(isChannel);
}

function isChannel(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('default' in value)) return false;
  return Object.values(value).every((price) => typeof price === 'number' && price >= 0);
}

export function priceOf(
  prices: PriceTable,
  { channel, country }: { readonly channel: 'sms' | 'whatsapp'; readonly country: string },
): number {
  const table = prices[channel];
  return table[country] ?? table.default;
}
