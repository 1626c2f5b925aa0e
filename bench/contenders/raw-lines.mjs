const LF = 10, CR = 13, DOT = 46;

/** Ends every line of whole lines with CRLF; with `dots`, a leading dot is doubled (RFC 5321 section 4.5.2). */
export function wireLines(block, dots) {
  const out = Buffer.allocUnsafe(block.length * 2);
  let length = 0;
  let from = 0;
  while (from < block.length) {
    const found = block.indexOf(LF, from);
    const end = found < 0 ? block.length : found;
    if (dots && block[from] === DOT) out[length++] = DOT;
    length += block.copy(out, length, from, end);
    if (block[end - 1] !== CR) out[length++] = CR;
    out[length++] = LF;
    from = end + 1;
  }
  return out.subarray(0, length);
}
