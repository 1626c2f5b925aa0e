const PATH = /^<((?:"(?:[^"\\]|\\.)*"|[^<>"])*)>(?: (.*))?$/;

/** A path, undefined where there is none, and the parameters behind it. */
export const pathOf = (argument: string): readonly [path: string | undefined, parameters: readonly string[]] => {
  const [, path, rest = ''] = PATH.exec(argument) ?? [];
  return [path, rest.split(' ').filter((word) => word !== '')];
};
