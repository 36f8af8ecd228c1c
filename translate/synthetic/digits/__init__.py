"""Handwritten digits: white strokes on black, labelled.

A digit is a list of strokes, bent and slanted at random, and drawn with a soft pen.

    digits     the pen, the layout and the jobs
    strokes    the ten digits as strokes
"""
