"""Tests of the translation validator, with the oracle that it is held to."""
