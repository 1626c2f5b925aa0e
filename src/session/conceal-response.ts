import { userOf } from '../sasl/choose.js';
import type { SignIn } from './sign-in.js';

// Shorter than this is no proof, digest or token.
const PROOF = 20;

/**
 * Some servers repeat what they were sent. So a response is hidden as a whole, in base64, and each proof in it by itself. A piece of the
 * user's name, of the host's, or of the challenge is no proof: it stands in ordinary replies, too.
 * @param challenge in base64.
 */
export const concealResponse = ({ state: { wire, plan }, credentials }: SignIn, response: Uint8Array, challenge = ''): void => {
  const { redactor } = wire.context;
  const user = userOf(credentials);
  const bytes = Buffer.from(response);
  const text = bytes.toString('utf8');
  const told = [user, plan.host, Buffer.from(challenge, 'base64').toString('utf8')].join('\n');
  const proofs = text.split(/[\0-\x20,="]+/).filter((part) => part.length >= PROOF && !told.includes(part));
  if (text !== user) redactor.concealExactly(text);
  redactor.concealAsWritten(bytes.toString('base64'));
  for (const proof of proofs) redactor.conceal(proof);
};
