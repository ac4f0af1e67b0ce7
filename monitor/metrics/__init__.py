"""What a Prometheus may scrape: one catalogue of metrics, each with its name, its meaning and where it is
read from. docs/metrics.md, the dashboard and the alert rules speak of nothing else."""
