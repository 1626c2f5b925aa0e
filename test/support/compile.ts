import ts from 'typescript';

const CONFIG = 'tsconfig.json';

/** What the compiler has to say about these files, under the project's own strict settings. */
export const complaintsAbout = (paths: readonly string[]): readonly string[] => {
  const { config } = ts.readConfigFile(CONFIG, (path) => ts.sys.readFile(path)) as { readonly config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ts.sys.getCurrentDirectory());
  const program = ts.createProgram([...paths], { ...options, noEmit: true, noUnusedLocals: false });
  return paths.flatMap((path) => {
    const file = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
      .map(({ messageText }) => `${path}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
  });
};
