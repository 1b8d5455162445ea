import { type FastifyInstance, fastify } from 'fastify';

/** A page of metrics, in the format that the scraper takes. */
export type MetricsPage = (
  accept: string | undefined,
) => Promise<{ readonly contentType: string; readonly text: string }>;

export type MetricsServer = {
  readonly listen: (host: string, port: number) => Promise<{ readonly port: number }>;
  readonly close: () => Promise<void>;
  readonly app: FastifyInstance;
};

/** A scrape has no body, and a short header: what takes longer to arrive is no scrape. */
const RECEIVE_MS_MAX = 10_000;
const RECEIVE_CHECK_MS = 1_000;

/** How long a caller may take nothing of its page before the connection is cut. */
const SEND_MS_MAX = 10_000;

/**
 * Serves `/metrics` and nothing else, so that it may be open to other machines where the admin port may not.
 * @param sendMsMax milliseconds that a caller may take nothing of its page; then its connection is cut.
 */
export function createMetricsServer(page: MetricsPage, sendMsMax = SEND_MS_MAX): MetricsServer {
  const app = fastify({
    logger: false,
    bodyLimit: 1,
    requestTimeout: RECEIVE_MS_MAX,
    connectionTimeout: sendMsMax,
    http: { headersTimeout: RECEIVE_MS_MAX, connectionsCheckingInterval: RECEIVE_CHECK_MS },
    forceCloseConnections: true,
  });
  app.removeAllContentTypeParsers();
  app.get('/metrics', async ({ headers }, reply) => {
    const { contentType, text } = await page(headers.accept);
    return reply.type(contentType).send(text);
  });
  return {
    listen: async (host, port) => {
      await app.listen({ host, port });
      const address = app.server.address();
      return { port: typeof address === 'object' && address !== null ? address.port : port };
    },
    close: () => app.close(),
    app,
  };
}
