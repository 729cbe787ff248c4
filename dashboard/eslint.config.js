import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['shared/python-backend-types.ts', 'dist/'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  { languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js'] } } } },
  { rules: { '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, varsIgnorePattern: '^_' }] } },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
);
