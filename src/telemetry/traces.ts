import {
  type Attributes,
  type Context,
  defaultTextMapGetter,
  diag,
  DiagLogLevel,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  trace,
  type Tracer,
} from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from "@opentelemetry/resources";
import { TracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace";
import { withoutUserinfo } from "../model/userinfo.ts";
import { visible } from "../model/visible.ts";
import type { RunEvent } from "../schemas/types.ts";

/** A reader of a run's events that makes a trace of it. */
export interface Traces {
  take: (event: RunEvent) => void;
  /** Sends what was not sent yet, for a limited time. Never throws. */
  close: () => Promise<void>;
}

export interface TracesDeps {
  env: Readonly<Record<string, string | undefined>>;
  /** Of Factory. */
  version: string;
  /** A line for people. */
  say: (text: string) => void;
}

/** How long a collector has to take spans, in milliseconds, unless the environment says another time. */
const TIMEOUT_MS = 5000;

/** What sending takes beside that. */
const CLOSE_MS = 1000;

/** What OpenTelemetry's conventions for CI call the results of tasks. */
const RESULTS = { pass: "success", fail: "failure", error: "error", reused: "skip" } as const;

/** The span that CI has opened around this process; the root where it has none. */
function parentOf(env: TracesDeps["env"]): Context {
  const carrier = { traceparent: env.TRACEPARENT, tracestate: env.TRACESTATE };
  return new W3CTraceContextPropagator().extract(ROOT_CONTEXT, carrier, defaultTextMapGetter);
}

/** Spans of a run: the run, its cells, their stages, and the steps and tests of those. */
class Spans {
  readonly #tracer: Tracer;
  readonly #open = new Map<string, { span: Span; context: Context }>();
  readonly #parent: Context;

  constructor(tracer: Tracer, parent: Context) {
    this.#tracer = tracer;
    this.#parent = parent;
  }

  /** @param path of the span: the run has none, a cell one name, a stage two */
  begin(path: readonly string[], name: string, at: string | number, attributes: Attributes): Span {
    const above = path.length === 0 ? this.#parent : (this.#at(path.slice(0, -1))?.context ?? this.#parent);
    const span = this.#tracer.startSpan(name, { startTime: new Date(at), attributes }, above);
    this.#open.set(JSON.stringify(path), { span, context: trace.setSpan(above, span) });
    return span;
  }

  end(path: readonly string[], at: string | number, attributes: Attributes, failure: string | null): void {
    const span = this.#at(path)?.span;
    if (!span) return;
    span.setAttributes(attributes);
    if (failure !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
    span.end(new Date(at));
    this.#open.delete(JSON.stringify(path));
  }

  /** Ends what a broken-off run has left open. */
  endAll(at: string): void {
    for (const { span } of [...this.#open.values()].reverse()) span.end(new Date(at));
    this.#open.clear();
  }

  #at(path: readonly string[]) {
    return this.#open.get(JSON.stringify(path));
  }
}

function takeEvent(spans: Spans, event: RunEvent): void {
  switch (event.type) {
    case "run-started": {
      const attributes = { "cicd.pipeline.name": "factory run", "factory.plan_ids": event.plan_ids };
      spans.begin([], "factory run", event.at, attributes);
      break;
    }
    case "cell-started": {
      const { cell_id, manifest_id, platform, action, reason } = event;
      spans.begin([cell_id], `cell ${cell_id}`, event.at, {
        "cicd.pipeline.task.name": cell_id,
        "factory.manifest_id": manifest_id,
        "factory.platform": platform,
        "factory.action": action,
        ...(reason !== null && { "factory.reason": reason }),
      });
      break;
    }
    case "stage-started":
      spans.begin([event.cell_id, event.stage], event.stage, event.at, { "factory.stage": event.stage });
      break;
    case "part-ended": {
      const { cell_id, stage, part, status, started_at, duration_ms } = event;
      const path = [cell_id, stage, part];
      const start = Date.parse(started_at);
      const isTest = stage === "smoke";
      spans.begin(path, part, start, isTest ? { "test.case.name": part } : {});
      const attributes = isTest
        ? { "test.case.result.status": status }
        : { "factory.cached": status === "cached" };
      spans.end(
        path,
        start + duration_ms,
        attributes,
        status === "fail" || status === "error" ? status : null,
      );
      break;
    }
    case "stage-ended":
      spans.end(
        [event.cell_id, event.stage],
        event.at,
        { "factory.status": event.status },
        event.status === "fail" || event.status === "error" ? (event.class ?? event.status) : null,
      );
      break;
    case "cell-ended": {
      const { cell_id, manifest_id, platform, status, expected, record_id, image, cache, notes } = event;
      if (status === "reused")
        spans.begin([cell_id], `cell ${cell_id}`, event.at, {
          "cicd.pipeline.task.name": cell_id,
          "factory.manifest_id": manifest_id,
          "factory.platform": platform,
          "factory.action": "reuse",
        });
      const attributes = {
        "cicd.pipeline.task.run.result": RESULTS[status],
        "factory.expected": expected,
        "factory.record_id": record_id,
        "factory.cache.hits": cache.hits,
        "factory.cache.total": cache.total,
        ...(image && { "factory.image.ref": image.ref, "factory.image.digest": image.digest }),
      };
      spans.end([cell_id], event.at, attributes, expected ? null : (notes[0] ?? status));
      break;
    }
    case "run-ended": {
      const { summary, error, interrupted } = event;
      const isBad = error !== null || interrupted || summary.unexpected > 0;
      const counts = Object.entries(summary).filter(([, value]) => typeof value === "number");
      const failure = error?.what ?? (interrupted ? "interrupted" : "a cell did not end as it should");
      spans.end(
        [],
        event.at,
        Object.fromEntries(counts.map(([name, value]) => [`factory.cells.${name}`, value as number])),
        isBad ? failure : null,
      );
      spans.endAll(event.at);
      break;
    }
    case "progress":
    case "log":
    case "note":
    case "cell-repacked":
  }
}

/**
 * A trace of a run, sent as OTLP over HTTP to the collector that `OTEL_EXPORTER_OTLP_ENDPOINT` names, as a part of the trace that
 * `TRACEPARENT` names. A collector that fails costs a warning, never the run.
 */
export function openTraces({ env, version, say }: TracesDeps): Traces {
  let failure: string | null = null;
  const fail = (text: string) => void (failure ??= text);
  const timeout =
    Number(env.OTEL_EXPORTER_OTLP_TRACES_TIMEOUT ?? env.OTEL_EXPORTER_OTLP_TIMEOUT) || TIMEOUT_MS;
  // What the exporter has to say, it says to the global logger.
  const quiet = () => undefined;
  diag.setLogger(
    { error: fail, warn: fail, info: quiet, debug: quiet, verbose: quiet },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const resource = defaultResource()
    .merge(resourceFromAttributes({ "service.name": "factory", "service.version": version }))
    .merge(detectResources({ detectors: [envDetector] }));
  const provider = new TracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ timeoutMillis: timeout }) })],
  });
  const spans = new Spans(provider.getTracer("factory", version), parentOf(env));
  return {
    take: (event) => takeEvent(spans, event),
    async close() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(() => {
          fail(`the collector did not answer within ${timeout / 1000} s`);
          resolve();
        }, timeout + CLOSE_MS);
      });
      const sent = provider.shutdown().catch((error: unknown) => {
        fail(error instanceof Error ? error.message : String(error));
      });
      await Promise.race([sent, late]);
      clearTimeout(timer);
      if (failure !== null) say(`warning: the trace is not complete: ${visible(withoutUserinfo(failure))}`);
    },
  };
}
