"""What the grader must withstand, and a small sheet to attack.

The attacks are Markdown, `<kind>-<what>.md`: a heading names one, prose says why it works against
an ordinary grader, and its code blocks are cells. `reading` says how the blocks are labelled.
Attacks by the file itself are Python: `notebooks`, `strange_notebooks`, `hard_code`, `unreadable`.
"""
