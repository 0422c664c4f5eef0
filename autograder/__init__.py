"""Release, grade and report the exercise sheets of the course.

Nothing heavy is imported here: `autograder --help` has to answer at once.
"""
