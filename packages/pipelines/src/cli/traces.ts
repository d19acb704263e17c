/** Spans of a run and its stages, sent where OpenTelemetry's own environment variables say; nothing is loaded where they say nothing. */
import { ConfigProvider, Effect, Layer } from "effect"

const configured = (): boolean =>
  ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"].some((name) => process.env[name] !== undefined)

/** The exporter as a layer. What it cannot send is lost, and never a run. */
export const traces = (): Layer.Layer<never> =>
  Layer.unwrap(
    Effect.promise(async () => {
      if (!configured()) return Layer.empty
      const [tracer, serialization, http] = await Promise.all([
        import("effect/observability/OtlpTracer"),
        import("effect/observability/OtlpSerialization"),
        import("effect/http/FetchHttpClient"),
      ])
      const resource = { serviceName: process.env.OTEL_SERVICE_NAME ?? "millrace" }
      // OpenTelemetry's default, which effect does not take.
      const env = { OTEL_TRACES_EXPORTER: "otlp", ...process.env }
      return tracer
        .layerFromConfig({ resource })
        .pipe(
          Layer.provide(
            Layer.mergeAll(serialization.layerJson, http.layer, ConfigProvider.layer(ConfigProvider.fromEnv({ env }))),
          ),
          Layer.orDie,
        ) as Layer.Layer<never>
    }),
  )
