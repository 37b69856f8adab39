/** Finds the word that a misspelt one stands for, for hints such as "did you mean optInAttribute?". */

/** A word of this length or more may have two mistakes, a shorter one has one. */
const MIN_LENGTH_OF_TWO = 6;

/**
 * The known word that differs least from `word`, whatever their case. `undefined` if all differ by more than two letters (a
 * short word: one). Two swapped neighbours count as one letter.
 */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  const limit = word.length < MIN_LENGTH_OF_TWO ? 1 : 2;
  const [best] = known
    .map((candidate) => ({ candidate, distance: distanceOf(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .sort((one, other) => one.distance - other.distance);
  return best?.candidate;
}

/** How many letters must be added, removed, replaced or swapped with their neighbour (optimal string alignment). */
function distanceOf(from: string, to: string): number {
  // The distances of the empty text, then of each beginning of `from`, to each beginning of `to`.
  const rows = [Array.from({ length: to.length + 1 }, (_, index) => index)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Infinity;
  for (let row = 1; row <= from.length; row += 1) {
    const distances = [row];
    rows.push(distances);
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      distances.push(
        Math.min(
          at(row - 1, column) + 1,
          at(row, column - 1) + 1,
          at(row - 1, column - 1) + (isSame ? 0 : 1),
          isSwapped ? at(row - 2, column - 2) + 1 : Infinity,
        ),
      );
    }
  }
  return at(from.length, to.length);
}
