"""What users give to a model: images of any kind, masks, and streams of them.

checks  what a caller may ask of a model
images  the kinds of image, and reading them
labels  seeds and labels of new pictures
masks   the hole of a picture
pixels  from pictures to arrays that networks take
stream  many images, translated in batches as they come
styles  the style codes of pictures
wishes  the labels that a picture is to get or to lose
"""
