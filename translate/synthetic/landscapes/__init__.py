"""Landscapes: photographs of planned scenes, and paintings of them.

A scene is planned in metres, lit, drawn from far to near, mirrored in its water, and photographed or painted.

    brush_strokes    a photograph repainted with curved brush strokes
    buildings        cottages, haystacks, sailing boats and bridges
    camera           exposure, tone curve, lens blur, vignette and grain
    features         parts of compositions: fields, paths, shores, reeds
    landscape        the photograph and the painting of a scene, and the jobs
    parts            landscapes with and without boats, haystacks or snow
    pen              draws things in metres, with their reflection
    perspective      the camera's projection
    scenes           the compositions
    shadows          shadows of things and of clouds
    site             the ground on which a scene is planned
    sky              the clear sky and four kinds of clouds
    terrain          ridges, ground and water
    trees            trees and hedges of single leaves
    vegetation       grass, flowers, reeds and water lilies
"""
