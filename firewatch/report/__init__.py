"""Reports from the history: a month's workload of a seat, as values, and as a page, a table or JSON."""
