"""YAML in, models or problems (file:line:col) out."""
