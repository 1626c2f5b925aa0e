/** One line of the dialogue for people to read: secrets are removed, and content is a byte count. */
export interface LogLine {
  /** The number of the connection within its client, from 1. */
  readonly connection: number;
  /** Who said it; a `note` is the client's own remark about the connection. */
  readonly from: 'client' | 'server' | 'note';
  readonly text: string;
}
