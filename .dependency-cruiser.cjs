/** The walls of docs/ARCHITECTURE.md, "Folders". Each has a planted breach in test/house/import-walls.test.ts. */
/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'core-imports-core-only',
      comment: 'A core decides and touches nothing: it imports its own files and those of services/shared.',
      severity: 'error',
      from: { path: '^services/([^/]+)/core/' },
      to: { pathNot: ['^services/$1/core/', '^services/shared/'] },
    },
    {
      name: 'core-reaches-pure-files-only',
      comment:
        'What a core imports from services/shared must not reach Node, a package or platform/ either. Hashing alone ' +
        'is pure: node:crypto passes here, and test/house/source-rules.ts forbids its chance.',
      severity: 'error',
      from: { path: '^services/[^/]+/core/' },
      to: { pathNot: ['^services/', '^(node:)?crypto$'], reachable: true },
    },
    {
      name: 'services-do-not-import-each-other',
      comment: 'Services share services/shared and the topics, nothing else.',
      severity: 'error',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/', pathNot: ['^services/$1/', '^services/shared/'] },
    },
    {
      name: 'platform-knows-no-business',
      comment: 'Adapters hold nothing of the business.',
      severity: 'error',
      from: { path: '^platform/' },
      to: { path: '^(services|cli|bench|examples|test)/' },
    },
    {
      name: 'nobody-imports-the-composers',
      comment: 'cli/ and main.ts compose; what they need from others flows one way.',
      severity: 'error',
      from: { path: '^(services|platform)/' },
      to: { path: '^(cli|bench|examples|test|scripts)/|^services/[^/]+/main\\.ts$' },
    },
    {
      name: 'production-imports-production',
      comment: 'A development dependency is absent where `npm ci --omit=dev` installed.',
      severity: 'error',
      from: { path: '^(services|platform|cli)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
