"""What runs inside the sandbox, and the messages between there and outside.

This folder, `detseg` and public data are copied into the sandbox; nothing else of the course is.
Modules here import nothing of the rest of `autograder`.
"""
