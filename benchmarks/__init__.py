"""What `make bench` measures, each figure a ratio taken in one run on one machine.

A module of this package that defines `TITLE` and `measure(workspace)` is a benchmark. `measure`
yields `Figure`s, may write anything below `workspace`, and raises `Unavailable` with the reason
when something it compares with is not on this machine. Nothing here asserts a time.
"""
