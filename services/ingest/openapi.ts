import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';

/** The head of the OpenAPI file; its paths come from the routes. */
export const OPENAPI: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Tollgate',
      version: '1.0.0',
      description: 'Metering, rating and credit enforcement for GPU clouds: events in, balances, usage and orders out.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://127.0.0.1:8080', description: 'npm start' }],
    tags: [
      { name: 'events', description: 'Usage and operations in' },
      { name: 'accounts', description: 'How accounts stand' },
      { name: 'orders', description: 'What stands for each resource' },
      { name: 'enforcement', description: 'Holding and releasing, for operators' },
      { name: 'operations', description: 'For who runs it' },
    ],
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'A key of the form tg_<id>_<secret>' } },
    },
    security: [{ key: [] }],
  },
  refResolver: {
    buildLocalReference: (schema, _base, _fragment, index) =>
      typeof schema.$id === 'string' ? schema.$id : `def-${index}`,
  },
};
