const PATH = /^<((?:"(?:[^"\\]|\\.)*"|[^<>"])*)>(?: (.*))?$/;

/** What may stand behind a path, and the keyword that offers it. */
export const PARAMETERS: readonly (readonly [keyword: string, parameter: RegExp])[] = [
  ['SIZE', /^SIZE=\d+$/i], ['8BITMIME', /^BODY=(?:7BIT|8BITMIME)$/i], ['BINARYMIME', /^BODY=BINARYMIME$/i], ['SMTPUTF8', /^SMTPUTF8$/i],
  ['DSN', /^(?:RET|ENVID|NOTIFY|ORCPT)=/i], ['REQUIRETLS', /^REQUIRETLS$/i], ['AUTH', /^AUTH=/i],
  ['MT-PRIORITY', /^MT-PRIORITY=/i], ['DELIVERBY', /^BY=/i], ['FUTURERELEASE', /^HOLD(?:FOR|UNTIL)=/i],
];

/** A path, undefined where there is none, and the parameters behind it. */
export const pathOf = (argument: string): readonly [path: string | undefined, parameters: readonly string[]] => {
  const [, path, rest = ''] = PATH.exec(argument) ?? [];
  return [path, rest.split(' ').filter((word) => word !== '')];
};
