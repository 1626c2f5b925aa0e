/** Runs `task(0)` to `task(count - 1)`, `limit` of them at a time. */
export async function atMost(limit, count, task) {
  let next = 0;
  const worker = async () => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: Math.min(limit, count) }, worker));
}
