"""Portraits in anime style, with known factors.

The factors of a portrait decide its content; each part of the picture has a random stream of its own.

    attributes  portraits with attributes, and the same with one changed
    body        the background and the clothes
    canvas      flat colours, tapered ink, and the pose of the head
    colours     the colours of the factors' values
    eyes        eyes, brows and glasses
    faces       the portrait as a whole, and the jobs
    factors     the factors and their frequencies
    fringe      five kinds of fringe
    hair        locks, the hair behind the head, and its shine
    head        outline, ears, neck, nose, mouth and blush
"""
