"""The fix, applied to a code base: which expansions can go, and the text without them.

What can go is decided by the rules in `rewrites/`, which ast-grep reads. This package finds the
files, hands their text over, takes out what the rules name, and puts the files back.
"""
