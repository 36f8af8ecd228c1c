"""Portraits in the manner of anime, with every factor known.

The factors of a portrait decide what is drawn; each part of the picture has a random stream of its own.

    body       the background and the clothes
    canvas     flat colours, tapered ink, and the pose of the head
    colours    the tones of the factors' words
    eyes       eyes, brows and glasses
    faces      the portrait as a whole, and the jobs
    factors    the factors and their frequencies
    fringe     five kinds of fringe
    hair       locks, the hair behind the head, and its shine
    head       outline, ears, neck, nose, mouth and blush
"""
