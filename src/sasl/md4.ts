// RFC 1320 section 3.4: the order in which each round reads the block, and how far it rotates.
const ROUNDS = [
  { order: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], rotate: [3, 7, 11, 19], add: 0, mix: (x: number, y: number, z: number) => (x & y) | (~x & z) },
  { order: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15], rotate: [3, 5, 9, 13], add: 0x5a827999, mix: (x: number, y: number, z: number) => (x & y) | (x & z) | (y & z) },
  { order: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15], rotate: [3, 9, 11, 15], add: 0x6ed9eba1, mix: (x: number, y: number, z: number) => x ^ y ^ z },
] as const;

const BLOCK = 64;

/** MD4 (RFC 1320), which NTLM is built on and OpenSSL 3 no longer has. For nothing else. */
export const md4 = (message: Uint8Array): Buffer => {
  const padded = Buffer.alloc(Math.ceil((message.length + 9) / BLOCK) * BLOCK);
  padded.set(message);
  padded[message.length] = 0x80;
  padded.writeUInt32LE(message.length * 8, padded.length - 8);
  const state: Words = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
  for (let at = 0; at < padded.length; at += BLOCK) {
    let [a, b, c, d] = state;
    for (const { order, rotate, add, mix } of ROUNDS)
      order.forEach((word, step) => {
        const sum = (a + mix(b, c, d) + padded.readUInt32LE(at + 4 * word) + add) | 0;
        const by = rotate[step % 4] ?? 0;
        [a, b, c, d] = [d, (sum << by) | (sum >>> (32 - by)), b, c];
      });
    [a, b, c, d].forEach((word, index) => { state[index] = ((state[index] ?? 0) + word) | 0; });
  }
  const digest = Buffer.alloc(16);
  state.forEach((word, index) => { digest.writeInt32LE(word | 0, 4 * index); });
  return digest;
};

type Words = [number, number, number, number];
