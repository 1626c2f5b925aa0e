// Rounds in which every contender has its turn, and the medians of them.

/** The median of one column; undefined if nothing was measured. */
export function medianOf(results, key) {
  const sorted = results.map((result) => result[key]).filter((value) => value !== undefined).sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/**
 * Runs `measure(name)` for each name in every round, each round beginning with another one. Who fails once has no results.
 * @template T
 * @param {(name: string) => Promise<T>} measure
 * @returns {Promise<{ results: Map<string, T[]>, failures: string[] }>}
 */
export async function inRounds(rounds, names, measure) {
  const results = new Map(names.map((name) => [name, []]));
  const failures = [];
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(round + turn) % names.length];
      if (!results.has(name)) continue;
      try {
        results.get(name).push(await measure(name));
      } catch (error) {
        results.delete(name);
        failures.push(`${name}: ${error.message}`);
      }
    }
  }
  return { results, failures };
}

/** @returns {Map<string, Record<string, number>>} */
export const medians = (results) =>
  new Map([...results].map(([name, all]) => [name, Object.fromEntries(Object.keys(all[0]).map((key) => [key, medianOf(all, key)]))]));
