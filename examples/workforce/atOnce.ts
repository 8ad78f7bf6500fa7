// Works on a list, so many at a time.

/** The results in the order of the items; the first failure ends it. */
export async function atOnce<T, R>(limit: number, items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const at = next++;
      results[at] = await work(items[at] as T).catch((error) => {
        next = items.length;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: limit }, lane));
  return results;
}
