import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const REPOSITORY = dirname(dirname(fileURLToPath(import.meta.url)));

/** What the architecture rule wants to know about one file. */
export interface SourceFile {
  /** From the repository's root, with forward slashes. */
  readonly path: string;
  readonly imports: readonly { readonly from: string; readonly line: number }[];
  readonly exportsDefault: boolean;
  /** `export … from` and `export *`. */
  readonly reExports: number;
  /** Statements that are neither imports nor re-exports. */
  readonly ownStatements: number;
  /** Names from outside the file that stand for the world: `process.env`, `Date.now`, `fetch` … */
  readonly worldly: readonly { readonly name: string; readonly line: number }[];
}

const NOT_OURS = new Set(['node_modules', 'dist', 'target', '.git', 'dashboards']);
const GLOBALS = new Set([
  'process',
  'Buffer',
  'console',
  'fetch',
  'performance',
  'crypto',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
]);

/** Every source file of ours: TypeScript, and the few scripts that run before it is there. */
export function sourcePaths(root = REPOSITORY): string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !NOT_OURS.has(entry.name) && !entry.name.startsWith('.'))
    .flatMap((entry) => pathsUnder(root, entry.name))
    .sort();
}

function pathsUnder(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : pathsUnder(root, path);
    return /\.(ts|mjs|js)$/.test(entry.name) ? [path] : [];
  });
}

export function readSource(path: string, text = readFileSync(join(REPOSITORY, path), 'utf8')): SourceFile {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const lineOf = (node: ts.Node): number => file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
  const imports: { from: string; line: number }[] = [];
  const worldly: { name: string; line: number }[] = [];
  const visit = (node: ts.Node): void => {
    const from = importedBy(node);
    if (from !== undefined) imports.push({ from, line: lineOf(node) });
    const name = worldlyName(node);
    if (name !== undefined) worldly.push({ name, line: lineOf(node) });
    ts.forEachChild(node, visit);
  };
  visit(file);
  const reExports = file.statements.filter(isReExport);
  return {
    path,
    imports,
    worldly,
    exportsDefault: file.statements.some(isDefaultExport),
    reExports: reExports.length,
    ownStatements: file.statements.filter((node) => !ts.isImportDeclaration(node) && !isReExport(node))
      .length,
  };
}

/** The module that a node imports, be it a value, a type, `import()`, or a re-export. */
function importedBy(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    return node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)
      ? node.moduleSpecifier.text
      : undefined;
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return ts.isStringLiteral(node.argument.literal) ? node.argument.literal.text : undefined;
  }
  if (ts.isCallExpression(node)) {
    const isImport = node.expression.kind === ts.SyntaxKind.ImportKeyword;
    const isRequire = ts.isIdentifier(node.expression) && node.expression.text === 'require';
    const [argument] = node.arguments;
    return (isImport || isRequire) && argument && ts.isStringLiteralLike(argument)
      ? argument.text
      : undefined;
  }
  return undefined;
}

function worldlyName(node: ts.Node): string | undefined {
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date') {
    return (node.arguments?.length ?? 0) === 0 ? 'new Date()' : undefined;
  }
  if (ts.isPropertyAccessExpression(node)) {
    const text = `${node.expression.getText()}.${node.name.text}`;
    return ['process.env', 'Date.now', 'Math.random'].includes(text) ? text : undefined;
  }
  if (ts.isElementAccessExpression(node) && node.expression.getText() === 'process') return 'process.env';
  if (ts.isImportSpecifier(node) && (node.propertyName ?? node.name).text === 'env') {
    const from = importedBy(node.parent.parent.parent);
    return from === 'process' || from === 'node:process' ? 'process.env' : undefined;
  }
  if (ts.isVariableDeclaration(node) && node.initializer?.getText() === 'process') return 'process.env';
  return ts.isIdentifier(node) && GLOBALS.has(node.text) && !isMemberName(node) ? node.text : undefined;
}

/** `x.console`, `{ console: 1 }` and the like only look like the global. */
function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node;
  return (
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    ((ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodSignature(parent)) &&
      parent.name === node)
  );
}

function isReExport(node: ts.Statement): boolean {
  return ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined;
}

function isDefaultExport(node: ts.Statement): boolean {
  if (ts.isExportAssignment(node)) return !node.isExportEquals;
  if (ts.isExportDeclaration(node) && node.exportClause && ts.isNamedExports(node.exportClause)) {
    return node.exportClause.elements.some((element) => element.name.text === 'default');
  }
  return ts.canHaveModifiers(node)
    ? (ts.getModifiers(node) ?? []).some((modifier) => modifier.kind === ts.SyntaxKind.DefaultKeyword)
    : false;
}
