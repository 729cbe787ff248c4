import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['shared/python-backend-types.ts', 'dist/'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  { languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js'] } } } },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
);
