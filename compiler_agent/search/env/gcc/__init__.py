"""GCC as a second compiler behind the environment's interface: its options are the actions."""
