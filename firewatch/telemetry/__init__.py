"""firewatch watching itself: one class an occurrence, which is its log line and its counter."""
