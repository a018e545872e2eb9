"""Stand-ins for a language model that ship: scripted, recorded and replayed ones, and a server on loopback."""
