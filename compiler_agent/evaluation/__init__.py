"""Turns a candidate plan into an Evaluation."""
