/** The pieces of `bytes` when it is cut at these places; places outside are ignored. */
export const cut = (bytes: Buffer, places: readonly number[]): readonly Buffer[] => {
  const edges = [0, ...[...new Set(places)].filter((place) => place > 0 && place < bytes.length).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
};

export const oneByOne = (bytes: Buffer): readonly Buffer[] => cut(bytes, [...bytes.keys()]);
