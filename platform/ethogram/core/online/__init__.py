"""Values at rest for lookups: one packed row per (view, entity)."""
