// The documentation: Swagger UI over the contract of the service that serves this page.
const service = new URL("..", document.baseURI);
const answer = await fetch(new URL("openapi.json", service));
const contract = await answer.json();
// Requests go where the page came from, below whatever path a proxy puts before it.
contract.servers = [{ url: service.href.replace(/\/$/, "") }];

// A header holds no Japanese: browsers refuse to send it. The service reads percent-encoded UTF-8.
const isAscii = (text) => /^[\x20-\x7e]*$/.test(text);

function encodeHeaders(request) {
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    if (typeof value === "string" && !isAscii(value)) request.headers[name] = encodeURIComponent(value);
  }
  return request;
}

SwaggerUIBundle({
  spec: contract,
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  requestInterceptor: encodeHeaders,
});
