export default {
  api: {
    input: process.env.CONTRACT,
    output: {
      target: `${process.cwd()}/client/index.ts`,
      client: 'fetch',
      baseUrl: process.env.URL,
      override: { fetch: { includeHttpResponseReturnType: true } },
    },
  },
};
