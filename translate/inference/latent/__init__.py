"""The latent space of a generator: interpolation, arithmetic, neighbours, directions, projection and edits.

arithmetic      sums of mean styles: "glasses_men - men + women"
directions      principal components of styles, as sliders
edit            pictures that match strokes and lines on a canvas
hog             differentiable histograms of oriented gradients
image_distance  multi-scale L1 distance of pixels and gradients
interpolate     frames between seeds or saved styles
neighbours      the training pictures nearest to samples
optimise        gradient descent from many starts
passes          passes of a generator, in batches of one size
project         the style whose picture is nearest to a given picture
sheet           new pictures laid out by class
sheets          the pictures and lines that the command `sample` shows for each of these uses
style_prior     the distribution of styles, which keeps searches in the domain
"""
