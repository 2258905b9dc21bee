"""Programs that are not ours, against a running set: what a Node.js shop, an OTLP backend and Prometheus make of it."""
