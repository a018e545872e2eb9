"""What can be seen of a translation unit before and while clang optimizes it: for a planner, and for people."""
