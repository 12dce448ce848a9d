"""From notebooks to the published book: execute, judge, assemble, render.

Apart from `investigation`, so that a change to how pages are made measures nothing again.
"""
