"""Handwritten digits: white strokes on black, labelled.

digits     the pen, the layout and the jobs
strokes    the ten digits as strokes
"""
