"""A policy of our own, learned from outcomes on the training programs: see docs/policy.md."""
