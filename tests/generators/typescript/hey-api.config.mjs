export default {
  input: process.env.CONTRACT,
  output: 'client',
  plugins: ['@hey-api/client-fetch', '@hey-api/typescript', { name: '@hey-api/sdk', validator: { response: 'zod' } }, { name: 'zod', dates: { offset: true } }],
};
