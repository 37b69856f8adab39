import process from 'node:process';
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      'dist',
      '.dist-*',
      '.nodes',
      'coverage',
      'docs/api',
      'node_modules',
      'test/consumers',
      'test/contract/types',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      // A rest pattern may leave out a property.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      // The package deprecates it only to make it stand out. The emulated Okta is reached by http.
      '@typescript-eslint/no-deprecated': [
        'error',
        { allow: [{ from: 'package', name: 'allowInsecureRequests', package: 'openid-client' }] },
      ],
      // A function that only forwards a call needs no block.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreVoidReturningFunctions: true }],
    },
  },
  {
    files: ['example/**'],
    rules: { 'no-console': 'off' },
  },
  {
    // Tests are more than half of the code, and rules that need types are slow: `npm run nightly` applies them.
    files: ['test/**'],
    extends: process.env.NIGHTLY === '1' ? [] : [tseslint.configs.disableTypeChecked],
    rules: {
      // chai's assertions are property reads.
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Tests throw and reject with values that are no errors, to prove that the library bears them.
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      // Some libraries declare options as classes, and tests pass plain objects for sockets and streams.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
    },
  },
  { files: ['**/*.js', '**/*.mjs'], extends: [tseslint.configs.disableTypeChecked] },
);
