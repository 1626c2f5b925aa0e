/** Without a prototype that anybody could hang something on. */
export class Own {
  readonly [name: string]: unknown;
}
Object.setPrototypeOf(Own.prototype, null);

/** A copy that inherits nothing: for those who would take what a polluted prototype holds for an option or a field. */
export const bare = <T extends object>(given: T): T => Object.assign(new Own() as T, given);

/** What stands under a name in the object itself. */
export const ownValue = <T>(given: Readonly<Record<string, T>>, name: string): T | undefined => (Object.hasOwn(given, name) ? given[name] : undefined);
