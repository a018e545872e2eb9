"""Errors, configuration, processes, files: what every layer stands on."""
