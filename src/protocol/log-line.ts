/** One line of the dialogue as a person may read it: secrets are gone, content is a byte count. */
export interface LogLine {
  /** Counts the connections of a client from 1. */
  readonly connection: number;
  /** Who said it; `note` is ours, about the connection. */
  readonly from: 'client' | 'server' | 'note';
  readonly text: string;
}
