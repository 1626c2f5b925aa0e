// What V8 does not put off until a function is called: it parses nearly every arrow function in full, half of the time that our code takes to compile,
// and loads the tables of Unicode as soon as it sees a regular expression that names a property, another millisecond.
import ts from 'typescript';

const { SyntaxKind } = ts;
const OWN_TO_FUNCTIONS = new Set([SyntaxKind.ThisKeyword, SyntaxKind.SuperKeyword, SyntaxKind.MetaProperty]);

/** Whether it may mean something else in a function than in an arrow function. */
const isBound = (node) =>
  OWN_TO_FUNCTIONS.has(node.kind) || (ts.isIdentifier(node) && node.text === 'arguments') || ts.forEachChild(node, isBound) === true;

const namesProperty = (node) => node.kind === SyntaxKind.RegularExpressionLiteral && node.text.includes('\\p{');

/** A transformer for TypeScript: arrow functions become functions, where that changes nothing, and literals that name properties of Unicode are made where they stand. */
export const skimmable = (context) => {
  const { factory } = context;
  const made = ({ text }) => {
    const end = text.lastIndexOf('/');
    const words = [text.slice(1, end), text.slice(end + 1)].map((word) => factory.createStringLiteral(word, true));
    return factory.createNewExpression(factory.createIdentifier('RegExp'), undefined, words);
  };
  const visit = (node) => {
    if (namesProperty(node)) return made(node);
    const visited = ts.visitEachChild(node, visit, context);
    if (!ts.isArrowFunction(node) || isBound(node)) return visited;
    const { modifiers, parameters, body } = visited;
    const block = ts.isBlock(body) ? body : ts.setTextRange(factory.createBlock([ts.setTextRange(factory.createReturnStatement(body), body)]), body);
    const result = factory.createFunctionExpression(modifiers, undefined, undefined, undefined, parameters, undefined, block);
    return ts.setOriginalNode(ts.setTextRange(result, node), node);
  };
  return (file) => ts.visitNode(file, visit);
};
