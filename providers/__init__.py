"""The outside world: one file per source, query -> request -> parse -> rows. The only user of httpx."""
